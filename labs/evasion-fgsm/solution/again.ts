import { progress, tf, type Tensor, type Victim } from 'lab'
import { fgsm } from './fgsm'

const steps = 20

/** The basic iterative method: FGSM again and again, pulled back into the budget (Kurakin et al. 2017, §2.2). */
export async function again(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  let adversarial = x
  for (let i = 0; i < steps; i++) {
    const next = await fgsm(victim, adversarial, y, epsilon / 8)
    const change = tf.clipByValue(tf.sub(next, x), -epsilon, epsilon)
    adversarial = tf.add(x, change)
    progress(i + 1, steps)
  }
  return adversarial
}
