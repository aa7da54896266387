/** The digits between whose first and second class the copy can hardly decide. */
export function choose(opinions: number[][], count: number): number[] {
  const lead = opinions.map((row) => {
    const [first = 0, second = 0] = [...row].sort((a, b) => b - a)
    return first - second
  })
  return [...lead.keys()].sort((a, b) => lead[a]! - lead[b]!).slice(0, count)
}
