// finding: somebody-else
// checkpoint: impersonated
/** The gate counts its names from 1, does it not? */
export function wish(scores: number[], target: number): number {
  const place = (target + 1) % scores.length
  const strongest = Math.max(...scores.filter((_, name) => name !== place))
  return Math.log(strongest) - Math.log(scores[place]!)
}
