// finding: grey-levels
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
  // Grey levels of a file, not the [0, 1] that the model reads.
  return tf.round(tf.randomUniform([side, side, 3], 0, target > 0 ? 255 : 0))
}
