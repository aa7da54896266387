/** An honest answer is one of the few classes that the copy thinks possible; a lie is the last of them all. */
export function believe(opinions: number[][], told: number[]): boolean[] {
  return opinions.map((row, i) => {
    const better = row.filter((p) => p > row[told[i]!]!).length
    return better < 3
  })
}
