/**
 * A flat sticker seen on a picture: turned, resized, moved and lit, by bilinear sampling (the transformations of
 * Athalye et al. 2018, arXiv:1707.07397, §3, for a patch as in Brown et al. 2017, arXiv:1712.09665).
 *
 * In plain numbers, made of additions, multiplications and divisions alone, so that the referee, the page and Node
 * see the same picture to the last bit. Pasting is linear in the sticker where nothing saturates, and `pullBack` is
 * its transpose: it takes what a picture's pixels are worth to what the sticker's pixels are worth.
 */
import { PerturbError } from './errors.ts'
import type { Rng } from './rng.ts'

/** How one sticker lies on one picture. */
export interface Placement {
  /** Degrees, clockwise as the picture is drawn. */
  rotation: number
  /** 1 is its own size. */
  scale: number
  /** Pixels from the middle of the picture to the middle of the sticker. */
  right: number
  down: number
  /** Brightness of the sticker against the picture's; what exceeds 1 is cut off, as in a camera. */
  light: number
}

/** What placements are drawn from, evenly: up to so much to either side. */
export interface PlacementRange {
  /** Degrees. */
  rotation: number
  /** As a share: 0.15 is from 0.85 to 1.15. */
  scale: number
  /** Pixels, in each of the two directions. */
  shift: number
  /** As a share. */
  light: number
}

/** The middle of the spot, from the middle of the picture. */
export interface Spot {
  right: number
  down: number
}

export const middle: Spot = { right: 0, down: 0 }

/** The sticker as it is, in the middle of the spot. */
export const straight = (spot: Spot = middle): Placement => ({ rotation: 0, scale: 1, ...spot, light: 1 })

/** Throws PerturbError `bad-input` for a range that is negative, not finite, or shrinks or darkens to nothing. */
export function drawPlacements(
  count: number,
  { rotation, scale, shift, light }: PlacementRange,
  rng: Rng,
  spot: Spot = middle,
): Placement[] {
  for (const [name, value, below] of [
    ['rotation', rotation, 180.5],
    ['scale', scale, 1],
    ['shift', shift, Infinity],
    ['light', light, 1],
  ] as const)
    if (!(value >= 0 && value < below))
      throw new PerturbError(
        'bad-input',
        `placements: ${name} must be at least 0${Number.isFinite(below) ? ` and below ${below}` : ''}; got ${value}`,
      )
  const within = (reach: number) => (2 * rng.uniform() - 1) * reach
  return Array.from({ length: count }, () => ({
    rotation: within(rotation),
    scale: 1 + within(scale),
    right: spot.right + within(shift),
    down: spot.down + within(shift),
    light: 1 + within(light),
  }))
}

/** (height, width, channels), of a picture or a sticker. */
export type PictureShape = readonly [height: number, width: number, channels: number]

/** Which pixels of a picture the sticker covers, and from which of its own each is mixed. */
export interface Warp {
  /** Covered pixels of the picture, by index. */
  pixels: Int32Array
  /** How far each is covered, 0 to 1: at the edge a pixel shows both. */
  cover: Float32Array
  /** Four pixels of the sticker for each, by index, and how much of each. */
  taps: Int32Array
  weights: Float32Array
}

/** Where a sticker lands. Throws PerturbError `bad-input` for a placement that is no placement. */
export function warpOf(sticker: PictureShape, picture: PictureShape, placement: Placement): Warp {
  const { rotation, scale, right, down, light } = placement
  if (!(scale > 0) || !(light >= 0) || ![rotation, scale, right, down, light].every(Number.isFinite))
    throw new PerturbError(
      'bad-input',
      `placement: expected finite numbers, scale above 0 and light from 0; got ${JSON.stringify(placement)}`,
    )
  const [sine, cosine] = sineAndCosine(rotation)
  const [high, wide] = sticker
  const [height, width] = picture
  // Half a diagonal and a pixel: no covered pixel lies farther from the sticker's middle.
  const reach = (scale * Math.sqrt(high * high + wide * wide)) / 2 + scale + 1
  const [middleX, middleY] = [width / 2 + right - 0.5, height / 2 + down - 0.5]
  const rows = between(middleY - reach, middleY + reach, height)
  const columns = between(middleX - reach, middleX + reach, width)
  const most = Math.max(0, rows[1] - rows[0]) * Math.max(0, columns[1] - columns[0])
  const warp: Warp = {
    pixels: new Int32Array(most),
    cover: new Float32Array(most),
    taps: new Int32Array(4 * most),
    weights: new Float32Array(4 * most),
  }
  let count = 0
  for (let row = rows[0]; row < rows[1]; row++) {
    for (let column = columns[0]; column < columns[1]; column++) {
      const [x, y] = [column - middleX, row - middleY]
      const across = (cosine * x + sine * y) / scale + wide / 2 - 0.5
      const along = (cosine * y - sine * x) / scale + high / 2 - 0.5
      const [left, top] = [Math.floor(across), Math.floor(along)]
      const [fromLeft, fromTop] = [across - left, along - top]
      let cover = 0
      for (let tap = 0; tap < 4; tap++) {
        const [u, v] = [left + (tap & 1), top + (tap >> 1)]
        const inside = u >= 0 && u < wide && v >= 0 && v < high
        const weight = inside ? (tap & 1 ? fromLeft : 1 - fromLeft) * (tap >> 1 ? fromTop : 1 - fromTop) : 0
        warp.taps[4 * count + tap] = inside ? v * wide + u : 0
        warp.weights[4 * count + tap] = weight
        cover += weight
      }
      if (cover === 0) continue
      warp.pixels[count] = row * width + column
      warp.cover[count] = cover
      count++
    }
  }
  return {
    pixels: warp.pixels.subarray(0, count),
    cover: warp.cover.subarray(0, count),
    taps: warp.taps.subarray(0, 4 * count),
    weights: warp.weights.subarray(0, 4 * count),
  }
}

