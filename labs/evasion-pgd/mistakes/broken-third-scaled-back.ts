// finding: grey-levels
// checkpoint: repaired-attacks
// Divided by 255 at the end: the range is right again, and a step of epsilon grey levels is next to nothing.
import { tf, type Tensor, type Victim } from 'lab'

const steps = 20

/** Report one: 20 steps, projected and clipped. "99 % of the digits withstand it." */
export async function first(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const stepSize = epsilon / 8
  let adversarial = x
  for (let i = 0; i < steps; i++) {
    const { loss, gradient } = await victim.lossAndGradient(adversarial, y)
    await trace('first', i, loss, adversarial, x)
    const moved = tf.add(adversarial, tf.mul(tf.sign(gradient), stepSize))
    const change = tf.clipByValue(tf.sub(moved, x), -epsilon, epsilon)
    adversarial = tf.clipByValue(tf.add(x, change), 0, 1)
  }
  return adversarial
}

/** Report two: 20 steps of an eighth of epsilon. "Not one digit withstands it." */
export async function second(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const stepSize = epsilon / 8
  let adversarial = x
  for (let i = 0; i < steps; i++) {
    const { loss, gradient } = await victim.lossAndGradient(adversarial, y)
    await trace('second', i, loss, adversarial, x)
    const moved = tf.add(adversarial, tf.mul(tf.sign(gradient), stepSize))
    const change = tf.clipByValue(tf.sub(moved, x), -epsilon, epsilon)
    adversarial = tf.clipByValue(tf.add(x, change), 0, 1)
  }
  return adversarial
}

/** Report three: its loader hands out bytes. "Every digit withstands it." */
export async function third(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  const original = tf.mul(x, 255)
  const stepSize = epsilon / 8
  let adversarial = original
  for (let i = 0; i < steps; i++) {
    const { loss, gradient } = await victim.lossAndGradient(adversarial, y)
    await trace('third', i, loss, adversarial, original)
    const moved = tf.add(adversarial, tf.mul(tf.sign(gradient), stepSize))
    const change = tf.clipByValue(tf.sub(moved, original), -epsilon, epsilon)
    adversarial = tf.clipByValue(tf.add(original, change), 0, 255)
  }
  return tf.div(adversarial, 255)
}

/** What a careful attacker prints: the loss, how far the farthest pixel is, and between what the pixels lie. */
async function trace(name: string, step: number, loss: Tensor, at: Tensor, from: Tensor): Promise<void> {
  if (step % 5 !== 0 && step !== steps - 1) return
  const figures = [tf.mean(loss), tf.max(tf.abs(tf.sub(at, from))), tf.min(at), tf.max(at)]
  const [mean, farthest, lowest, highest] = (await tf.stack(figures).array()) as number[]
  const short = (value: number | undefined) => Number((value ?? 0).toPrecision(3))
  console.log(
    `${name}, step ${step}: loss ${short(mean)}, farthest pixel ${short(farthest)}, pixels ${short(lowest)} to ${short(highest)}`,
  )
}
