// finding: plain-sticker
// checkpoint: again
import { tf, type PlacementRange, type Tensor, type Victim } from 'lab'

interface Place {
  side: number
  range: PlacementRange
  spot: { right: number; down: number }
}

export async function again(victim: Victim, x: Tensor, target: number, { side }: Place): Promise<Tensor> {
  // The lazy answer, only larger.
  await victim.logits(x)
  return tf.fill([side, side, 3], target > 0 ? 1 : 0)
}
