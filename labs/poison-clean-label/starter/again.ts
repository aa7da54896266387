import { progress, tf, type Features, type Tensor } from 'lab'

/** Other people's pictures, as the model sees them. */
export interface Others {
  /** The label of each. */
  y: number[]
  /** Their features, (N, features.size). */
  features: Tensor
}

/**
 * Makes poison for a map maker who runs deep k-NN before every training: a picture is dropped when among its fifteen
 * nearest in the features another label is commoner than its own.
 */
export async function collideAgain(
  features: Features,
  bases: Tensor,
  target: Tensor,
  epsilon: number,
  others: Others,
): Promise<Tensor> {
  // What was done before you: half of the pictures, all the way.
  const half = tf.slice(bases, 0, bases.shape[0]! / 2)
  const wanted = await features.of(target)
  const low = tf.maximum(tf.sub(half, epsilon), 0)
  const high = tf.minimum(tf.add(half, epsilon), 1)
  let x = half
  for (let step = 0; step < 20; step++) {
    const gradient = await features.vjp(x, tf.sub(await features.of(x), wanted))
    const rate = 0.1 * epsilon * (1 - step / 20)
    x = tf.minimum(tf.maximum(tf.sub(x, tf.mul(rate, tf.sign(gradient))), low), high)
    progress(step + 1, 20)
  }
  const first = tf.slice(await features.of(x), 0, 1)
  const away = await tf.norm(tf.sub(others.features, first), 2, 1).data()
  const nearest = others.y.map((_, i) => i).sort((a, b) => away[a]! - away[b]!)
  const labels = nearest.slice(0, 10).map((i) => others.y[i])
  console.log(
    `The first poison's ten nearest among other people's pictures are labelled ${labels.join(', ')}`,
  )
  throw new Error(
    'collideAgain is not written yet: of the fifteen neighbours of one of your six, five at most are yours. How many would have to be?',
  )
}
