// finding: one-step-only
// checkpoint: vaccinated
import { attacks, data, trainer, type Victim } from 'lab'

export async function vaccinate(victim: Victim, epsilon: number): Promise<void> {
  for await (const { x, y, step, steps } of data.batches({ size: 16, images: 2000 })) {
    const now = epsilon * Math.min(1, (step + 1) / (0.3 * steps))
    // One gradient a batch, from the digit itself.
    const adversarial = await attacks.fgsm(victim, x, y, { epsilon: now })
    await trainer.step(adversarial, y, 0.015 * (1 - step / steps))
  }
}
