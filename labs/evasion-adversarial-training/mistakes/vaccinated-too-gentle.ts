// finding: unvaccinated
// checkpoint: vaccinated
import { attacks, data, trainer, type Victim } from 'lab'

export async function vaccinate(victim: Victim, epsilon: number): Promise<void> {
  for await (const { x, y, step, steps } of data.batches({ size: 16, images: 640 })) {
    // ε in the wrong place: divided by 10.
    const weak = epsilon / 10
    const adversarial = await attacks.pgd(victim, x, y, {
      epsilon: weak,
      steps: 3,
      stepSize: weak,
      randomStart: true,
    })
    await trainer.step(adversarial, y, 0.015 * (1 - step / steps))
  }
}
