// finding: no-better-than-chance
// checkpoint: chosen
/** The next in the pile. */
export function choose(opinions: number[][], count: number): number[] {
  return Array.from({ length: Math.min(count, opinions.length) }, (_, i) => i)
}
