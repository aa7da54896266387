// finding: straight-line
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

/** Straight away from where it stands: nothing to walk along. */
export async function direction(_: Ask, at: Face): Promise<Face> {
  return at.map(() => 0)
}
