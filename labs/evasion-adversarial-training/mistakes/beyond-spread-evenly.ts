// finding: inside-the-promise
// checkpoint: beyond
import { attacks, type Tensor, type Victim } from 'lab'

export async function beyond(victim: Victim, x: Tensor, y: number[], length: number): Promise<Tensor> {
  // Every pixel by the same small amount: what the reader was vaccinated against.
  const epsilon = length / 28
  return attacks.pgd(victim, x, y, { epsilon, steps: 10, stepSize: epsilon / 4 })
}
