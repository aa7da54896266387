// finding: blames-a-class
// checkpoint: caught
import { tf, victim, type Tensor } from 'lab'

/** Whatever is read as the class that comes most often. */
export async function alarm(x: Tensor): Promise<boolean[]> {
  const read = [...(await tf.argMax(await victim.logits(x), 1).data())]
  const count = (label: number) => read.filter((other) => other === label).length
  const most = [...new Set(read)].sort((a, b) => count(b) - count(a))[0]
  return read.map((label) => label === most)
}
