import type { EvidenceRow, Finding, GalleryItem, Verdict, VerdictStatus } from './verdict.ts'

/**
 * A right answer often sits exactly on the edge: x + ε in float32 is a few 1e-8 away from ε. Hard rows
 * forgive that much and no more, in the direction of their bound only.
 */
export const hardTolerance = 1e-6

interface RowOptions {
  id: string
  name: string
  /** How it was measured, e.g. "93 of 100 digits". */
  detail?: string
  measured: number
  /** Smallest and largest figure over seeds, when more than one was run. */
  interval?: readonly [low: number, high: number]
  /** '%' for shares, 0..100. */
  unit?: string
  precision?: number
  scaleMax?: number
  /** A norm, a range or a count: no interval, no benefit of doubt beyond the float tolerance. */
  hard?: boolean
  /** Float error that a hard row forgives, when it is not that of one pixel. */
  tolerance?: number
  /** Measured, and beyond every bar: an infinite median, say. It fails, and is drawn at the end of the scale. */
  never?: boolean
  /** Set for figures from the ledger: an artefact alone cannot prove them. */
  claimed?: boolean
}

/** A row that asks for at least `value`. */
export function atLeast(value: number, options: RowOptions): EvidenceRow {
  return row('at-least', value, options)
}

/** A row that asks for at most `value`. */
export function atMost(value: number, options: RowOptions): EvidenceRow {
  return row('at-most', value, options)
}

function row(relation: 'at-least' | 'at-most', value: number, options: RowOptions): EvidenceRow {
  const { id, name, detail, measured, interval, unit = '', hard = false } = options
  if (hard && interval)
    throw new RangeError(`row ${id}: a hard row is exact and takes no interval; got ${interval}`)
  const slack = hard ? (options.tolerance ?? hardTolerance) : 0
  const holds = (figure: number) =>
    relation === 'at-least' ? figure >= value - slack : figure <= value + slack
  const status = options.never
    ? 'failed'
    : !Number.isFinite(measured) || interval?.some((end) => !Number.isFinite(end))
      ? 'unavailable'
      : decide(interval ? interval.map(holds) : [holds(measured)])
  const scaleMax =
    options.scaleMax ??
    (unit === '%' ? 100 : niceScale(Math.max(value, Number.isFinite(measured) ? measured : 0)))
  return {
    id,
    name,
    ...(detail === undefined ? {} : { detail }),
    measured: Number.isFinite(measured) ? measured : options.never ? scaleMax : 0,
    ...(interval && status !== 'unavailable' ? { interval: [interval[0], interval[1]] as const } : {}),
    unit,
    needed: { relation, value },
    precision: options.precision ?? (unit === '%' ? 0 : 3),
    scaleMax,
    hard,
    ...(options.claimed ? { claimed: true } : {}),
    ...(options.never ? { never: true } : {}),
    satisfied: status === 'passed',
    status,
  }
}

/** Both ends on one side: a plain answer. An interval that crosses the bar: neither would be honest. */
function decide(holds: boolean[]): VerdictStatus {
  if (holds.every(Boolean)) return 'passed'
  return holds.some(Boolean) ? 'undecided' : 'failed'
}

/** The next round number above twice the figure's bar, so that the needle stands near the middle. */
function niceScale(figure: number): number {
  if (figure <= 0) return 1
  const rough = figure * 1.25
  const power = 10 ** Math.floor(Math.log10(rough))
  return ([1, 2, 2.5, 5, 10].find((step) => step * power >= rough) ?? 10) * power
}

interface Conclusion {
  headline: string
  rows: EvidenceRow[]
  finding?: Finding
  gallery?: GalleryItem[]
  score?: { value: number; unit: string }
}

/**
 * Sums up the rows: one that could not be measured makes the whole `unavailable`, else one that failed
 * makes it `failed`, else one that crosses its bar `undecided`, else it is `passed`.
 */
export function conclude(conclusion: Conclusion): Verdict {
  const statuses = new Set(conclusion.rows.map((row) => row.status))
  const status =
    (['unavailable', 'rejected', 'failed', 'undecided'] as const).find((word) => statuses.has(word)) ??
    'passed'
  return { status, ...conclusion }
}

/** The verdict on something that cannot be measured because it is malformed. */
export function rejected(reason: string, next: string): Verdict {
  return {
    status: 'rejected',
    headline: reason,
    rows: [],
    finding: { id: 'malformed', title: 'This hand-in cannot be measured.', cause: reason, next },
  }
}

/** The verdict when *we* could not measure. It never counts against the learner. */
export function unavailable(
  reason: string,
  next = 'Your work is kept. Hand it in again; if it happens twice, reload the page.',
): Verdict {
  return {
    status: 'unavailable',
    headline: 'The referee could not measure this.',
    rows: [],
    finding: { id: 'unavailable', title: 'The referee could not measure this.', cause: reason, next },
  }
}
