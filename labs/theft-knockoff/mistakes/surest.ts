// finding: surest
// checkpoint: chosen
/** The digits of which the copy is surest: their answers will be right. */
export function choose(opinions: number[][], count: number): number[] {
  const sure = opinions.map((row) => Math.max(...row))
  return [...sure.keys()].sort((a, b) => sure[b]! - sure[a]!).slice(0, count)
}
