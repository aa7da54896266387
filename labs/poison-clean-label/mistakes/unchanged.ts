// finding: nothing-changed
// checkpoint: collided
import { type Features, type Tensor } from 'lab'

/** Hands in the pictures as they are. */
export async function collide(
  features: Features,
  bases: Tensor,
  target: Tensor,
  epsilon: number,
): Promise<Tensor> {
  await features.of(target)
  console.log(`no value moved by ${epsilon}`)
  return bases
}
