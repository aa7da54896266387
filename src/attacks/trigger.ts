/**
 * Backdoor triggers as data: what is put on an image, and where. The same description is painted in the page,
 * planted in training rows, stamped on test images by a referee, and written into a change list.
 *
 * - patch: a few pixels in one place. Gu, Dolan-Gavitt, Garg 2017, "BadNets", §3.1, arXiv:1708.06733.
 * - blend: a faint picture over all of it, (1 − opacity)·x + opacity·pattern. Chen et al. 2017, "Targeted
 *   Backdoor Attacks on Deep Learning Systems Using Data Poisoning", §4.2.1, arXiv:1712.05526.
 * - wave: amplitude·sin(2π·j·frequency / width), added to every row. Barni, Kallas, Tondi 2019, "A New
 *   Backdoor Attack in CNNs by Training Set Corruption Without Label Poisoning", §3.2, arXiv:1902.11237.
 *
 * All end inside [0, 1]; differs from Barni et al.: frequency counts whole or broken waves over the image,
 * and waves may run down it.
 */
import { PerturbError } from '../core/errors.ts'
import { sinTurns } from '../core/portable-math.ts'

export type Trigger =
  | {
      readonly kind: 'patch'
      /** Pixels from the upper edge and from the left one to the patch's first pixel. */
      readonly top: number
      readonly left: number
      readonly height: number
      readonly width: number
      /** height × width × channels numbers in [0, 1], row-major. */
      readonly pixels: ArrayLike<number>
      /**
       * How much of the image the patch covers up: 1 all of it, 0 nothing; one number, or one for each of the
       * patch's pixels.
       */
      readonly opacity: number | ArrayLike<number>
    }
  | {
      readonly kind: 'blend'
      /** A whole image, of the shape of those it is blended into. */
      readonly pixels: ArrayLike<number>
      readonly opacity: number
    }
  | {
      readonly kind: 'wave'
      /** Highest change of a pixel. */
      readonly amplitude: number
      /** Waves over the image's width (or height). */
      readonly frequency: number
      readonly along: 'width' | 'height'
    }

/**
 * The image with the trigger on it, as a new array; `pixels` is untouched. shape: [height, width, channels].
 * Throws `bad-input` as `checkTrigger` does.
 */
export function applyTrigger(
  pixels: ArrayLike<number>,
  shape: readonly number[],
  trigger: Trigger,
): Float32Array {
  checkTrigger('applyTrigger', trigger, shape)
  const result = Float32Array.from(pixels)
  stamp(result, shape, trigger)
  return result
}

/** The same, in place and unchecked: for many images of one shape, after one `checkTrigger`. */
export function stamp(pixels: Float32Array, shape: readonly number[], trigger: Trigger): void {
  const [height, width, channels] = shape as [number, number, number]
  switch (trigger.kind) {
    case 'patch':
      for (let i = 0; i < trigger.height; i++)
        for (let j = 0; j < trigger.width; j++) {
          const from = i * trigger.width + j
          const opacity = typeof trigger.opacity === 'number' ? trigger.opacity : trigger.opacity[from]!
          const to = ((trigger.top + i) * width + trigger.left + j) * channels
          for (let c = 0; c < channels; c++)
            pixels[to + c] = mix(pixels[to + c]!, trigger.pixels[from * channels + c]!, opacity)
        }
      return
    case 'blend':
      for (let k = 0; k < pixels.length; k++) pixels[k] = mix(pixels[k]!, trigger.pixels[k]!, trigger.opacity)
      return
    case 'wave': {
      const length = trigger.along === 'width' ? width : height
      const wave = waveOver(trigger.frequency, length)
      for (let i = 0; i < height; i++)
        for (let j = 0; j < width; j++)
          for (let c = 0; c < channels; c++) {
            const k = (i * width + j) * channels + c
            pixels[k] = clip(pixels[k]! + trigger.amplitude * wave[trigger.along === 'width' ? j : i]!)
          }
    }
  }
}

/** The wave at its full height of 1, over so many pixels. */
const waveOver = (frequency: number, length: number): Float64Array =>
  Float64Array.from({ length }, (_, j) => sinTurns((j * frequency) / length))

const clip = (value: number) => Math.max(0, Math.min(1, value))

const mix = (below: number, above: number, opacity: number) => (1 - opacity) * below + opacity * above

/**
 * Throws `bad-input`, in the name of `who`, when the images have no pixels to put it on, when a patch is
 * empty, larger than the image or hangs over its edge, when a number of it is not finite or outside [0, 1],
 * and when a wave is 0 at every pixel, however high.
 */
export function checkTrigger(who: string, trigger: Trigger, shape: readonly number[]): void {
  const fail = (what: string) => new PerturbError('bad-input', `${who}: ${what}`)
  if (shape.length !== 3)
    throw fail(`a trigger needs images of shape [height, width, channels]; got [${shape.join(', ')}]`)
  const [height, width, channels] = shape as [number, number, number]
  const share = (name: string, value: number) => {
    if (!(value >= 0 && value <= 1)) throw fail(`the trigger's ${name} must lie in [0, 1]; got ${value}`)
  }
  switch (trigger.kind) {
    case 'patch': {
      const { top, left } = trigger
      for (const name of ['height', 'width'] as const)
        if (!(Number.isInteger(trigger[name]) && trigger[name] >= 1))
          throw fail(`the trigger's ${name} must be a whole number of at least 1; got ${trigger[name]}`)
      if (trigger.height > height || trigger.width > width)
        throw fail(
          `the trigger is ${trigger.height} × ${trigger.width} pixels, larger than the image of ${height} × ${width}; make it smaller`,
        )
      if (
        !(Number.isInteger(top) && Number.isInteger(left) && top >= 0 && left >= 0) ||
        top + trigger.height > height ||
        left + trigger.width > width
      )
        throw fail(
          `a trigger of ${trigger.height} × ${trigger.width} must lie inside the image of ${height} × ${width}; it begins at row ${top}, column ${left}`,
        )
      const area = trigger.height * trigger.width
      if (trigger.pixels.length !== area * channels)
        throw fail(
          `a patch of ${trigger.height} × ${trigger.width} with ${channels} channels needs ${area * channels} numbers; got ${trigger.pixels.length}`,
        )
      for (let k = 0; k < trigger.pixels.length; k++) share('pixels', trigger.pixels[k]!)
      if (typeof trigger.opacity === 'number') return share('opacity', trigger.opacity)
      if (trigger.opacity.length !== area)
        throw fail(`the trigger's opacity must be one number or ${area}; got ${trigger.opacity.length}`)
      for (let k = 0; k < area; k++) share('opacity', trigger.opacity[k]!)
      return
    }
    case 'blend':
      if (trigger.pixels.length !== height * width * channels)
        throw fail(
          `a blended picture needs ${height * width * channels} numbers, as many as the image; got ${trigger.pixels.length}`,
        )
      for (let k = 0; k < trigger.pixels.length; k++) share('pixels', trigger.pixels[k]!)
      return share('opacity', trigger.opacity)
    case 'wave':
      share('amplitude', trigger.amplitude)
      if (!Number.isFinite(trigger.frequency))
        throw fail(`the trigger's frequency must be a finite number; got ${trigger.frequency}`)
      {
        const length = trigger.along === 'width' ? width : height
        if (waveOver(trigger.frequency, length).every((value) => value === 0))
          throw fail(
            `a wave of frequency ${trigger.frequency} is 0 at each of ${length} pixels; take one that is no multiple of ${length / 2}`,
          )
      }
  }
}