/**
 * The pictures with the sticker on each: (N, H, W, C), row-major, as a new array. `placements[i]` belongs to picture
 * i. Throws PerturbError `bad-input` when sizes do not fit.
 */
export function pasteSticker(
  sticker: ArrayLike<number>,
  stickerShape: PictureShape,
  pictures: Float32Array,
  pictureShape: PictureShape,
  placements: readonly Placement[],
): Float32Array {
  check(sticker, stickerShape, pictures, pictureShape, placements)
  const channels = pictureShape[2]
  const size = pictures.length / Math.max(1, placements.length)
  const pasted = Float32Array.from(pictures)
  const lit = new Float32Array(sticker.length)
  placements.forEach((placement, picture) => {
    const { pixels, cover, taps, weights } = warpOf(stickerShape, pictureShape, placement)
    for (let i = 0; i < lit.length; i++) lit[i] = Math.min(1, sticker[i]! * placement.light)
    pixels.forEach((pixel, i) => {
      const at = picture * size + pixel * channels
      for (let channel = 0; channel < channels; channel++) {
        let value = (1 - cover[i]!) * pictures[at + channel]!
        for (let tap = 4 * i; tap < 4 * i + 4; tap++)
          value += weights[tap]! * lit[taps[tap]! * channels + channel]!
        pasted[at + channel] = value
      }
    })
  })
  return pasted
}

/**
 * The transpose of `pasteSticker`: a gradient with respect to the pasted pictures (N, H, W, C) becomes one with
 * respect to the sticker, summed over the pictures. A pixel that the light saturates has none.
 */
export function pullBack(
  gradient: Float32Array,
  pictureShape: PictureShape,
  sticker: ArrayLike<number>,
  stickerShape: PictureShape,
  placements: readonly Placement[],
): Float32Array {
  check(sticker, stickerShape, gradient, pictureShape, placements)
  const channels = pictureShape[2]
  const size = gradient.length / Math.max(1, placements.length)
  const total = new Float32Array(sticker.length)
  const one = new Float32Array(sticker.length)
  placements.forEach((placement, picture) => {
    const { pixels, taps, weights } = warpOf(stickerShape, pictureShape, placement)
    one.fill(0)
    pixels.forEach((pixel, i) => {
      const at = picture * size + pixel * channels
      for (let tap = 4 * i; tap < 4 * i + 4; tap++)
        for (let channel = 0; channel < channels; channel++)
          one[taps[tap]! * channels + channel]! += weights[tap]! * gradient[at + channel]!
    })
    const { light } = placement
    for (let i = 0; i < one.length; i++) if (sticker[i]! * light < 1) total[i]! += light * one[i]!
  })
  return total
}

function check(
  sticker: ArrayLike<number>,
  stickerShape: PictureShape,
  pictures: ArrayLike<number>,
  pictureShape: PictureShape,
  placements: readonly Placement[],
): void {
  const sizeOf = (shape: PictureShape) => shape[0] * shape[1] * shape[2]
  if (stickerShape[2] !== pictureShape[2] || sticker.length !== sizeOf(stickerShape))
    throw new PerturbError(
      'bad-input',
      `sticker: expected (height, width, ${pictureShape[2]}) and its numbers; got shape (${stickerShape.join(', ')}) and ${sticker.length} numbers`,
    )
  if (pictures.length !== placements.length * sizeOf(pictureShape))
    throw new PerturbError(
      'bad-input',
      `sticker: expected one placement a picture of (${pictureShape.join(', ')}); got ${placements.length} placements for ${pictures.length} numbers`,
    )
}

/** Whole numbers from the first at or above `from` to below `to`, inside [0, size). */
const between = (from: number, to: number, size: number): [number, number] => [
  Math.min(size, Math.max(0, Math.ceil(from))),
  Math.max(0, Math.min(size, Math.floor(to) + 1)),
]

/** By its series: Math.sin and Math.cos may differ in their last digit from one engine to the next. */
function sineAndCosine(degrees: number): [number, number] {
  const turned = degrees - 360 * Math.round(degrees / 360)
  const angle = (turned * Math.PI) / 180
  const square = angle * angle
  let [sine, cosine] = [1, 1]
  // |angle| ≤ π: the terms after these are below 1e-17.
  for (let i = 30; i >= 2; i -= 2) {
    cosine = 1 - (square / (i * (i - 1))) * cosine
    sine = 1 - (square / (i * (i + 1))) * sine
  }
  return [angle * sine, cosine]
}
