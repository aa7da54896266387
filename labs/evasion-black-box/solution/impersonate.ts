/** By how much the strongest other name leads the target, in log probability. */
export function wish(scores: number[], target: number): number {
  const strongest = Math.max(...scores.filter((_, name) => name !== target))
  return Math.log(strongest) - Math.log(scores[target]!)
}
