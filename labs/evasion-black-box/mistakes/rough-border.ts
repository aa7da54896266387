// finding: rough-border
// checkpoint: yes-or-no
type Face = Float32Array

export type Ask = (faces: Face[]) => Promise<boolean[]>

async function border(ask: Ask, face: Face, far: Face, tolerance: number): Promise<{ yes: Face; no: Face }> {
  let [low, high] = [0, 1]
  let [yes, no] = [far, face]
  while (high - low > tolerance) {
    const middle = (low + high) / 2
    const point = face.map((value, i) => value + middle * (far[i]! - value))
    if ((await ask([point]))[0]) [yes, high] = [point, middle]
    else [no, low] = [point, middle]
  }
  return { yes, no }
}

/** Five halvings are near enough. */
export const toBorder = async (ask: Ask, face: Face, far: Face) => (await border(ask, face, far, 0.2)).yes

export async function direction(ask: Ask, at: Face, radius: number, probes: number): Promise<Face> {
  const way = new Float32Array(at.length)
  for (let asked = 0; asked < probes; asked += 50) {
    const points = Array.from({ length: 50 }, () => {
      const step = at.map(() => 2 * Math.random() - 1)
      const scale = radius / Math.sqrt(step.reduce((sum, value) => sum + value * value, 0))
      return at.map((value, i) => Math.min(1, Math.max(0, value + scale * step[i]!)))
    })
    const letIn = await ask(points)
    points.forEach((point, k) =>
      point.forEach((value, i) => (way[i]! += (letIn[k] ? 1 : -1) * (value - at[i]!))),
    )
  }
  const length = Math.sqrt(way.reduce((sum, value) => sum + value * value, 0)) || 1
  return way.map((value) => value / length)
}
