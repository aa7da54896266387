// finding: stuck
// checkpoint: vaccinated
import { attacks, data, trainer, type Victim } from 'lab'

export async function vaccinate(victim: Victim, epsilon: number): Promise<void> {
  for await (const { x, y } of data.batches({ size: 16, images: 320 })) {
    // At once with the full ε, and with steps twenty times too long.
    const adversarial = await attacks.fgsm(victim, x, y, { epsilon })
    await trainer.step(adversarial, y, 0.3)
  }
}
