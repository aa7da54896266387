// finding: no-direction
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

export const toBorder = async (ask: Ask, face: Face, far: Face) => (await border(ask, face, far, 3e-4)).yes

/** A random way: one of them will be right. */
export async function direction(ask: Ask, at: Face, _: number, probes: number): Promise<Face> {
  for (let asked = 0; asked < probes; asked += 50)
    await ask(Array.from({ length: Math.min(50, probes - asked) }, () => at))
  const step = at.map(() => 2 * Math.random() - 1)
  const length = Math.sqrt(step.reduce((sum, value) => sum + value * value, 0))
  return step.map((value) => value / length)
}
