// finding: one-step-only
// checkpoint: vaccinated
import { data, tf, trainer, type Victim } from 'lab'

export async function vaccinate(victim: Victim, epsilon: number): Promise<void> {
  for await (const { x, y, step, steps } of data.batches({ size: 16, images: 4000 })) {
    const ramp = Math.min(1, step / (0.3 * steps))
    // The step of 1.25 ε that fast training takes, without its random start: the training learns this one step.
    const { gradient } = await victim.lossAndGradient(x, y)
    const adversarial = tf.clipByValue(tf.add(x, tf.mul(tf.sign(gradient), ramp * 1.25 * epsilon)), 0, 1)
    await trainer.step(adversarial, y, 0.015 * (1 - step / steps))
  }
}
