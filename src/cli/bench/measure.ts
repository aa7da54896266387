import type { Browser } from '@playwright/test'

/** A figure that only the whole app can show. Each file beside this one exports a list as `figures`. */
export interface AppFigure {
  name: string
  title: string
  unit: 'ms' | 'kB'
  /** The most it may be; printed beside the figure, never a test. */
  budget: number
  measure(app: { browser: Browser; address: string; folder: string; rounds: number }): Promise<number>
}

/** What a page offers to the command. */
export interface BenchPage {
  titles(): Record<string, { title: string; budgetMs?: Partial<Record<string, number>> }>
  /** Throws with the reason when the backend cannot be had. */
  start(backend: string): Promise<void>
  prepare(name: string): Promise<void>
  /** Milliseconds of one go. */
  time(name: string): Promise<number>
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
