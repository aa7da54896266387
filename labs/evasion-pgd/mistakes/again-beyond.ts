// finding: epsilon-exceeded
// checkpoint: honest-number
import { attacks, type Tensor, type Victim } from 'lab'

export async function again(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  // Robust accuracy falls with epsilon too. That is another question.
  return attacks.pgd(victim, x, y, { epsilon: 1.5 * epsilon, steps: 20, stepSize: epsilon / 8 })
}
