import { stickers, tf, type PlacementRange, type Tensor, type Victim } from 'lab'

/** Where the sticker will hang, and what you do not know about how it will be seen. */
export interface Place {
  /** Height and width of the sticker in pixels. */
  side: number
  /** Turned, nearer or farther, moved and lit by up to so much. */
  range: PlacementRange
  /** The middle of its spot, from the middle of the picture. */
  spot: { right: number; down: number }
}

/**
 * One sticker for every photograph: whoever sees the sign with it reads something else.
 *
 * @param victim the model in the car
 * @param x photographs of the sign, (N, 32, 32, 3), every pixel in [0, 1]
 * @param target the class that they shall be read as
 * @param place where the sticker will hang, and how it may be seen
 * @returns the sticker, (side, side, 3), every pixel in [0, 1]
 */
export async function makeSticker(
  victim: Victim,
  x: Tensor,
  target: number,
  { side, range, spot }: Place,
): Promise<Tensor> {
  const pictures = x.shape[0]!
  const sticker = tf.fill([side, side, 3], 0.5)

  // A grey sticker, stuck on each photograph in a way of its own.
  const placements = stickers.draw(pictures, range, spot)
  const pasted = await stickers.paste(sticker, x, placements)
  const { loss } = await victim.lossAndGradient(pasted, new Array(pictures).fill(target))
  const [mean = 0] = await tf.mean(loss).data()
  console.log(`grey: the mean loss for the target is ${mean.toFixed(2)}`)

  // Yours: repaint it so that this loss falls, however it is seen.
  throw new Error(
    `makeSticker is not written yet. A grey sticker leaves the loss for the target at ${mean.toFixed(2)}. First try: ask for the gradient too, and give it to stickers.pullBack to learn which way each pixel of the sticker should go.`,
  )
}
