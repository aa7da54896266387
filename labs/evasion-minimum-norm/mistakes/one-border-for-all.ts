// finding: longer-than-needed
// checkpoint: nearest
import { progress, tf, type Tensor, type Victim } from 'lab'

const steps = 60

/** Small steps towards the next digit, for each of them, until it is misread: nobody asked which border is nearest. */
export async function deepfool(victim: Victim, x: Tensor, y: number[]): Promise<Tensor> {
  const each = [y.length, 1, 1, 1]
  const other = y.map((digit) => (digit + 1) % victim.numClasses)
  let adversarial = tf.clone(x)
  for (let step = 0; step < steps; step++) {
    const read = await tf.argMax(await victim.logits(adversarial), 1).data()
    const walking = y.map((digit, i) => (read[i] === digit ? 1 : 0))
    if (!walking.includes(1)) break
    const { gradient } = await victim.lossAndGradient(adversarial, other)
    const length = tf.sqrt(tf.sum(tf.square(gradient), [1, 2, 3], true))
    const move = tf.mul(tf.div(gradient, tf.add(length, 1e-12)), tf.reshape(tf.tensor(walking), each))
    adversarial = tf.clipByValue(tf.sub(adversarial, tf.mul(move, 0.1)), 0, 1)
    progress(step + 1, steps)
  }
  return adversarial
}
