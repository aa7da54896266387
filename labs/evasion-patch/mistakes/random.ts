// finding: untrained
// checkpoint: sticker
import { tf, type PlacementRange, type Tensor, type Victim } from 'lab'

export interface Place {
  side: number
  range: PlacementRange
  spot: { right: number; down: number }
}

export async function makeSticker(
  victim: Victim,
  x: Tensor,
  target: number,
  { side }: Place,
): Promise<Tensor> {
  await victim.logits(x)
  // Colourful, and trained for nothing.
  return tf.add(tf.randomUniform([side, side, 3]), 0 * target)
}
