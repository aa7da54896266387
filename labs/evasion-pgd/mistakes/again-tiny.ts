// finding: tiny-step
// checkpoint: honest-number
import { attacks, type Tensor, type Victim } from 'lab'

export async function again(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  // Forty steps, none of them long enough.
  return attacks.pgd(victim, x, y, { epsilon, steps: 40, stepSize: epsilon / 200 })
}
