// finding: half-vaccinated
// checkpoint: vaccinated
import { attacks, data, trainer, type Victim } from 'lab'

export async function vaccinate(victim: Victim, epsilon: number): Promise<void> {
  for await (const { x, y, step, steps } of data.batches({ size: 16, images: 2000 })) {
    const now = epsilon * Math.min(1, (step + 1) / (0.3 * steps))
    const adversarial = await attacks.pgd(victim, x, y, {
      epsilon: now,
      steps: 3,
      stepSize: now,
      randomStart: true,
    })
    // A third of the batches it takes.
    await trainer.step(adversarial, y, 0.015 * (1 - step / steps))
  }
}
