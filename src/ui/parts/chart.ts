/** What a chart is told. Points are data, so the table beside the picture says the same. */

export type Point = readonly [x: number, y: number]

/** Colour is a role: done to a model, protecting one, or plain ink. */
export type Tone = 'attack' | 'defence' | 'ink' | 'muted' | 'pass' | 'fail'

export interface Series {
  /** Written at the end of the line and above the column of the table. */
  name: string
  points: readonly Point[]
  tone?: Tone
  /** Between points: straight, or steps. */
  shape?: 'line' | 'step'
  dashed?: boolean
  /** Marks at the points: lines of the same tone need another shape. */
  marks?: 'circle' | 'square' | 'none'
  /** Low and high of each point, e.g. over seeds. Drawn as a band and as two columns. */
  band?: readonly (readonly [low: number, high: number])[]
  /** Keep the label off the picture. */
  unlabelled?: boolean
}

export interface Axis {
  label: string
  min: number
  max: number
  scale?: 'linear' | 'log'
  /** Places of the numbers; round ones are chosen when left out. */
  ticks?: readonly number[]
  format?: (value: number) => string
}

/** A needle with its number: what is needed (on y) or where we are (on x). */
export interface Threshold {
  axis: 'x' | 'y'
  value: number
  label: string
  tone?: Tone
  dashed?: boolean
}

export const toneColour: Record<Tone, string> = {
  attack: 'var(--attack-fill)',
  defence: 'var(--defence-fill)',
  ink: 'var(--ink)',
  muted: 'var(--ink-3)',
  pass: 'var(--pass-fill)',
  fail: 'var(--fail-fill)',
}
export const toneText: Record<Tone, string> = {
  ...toneColour,
  attack: 'var(--attack)',
  defence: 'var(--defence)',
  pass: 'var(--pass)',
  fail: 'var(--fail)',
}

/** Round places for about `most` numbers between min and max. */
export function ticksOf({ min, max, scale, ticks }: Axis, most = 6): number[] {
  if (ticks) return [...ticks]
  if (!(max > min)) return [min]
  if (scale === 'log') {
    const out: number[] = []
    for (let power = Math.ceil(Math.log10(min) - 1e-9); power <= Math.log10(max) + 1e-9; power++)
      out.push(Math.pow(10, power))
    return out
  }
  const rough = (max - min) / Math.max(1, most - 1)
  const power = Math.pow(10, Math.floor(Math.log10(rough)))
  const unit = [1, 2, 2.5, 5, 10]
    .map((factor) => factor * power)
    .find((candidate) => candidate >= rough * 0.999)!
  const out: number[] = []
  for (let i = Math.ceil(min / unit - 1e-9); i * unit <= max + unit * 1e-9; i++)
    out.push(Number((i * unit).toPrecision(12)))
  return out
}

/** Maps a value of an axis to 0..1 along it. */
export function along({ min, max, scale }: Axis, value: number): number {
  if (!(max > min)) return 0
  if (scale === 'log') return Math.log(Math.max(value, min) / min) / Math.log(max / min)
  return (value - min) / (max - min)
}

/** A number as an axis writes it: no dust, no needless zeros. */
export const plain = (value: number) => String(Number(value.toPrecision(4)))

/** Every x that any series has, in order: the rows of the table. */
export function rowsOf(series: readonly Series[]): number[] {
  return [...new Set(series.flatMap((one) => one.points.map(([x]) => x)))].sort((a, b) => a - b)
}
