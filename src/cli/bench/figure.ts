import type { Browser } from '@playwright/test'

/** A figure that only the whole app can show. Each file in figures/ exports a list as `figures`. */
export interface AppFigure {
  name: string
  title: string
  unit: 'ms' | 'kB' | 'MB'
  /** The most it may be, where that was agreed; printed beside the figure, never a test. */
  budget?: number
  measure(app: {
    browser: Browser
    address: string
    folder: string
    rounds: number
    /** Paths that the server was asked for since the last `clear()`, workers' requests included. */
    fetched: Set<string>
  }): Promise<number>
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
