// finding: quick-test
// checkpoint: honest-number
import { attacks, type Tensor, type Victim } from 'lab'

export async function again(victim: Victim, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  // The test of the defender again, with a name that sounds like more.
  return attacks.pgd(victim, x, y, { epsilon, steps: 3, stepSize: epsilon / 2 })
}
