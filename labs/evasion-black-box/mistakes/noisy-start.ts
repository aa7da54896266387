// finding: no-direction
// checkpoint: yes-or-no
type Face = Float32Array

export type Ask = (faces: Face[]) => Promise<boolean[]>

/** Off the straight line by chance: noise on the far face, and the way back from there. */
export async function toBorder(ask: Ask, face: Face, far: Face): Promise<Face> {
  const noisy = far.map((value) => Math.min(1, Math.max(0, value + 0.1 * (2 * Math.random() - 1))))
  let [low, high] = [0, 1]
  let kept = (await ask([noisy]))[0] ? noisy : far
  const end = kept
  while (high - low > 3e-4) {
    const middle = (low + high) / 2
    const point = face.map((value, i) => value + middle * (end[i]! - value))
    if ((await ask([point]))[0]) [kept, high] = [point, middle]
    else low = middle
  }
  return kept
}

/** Nowhere: the noise is to find the way by itself. */
export async function direction(_: Ask, at: Face): Promise<Face> {
  return at.map(() => 0)
}
