import { attacks, type Tensor, type WhiteBox } from 'lab'

/** Ten steps that keep some of their direction (Dong et al. 2018), on the copy. The victim is never asked. */
export async function craft(copy: WhiteBox, x: Tensor, y: number[], epsilon: number): Promise<Tensor> {
  return attacks['mi-fgsm']!(copy, x, y, { epsilon, steps: 10 })
}
