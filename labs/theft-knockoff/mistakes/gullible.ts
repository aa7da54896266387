// finding: believed
// checkpoint: labels
/** An answer is an answer. */
export function believe(opinions: number[][], told: number[]): boolean[] {
  return opinions.map((_, i) => told[i] !== undefined)
}
