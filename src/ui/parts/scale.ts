import type { NumberParameter } from '../../attacks/attack.ts'

/** What a slider needs to know of a knob. Every NumberParameter of an attack fits. */
export type Scale = Pick<NumberParameter, 'min' | 'max' | 'step' | 'scale'>

/** Slider positions are whole steps for a linear scale and thousandths of the way for a logarithmic one. */
const logSteps = 1000

export function positions(scale: Scale): number {
  return scale.scale === 'log' ? logSteps : Math.round((scale.max - scale.min) / scale.step)
}

/** The value at a slider position, rounded to the knob's own step. */
export function valueAt(scale: Scale, position: number): number {
  const raw =
    scale.scale === 'log'
      ? scale.min * Math.pow(scale.max / scale.min, position / logSteps)
      : scale.min + position * scale.step
  return clampToStep(scale, raw)
}

export function positionOf(scale: Scale, value: number): number {
  const inside = Math.min(scale.max, Math.max(scale.min, value))
  return scale.scale === 'log'
    ? Math.round((Math.log(inside / scale.min) / Math.log(scale.max / scale.min)) * logSteps)
    : Math.round((inside - scale.min) / scale.step)
}

/** Where a value lies along the track, 0..1. */
export const shareOf = (scale: Scale, value: number) => positionOf(scale, value) / positions(scale)

/** The nearest step inside the range, without the dust of binary fractions. */
export function clampToStep(scale: Scale, value: number): number {
  const inside = Math.min(scale.max, Math.max(scale.min, value))
  const stepped = scale.min + Math.round((inside - scale.min) / scale.step) * scale.step
  return Number(Math.min(scale.max, stepped).toFixed(decimals(scale.step)))
}

/** Digits after the point that a step needs: 0.005 → 3. */
export function decimals(step: number): number {
  const text = step.toString()
  const exponent = /e-(\d+)$/.exec(text)
  if (exponent) return Number(exponent[1])
  return text.includes('.') ? text.length - text.indexOf('.') - 1 : 0
}

/** Numbers under a track: spread evenly, or, when `at` is there, at these shares of the way. */
export interface Ruler {
  divisions: number
  numbers: string[]
  at?: number[]
}

/** Ruler of a scale: a round division that gives four to eight numbers. */
export function ruler(scale: Scale, most = 8): Ruler {
  if (scale.scale === 'log') return decadeRuler(scale, most)
  const span = scale.max - scale.min
  const round = [1, 2, 2.5, 5]
  for (let power = Math.floor(Math.log10(span)) - 2; ; power++) {
    for (const factor of round) {
      const unit = factor * Math.pow(10, power)
      const count = span / unit
      if (!isWhole(unit / scale.step) || count > most || !isWhole(count)) continue
      const digits = Math.max(0, -power + (factor === 2.5 ? 1 : 0))
      const numbers = Array.from({ length: Math.round(count) + 1 }, (_, i) =>
        i === 0 && scale.min === 0 ? '0' : (scale.min + i * unit).toFixed(digits),
      )
      return { divisions: Math.round(count), numbers }
    }
    if (power > Math.log10(span)) return roundRuler(scale, most)
  }
}

const isWhole = (value: number) => value > 0.5 && Math.abs(value - Math.round(value)) < 1e-6

/** The ends of a logarithmic scale, and between them powers of ten, or 1, 2, 5, 10 … where they are fewer than two. */
function decadeRuler(scale: Scale, most: number): Ruler {
  const { min, max } = scale
  const share = (value: number) => Math.log(value / min) / Math.log(max / min)
  const first = Math.ceil(Math.log10(min) - 1e-9)
  const last = Math.floor(Math.log10(max) + 1e-9)
  /** So far apart that two numbers do not touch. */
  const apart = 0.9 / most
  const between = (values: readonly number[]) =>
    values
      .map((value) => Number(value.toPrecision(2)))
      .filter((value) => share(value) > apart && share(value) < 1 - apart)
  const everyNth = (nth: number) =>
    between(
      Array.from({ length: Math.max(0, last - first) + 1 }, (_, i) => first + i)
        .filter((power) => (power - first) % nth === 0)
        .map((power) => Math.pow(10, power)),
    )
  const decade = Math.log(10) / Math.log(max / min)
  let inner = everyNth(Math.max(1, Math.ceil(apart / decade)))
  if (inner.length === 0 || (inner.length === 1 && decade > 3 * apart)) {
    inner = []
    for (let power = first - 1; power <= last; power++)
      for (const value of between([1, 2, 5].map((factor) => factor * Math.pow(10, power))))
        if (inner.length === 0 || share(value) - share(inner.at(-1)!) > apart) inner.push(value)
  }
  const values = [min, ...inner, max]
  return { divisions: values.length - 1, numbers: values.map(compact), at: values.map(share) }
}

/** No round division begins at the left end (1 to 100, say): the ends, and the round numbers between them. */
function roundRuler(scale: Scale, most: number): Ruler {
  const { min, max, step } = scale
  const span = max - min
  const ends = { divisions: 1, numbers: [compact(min), compact(max)] }
  const rough = span / Math.max(2, most - 1)
  const power = Math.pow(10, Math.floor(Math.log10(rough)))
  const unit = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= rough * 0.999)!
  if (unit < step) return ends
  const share = (value: number) => (value - min) / span
  const inner: number[] = []
  for (let i = Math.ceil(min / unit); i * unit <= max + unit * 1e-9; i++) {
    const value = Number((i * unit).toPrecision(12))
    // What stands on an end, or so near that two numbers would touch, is that end's.
    if (share(value) > 0.5 / most && share(value) < 1 - 0.5 / most) inner.push(value)
  }
  const values = [min, ...inner, max]
  const digits = decimals(unit)
  return {
    divisions: values.length - 1,
    numbers: values.map((value, i) =>
      i === 0 || i === values.length - 1
        ? String(Number(value.toFixed(decimals(step))))
        : value.toFixed(digits),
    ),
    at: values.map(share),
  }
}

const compact = (value: number) => Number(value.toPrecision(2)).toString()
