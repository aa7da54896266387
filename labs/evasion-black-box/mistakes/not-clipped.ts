// finding: not-clipped
// checkpoint: dodged
export type Face = Float32Array

const size = 40
const sign = () => (Math.random() < 0.5 ? -1 : 1)
const clip = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))
type Score = (face: Face) => Promise<number>

export async function square(score: Score, face: Face, epsilon: number): Promise<Face> {
  let best = Float32Array.from(face, (value, at) => value + (at % 2 ? epsilon : -epsilon))
  let lowest = await score(best)
  for (let asked = 1; asked < 40 && lowest > 0; asked++) {
    const [top, left] = [0, 0].map(() => Math.floor(Math.random() * 21)) as [number, number]
    const next = Float32Array.from(best)
    for (let c = 0; c < 3; c++) {
      const move = 2 * epsilon * sign()
      for (let i = top; i < top + 20; i++)
        for (let j = left; j < left + 20; j++) {
          const at = (i * size + j) * 3 + c
          // Within ε of the original, wherever that is.
          next[at] = clip(next[at]! + move, face[at]! - epsilon, face[at]! + epsilon)
        }
    }
    const value = await score(next)
    if (value < lowest) [best, lowest] = [next, value]
  }
  return best
}
