import { data, trainer, type Victim } from 'lab'
import { worstCase } from './worst-case'

/** Adversarial training (Madry et al. 2018, eq. 2.1): the outer minimum over the inner maximum, batch by batch. */
export async function vaccinate(victim: Victim, epsilon: number): Promise<void> {
  for await (const { x, y, step, steps } of data.batches({ size: 16, images: 5600 })) {
    const progress = step / steps
    // Both begin small: ε grows to its full size, the rate to its peak and down again.
    const ramp = Math.min(1, progress / 0.3)
    const rate = 0.015 * Math.min(ramp, (1 - progress) / 0.7) + 0.0005

    const adversarial = await worstCase(victim, x, y, ramp * epsilon)
    const loss = await trainer.step(adversarial, y, rate)

    if (step % 50 === 0)
      console.log(`step ${step}: ε ${(ramp * epsilon).toFixed(3)}, loss ${loss.toFixed(2)}`)
  }
}
