// finding: plain-sticker
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
  // Hides the letters, and most drivers would not notice. Read as what, though?
  await victim.logits(x)
  return tf.fill([side, side, 3], target > 0 ? 1 : 0)
}
