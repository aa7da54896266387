// finding: learned-the-lies
// checkpoint: labels
/** The answers that surprise teach most. */
export function believe(opinions: number[][], told: number[]): boolean[] {
  return opinions.map((row, i) => row[told[i]!]! < 0.1)
}
