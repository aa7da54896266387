import { progress, stickers, tf, type PlacementRange, type Tensor, type Victim } from 'lab'

export interface Place {
  side: number
  range: PlacementRange
  spot: { right: number; down: number }
}

const steps = 60

/** Expectation over transformations (Athalye et al. 2018, §2.1) for a patch (Brown et al. 2017, §2). */
export async function makeSticker(
  victim: Victim,
  x: Tensor,
  target: number,
  { side, range, spot }: Place,
): Promise<Tensor> {
  const pictures = x.shape[0]!
  const targets: number[] = new Array(pictures).fill(target)
  let sticker = tf.fill([side, side, 3], 0.5)
  for (let step = 0; step < steps; step++) {
    // Other placements at every step: their mean is the expectation.
    const placements = stickers.draw(pictures, range, spot)
    const pasted = await stickers.paste(sticker, x, placements)
    const { loss, gradient } = await victim.lossAndGradient(pasted, targets)
    const slope = await stickers.pullBack(gradient, sticker, placements)
    // Long steps first, short ones to settle.
    const length = 0.2 * (1 - step / steps)
    const next = tf.tidy(() => tf.clipByValue(tf.sub(sticker, tf.mul(length, tf.sign(slope))), 0, 1))
    tf.dispose([sticker, pasted, loss, gradient, slope])
    sticker = next
    progress(step + 1, steps)
  }
  return sticker
}
