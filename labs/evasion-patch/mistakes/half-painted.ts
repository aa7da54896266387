// finding: below-bar
// checkpoint: sticker
import { stickers, tf, type PlacementRange, type Tensor, type Victim } from 'lab'

export interface Place {
  side: number
  range: PlacementRange
  spot: { right: number; down: number }
}

const steps = 6

export async function makeSticker(
  victim: Victim,
  x: Tensor,
  target: number,
  { side, range, spot }: Place,
): Promise<Tensor> {
  const pictures = x.shape[0]!
  const labels: number[] = new Array(pictures).fill(target)
  let sticker = tf.fill([side, side, 3], 0.5)
  for (let step = 0; step < steps; step++) {
    const placements = stickers.draw(pictures, range, spot)
    const pasted = await stickers.paste(sticker, x, placements)
    const { gradient } = await victim.lossAndGradient(pasted, labels)
    const slope = await stickers.pullBack(gradient, sticker, placements)
    // The way is right, and it ends in the middle.
    sticker = tf.clipByValue(tf.sub(sticker, tf.mul(0.04, tf.sign(slope))), 0, 1)
  }
  return sticker
}
