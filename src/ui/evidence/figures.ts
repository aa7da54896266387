import type { EvidenceRow } from '../../grading/verdict.ts'

/** The words and positions of one evidence row. A figure is never rounded across its threshold. */
export interface RowFigures {
  /** "93.0", "75–88", "∞" or "–". */
  value: string
  unit: string
  /** "≥ 75 %". */
  needed: string
  /** "22.5 short", "at the limit", "crosses 80". */
  margin: string
  /** Positions along the drawn scale, 0..100. */
  at: number
  threshold: number
  interval?: { from: number; to: number }
  /** The whole row in one sentence. */
  spoken: string
}

export function rowFigures(row: EvidenceRow): RowFigures {
  const { relation, value: bar } = row.needed
  const unit = row.never ? '' : row.unit
  const spaced = row.unit ? ` ${row.unit}` : ''
  const measured = row.status !== 'unavailable' && Number.isFinite(row.measured)
  const value = !measured
    ? '–'
    : row.never
      ? '∞'
      : row.interval
        ? row.interval.map((end) => end.toFixed(row.precision)).join('–')
        : honest(row)
  const needed = `${relation === 'at-least' ? '≥' : '≤'} ${bar.toFixed(row.precision)}${spaced}`
  const place = (x: number) => Math.min(100, Math.max(0, (x / row.scaleMax) * 100))
  return {
    value,
    unit,
    needed,
    margin: marginOf(row, measured),
    at: measured ? place(row.measured) : 0,
    threshold: place(bar),
    interval:
      measured && row.interval ? { from: place(row.interval[0]), to: place(row.interval[1]) } : undefined,
    spoken: `${row.name}: ${row.never ? 'infinite' : measured ? value + spaced : 'not measured'}, needs ${relation === 'at-least' ? 'at least' : 'at most'} ${bar.toFixed(row.precision)}${spaced}`,
  }
}

/** Rounds to the row's precision, with more digits when rounding would put it on the other side of the bar. */
function honest({ measured, precision, needed, satisfied }: EvidenceRow): string {
  for (let digits = precision; digits < 8; digits++) {
    const shown = Number(measured.toFixed(digits))
    const kept = needed.relation === 'at-least' ? shown >= needed.value : shown <= needed.value
    if (kept === satisfied) return measured.toFixed(digits)
  }
  return measured.toFixed(precision)
}

function marginOf(row: EvidenceRow, measured: boolean): string {
  if (!measured) return 'not measured'
  if (row.never) return 'beyond any bar'
  const bar = row.needed.value
  if (row.status === 'undecided') return `crosses ${bar.toFixed(row.precision)}`
  const gap = Math.abs(row.measured - bar)
  const near = gap < 0.5 * 10 ** -row.precision
  if (row.satisfied && near) return row.needed.relation === 'at-least' ? 'at the bar' : 'at the limit'
  const words = near ? 'a hair' : gap.toFixed(row.precision)
  if (row.needed.relation === 'at-least') return row.satisfied ? `${words} over` : `${words} short`
  return row.satisfied ? `${words} spare` : `${words} over`
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec'.split(' ')

/** "09:41", today; "21 Nov 09:41" before. */
export function clock(iso: string, now = new Date()): string {
  const time = new Date(iso)
  if (Number.isNaN(time.getTime())) return ''
  // Intl takes tens of milliseconds to begin with, while a verdict is being drawn.
  const [hour, minute] = [time.getHours(), time.getMinutes()].map((part) => String(part).padStart(2, '0'))
  const day = `${time.getDate()} ${months[time.getMonth()]}`
  return time.toDateString() === now.toDateString() ? `${hour}:${minute}` : `${day} ${hour}:${minute}`
}

/** Change of each pixel: adversarial − original, for one row. */
export function difference(adversarial: ArrayLike<number>, original: ArrayLike<number>): Float32Array {
  // A plain loop: a hundred pictures are drawn at once, and a call for each pixel takes ten times as long.
  const change = new Float32Array(original.length)
  for (let i = 0; i < change.length; i++) change[i] = (adversarial[i] ?? 0) - original[i]!
  return change
}

/** One image out of a batch. */
export function rowOf(pixels: Float32Array, row: number, size: number): Float32Array {
  return pixels.subarray(row * size, (row + 1) * size)
}
