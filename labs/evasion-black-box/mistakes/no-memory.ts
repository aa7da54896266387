// finding: no-memory
// checkpoint: dodged
export type Face = Float32Array

const size = 40
const sign = () => (Math.random() < 0.5 ? -1 : 1)
const clip = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))
type Score = (face: Face) => Promise<number>

export async function square(score: Score, face: Face, epsilon: number): Promise<Face> {
  let best = Float32Array.from(face)
  let lowest = await score(face)
  for (let asked = 1; asked < 12 && lowest > 0; asked++) {
    const [top, left] = [0, 0].map(() => Math.floor(Math.random() * 25)) as [number, number]
    // From the original each time: what helped before is gone.
    const next = Float32Array.from(face)
    for (let c = 0; c < 3; c++) {
      const move = epsilon * sign()
      for (let i = top; i < top + 16; i++)
        for (let j = left; j < left + 16; j++)
          next[(i * size + j) * 3 + c] = clip(next[(i * size + j) * 3 + c]! + move, 0, 1)
    }
    const value = await score(next)
    if (value < lowest) [best, lowest] = [next, value]
  }
  return best
}
