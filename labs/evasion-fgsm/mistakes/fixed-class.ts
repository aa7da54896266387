// finding: fixed-class
// checkpoint: fooled
import { tf, type Tensor, type Victim } from 'lab'

export async function fgsm(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  // The loss of class 0 for every image, whatever it shows.
  const { gradient } = await victim.lossAndGradient(
    x,
    y.map(() => 0),
  )
  return tf.clipByValue(tf.add(x, tf.mul(tf.sign(gradient), epsilon)), 0, 1)
}
