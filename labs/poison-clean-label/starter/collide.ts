import { tf, type Features, type Tensor } from 'lab'

/**
 * Makes poison: pictures that look like what they are, and that the model takes for the target.
 * @param features what the victim's last layer reads of a picture
 * @param bases your pictures, (N, 32, 32, 3), every value in [0, 1]
 * @param target the one picture that is to be misread, (1, 32, 32, 3)
 * @param epsilon how far a value may move
 * @returns the changed pictures, in the order of `bases`
 */
export async function collide(
  features: Features,
  bases: Tensor,
  target: Tensor,
  epsilon: number,
): Promise<Tensor> {
  const wanted = await features.of(target)
  const there = await features.of(bases)
  const distance = await tf.norm(tf.sub(there, wanted), 2, 1).data()
  console.log(
    `A picture is ${features.size} numbers to the last layer; your first one lies ${distance[0]!.toFixed(1)} from the target, and may change by ${epsilon}`,
  )
  throw new Error(
    'collide is not written yet: begin with one step down the gradient of that distance, features.vjp(x, there − wanted)',
  )
}
