import { stickers, tf, type Tensor, type Victim } from 'lab'
import { makeSticker, type Place } from './sticker'

/**
 * A sticker for the repaired model. It may be larger than the squares that the repair was trained against.
 *
 * @param victim your repaired model
 * @param place where it will hang; `place.side` is the new size
 * @returns the sticker, (side, side, 3), every pixel in [0, 1]
 */
export async function again(victim: Victim, x: Tensor, target: number, place: Place): Promise<Tensor> {
  const pictures = x.shape[0]!
  const grey = tf.fill([place.side, place.side, 3], 0.5)
  const pasted = await stickers.paste(grey, x, stickers.draw(pictures, place.range, place.spot))
  const { loss } = await victim.lossAndGradient(pasted, new Array(pictures).fill(target))
  const [mean = 0] = await tf.mean(loss).data()
  console.log(`grey, ${place.side} × ${place.side}: the mean loss for the target is ${mean.toFixed(2)}`)

  // Yours: you have a function that paints stickers. What does it not know about this model?
  throw new Error(
    `again is not written yet. A grey sticker of ${place.side} × ${place.side} leaves the loss for the target at ${mean.toFixed(2)}. First try: paint a new one with ${makeSticker.name}, against this victim and in this size.`,
  )
}
