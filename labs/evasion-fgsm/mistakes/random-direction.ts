// finding: random-direction
// checkpoint: fooled
import { tf, type Tensor, type Victim } from 'lab'

export async function fgsm(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  await victim.lossAndGradient(x, y)
  // Noise of the same size, without a direction.
  const noise = tf.sign(tf.randomUniform(x.shape, -1, 1))
  return tf.clipByValue(tf.add(x, tf.mul(noise, epsilon)), 0, 1)
}
