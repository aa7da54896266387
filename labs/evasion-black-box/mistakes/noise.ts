// finding: noise
// checkpoint: dodged
export type Face = Float32Array

const sign = () => (Math.random() < 0.5 ? -1 : 1)
const clip = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))
type Score = (face: Face) => Promise<number>

export async function square(score: Score, face: Face, epsilon: number): Promise<Face> {
  let best = face
  let lowest = Infinity
  for (let asked = 0; asked < 20 && lowest > 0; asked++) {
    // As much noise as the budget allows, drawn for every number by itself.
    const next = face.map((value) => clip(value + sign() * epsilon, 0, 1))
    const value = await score(next)
    if (value < lowest) [best, lowest] = [next, value]
  }
  return best
}
