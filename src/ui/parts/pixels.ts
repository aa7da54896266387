import type { Ramp } from '../theme/palette.svelte.ts'

/** How numbers become colours: through a ramp, or as red, green and blue themselves. */
export interface PixelView {
  width: number
  height: number
  channels: number
  /** Multiplies the values first; printed beside the picture. */
  gain: number
  /** −1..1 around zero instead of 0..1. */
  signed: boolean
  ramp: Ramp | undefined
}

/** Paints values (height × width × channels, row-major) into RGBA bytes. Not finite reads as zero. */
export function paint(values: ArrayLike<number>, view: PixelView): Uint8ClampedArray<ArrayBuffer> {
  const { width, height, channels, gain, signed, ramp } = view
  const out = new Uint8ClampedArray(width * height * 4)
  const at = (i: number) => {
    const value = (values[i] ?? 0) * gain
    return Number.isFinite(value) ? value : 0
  }
  for (let i = 0; i < width * height; i++) {
    const colour = ramp
      ? ramp(signed ? 0.5 + at(i * channels) / 2 : at(i * channels))
      : [0, 1, 2].map((k) => at(i * channels + Math.min(k, channels - 1)) * 255)
    out.set([colour[0]!, colour[1]!, colour[2]!, 255], i * 4)
  }
  return out
}

/** The printed gain for a change of at most `epsilon` a pixel: a whole number from 1 to 10. */
export const gainFor = (epsilon: number) => Math.max(1, Math.min(10, Math.round(1 / (epsilon || 0.1))))
