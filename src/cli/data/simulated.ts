import type { Rng } from '../../core/rng.ts'

/** What a generator makes: files, and what the command says of them. */
export interface SimulatedSet {
  /** Every file but SHA256SUMS. */
  files: Record<string, Uint8Array>
  /** In a few words: "17,000 ratings by 600 shoppers". */
  summary: string
  figures: Record<string, unknown>
}

/** A position, as likely as its weight. */
export function weighted(rng: Rng, weights: readonly number[]): number {
  let left = rng.uniform() * weights.reduce((sum, weight) => sum + weight, 0)
  const at = weights.findIndex((weight) => (left -= weight) < 0)
  return at < 0 ? weights.length - 1 : at
}
