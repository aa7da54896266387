// finding: clean-lost
// checkpoint: vaccinated
import { attacks, data, trainer, type Victim } from 'lab'

export async function vaccinate(victim: Victim, epsilon: number): Promise<void> {
  for await (const { x, y, step, steps } of data.batches({ size: 16, images: 1600 })) {
    const now = epsilon * Math.min(1, (step + 1) / (0.3 * steps))
    const adversarial = await attacks.pgd(victim, x, y, {
      epsilon: now,
      steps: 3,
      stepSize: now,
      randomStart: true,
    })
    // Twice the rate, and the same to the end: it never settles.
    await trainer.step(adversarial, y, 0.03)
  }
}
