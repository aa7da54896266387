// finding: kept-the-worse
// checkpoint: impersonated
/** More of the target is better, so its lead is the score. */
export function wish(scores: number[], target: number): number {
  const strongest = Math.max(...scores.filter((_, name) => name !== target))
  return Math.log(scores[target]!) - Math.log(strongest) + 28
}
