import type { Face } from './square'

/** Shows faces to the gate, a question each, and tells for each whether it was let in under the name you want. */
export type Ask = (faces: Face[]) => Promise<boolean[]>

/** Bisection along the straight line. */
export async function toBorder(ask: Ask, face: Face, far: Face): Promise<Face> {
  let [low, high] = [0, 1]
  let kept = far
  while (high - low > 3e-4) {
    const middle = (low + high) / 2
    const point = face.map((value, i) => value + middle * (far[i]! - value))
    if ((await ask([point]))[0]) [kept, high] = [point, middle]
    else low = middle
  }
  return kept
}

/** The gradient's direction from yes and no alone (Chen et al. 2020, eq. 16), in few dimensions (Li et al. 2020). */
export async function direction(ask: Ask, at: Face, radius: number, probes: number): Promise<Face> {
  const sum = new Float32Array(at.length)
  const yesses = new Float32Array(at.length)
  let yes = 0
  for (let asked = 0; asked < probes; asked += 50) {
    const points = Array.from({ length: Math.min(50, probes - asked) }, () => {
      // 300 numbers instead of 4,800: the same for a patch of 4 × 4 pixels, a network feels nothing finer.
      const cells = Array.from({ length: 10 * 10 * 3 }, () => 2 * Math.random() - 1)
      const step = at.map((_, i) => {
        const [row, column] = [Math.floor(i / 120), Math.floor(i / 3) % 40]
        return cells[(Math.floor(row / 4) * 10 + Math.floor(column / 4)) * 3 + (i % 3)]!
      })
      const scale = radius / Math.sqrt(step.reduce((total, value) => total + value * value, 0))
      return at.map((value, i) => Math.min(1, Math.max(0, value + scale * step[i]!)))
    })
    const letIn = await ask(points)
    points.forEach((point, k) => {
      if (letIn[k]) yes++
      for (let i = 0; i < at.length; i++) {
        const moved = point[i]! - at[i]!
        sum[i]! += moved
        if (letIn[k]) yesses[i]! += moved
      }
    })
  }
  // Σ (vote − mean vote) · step, with votes of +1 and −1, is twice the steps let in less their share of all steps.
  const way = yesses.map((value, i) => value - (yes / probes) * sum[i]!)
  const length = Math.sqrt(way.reduce((total, value) => total + value * value, 0)) || 1
  return way.map((value) => value / length)
}
