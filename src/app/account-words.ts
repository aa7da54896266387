import type { AccountReading, WatchedAccount } from '../engine/methods/watch-account.ts'
import type { CrowdAccount } from '../engine/methods/watch-crowd.ts'
import type { AccountKind } from '../grading/account-log.ts'
import { detectionRoc, type DetectionRoc } from '../metrics/extraction.ts'

/** Who asks, in words for a list, and whether it is a thief. */
export const askers: readonly { kind: AccountKind; label: string; isThief: boolean }[] = [
  { kind: 'customer', label: 'customer', isThief: false },
  { kind: 'skewed', label: 'customer, three digits only', isThief: false },
  { kind: 'jacobian', label: 'Papernot’s augmentation', isThief: true },
  { kind: 'diluted', label: 'the same, diluted 1:1', isThief: true },
  { kind: 'noise', label: 'noise', isThief: true },
  { kind: 'probes', label: 'probes of one picture', isThief: true },
  { kind: 'foreign', label: 'pictures of clothes', isThief: true },
  { kind: 'natural', label: 'thief with digits', isThief: true },
]
export const askerOf = (kind: AccountKind) => askers.find((one) => one.kind === kind)!

/** Three rules, each closing an account by itself. */
export interface Rules {
  /** W below this. */
  shape: number
  /** Median distance outside these. */
  near: number
  far: number
  /** Mean confidence below this. */
  sure: number
}
export type Signal = 'shape' | 'distance' | 'confidence'
export const signals: readonly { signal: Signal; label: string }[] = [
  { signal: 'shape', label: 'PRADA’s W' },
  { signal: 'distance', label: 'median distance' },
  { signal: 'confidence', label: 'mean confidence' },
]

/** Questions before a rule says anything. */
export const patience = 100

/** Which signals alarm at a reading. */
export function alarmsAt({ w, median, mean }: AccountReading, rules: Rules): Signal[] {
  return [
    ...(w < rules.shape ? (['shape'] as const) : []),
    ...(median < rules.near || median > rules.far ? (['distance'] as const) : []),
    ...(mean < rules.sure ? (['confidence'] as const) : []),
  ]
}

/** The question at which these rules close an account, looking at one signal or at all; undefined when they never do. */
export function closedAt(
  readings: readonly AccountReading[],
  rules: Rules,
  only?: Signal,
): number | undefined {
  return readings.find((reading) => {
    if (reading.rows < patience) return false
    const alarms = alarmsAt(reading, rules)
    return only ? alarms.includes(only) : alarms.length > 0
  })?.rows
}

export interface AlarmRow {
  kind: AccountKind
  label: string
  isThief: boolean
  accounts: number
  closed: number
  /** Median question of those that were closed; undefined when none was. */
  after: number | undefined
  /** Closed by each signal alone. */
  by: Record<Signal, number>
}

/** For everybody who asked: how many are closed, and when. */
export function alarmRows(crowd: readonly CrowdAccount[], rules: Rules): AlarmRow[] {
  return askers.flatMap(({ kind, label, isThief }) => {
    const own = crowd.filter((account) => account.kind === kind)
    if (own.length === 0) return []
    const times = own.flatMap(({ readings }) => closedAt(readings, rules) ?? []).sort((a, b) => a - b)
    const by = Object.fromEntries(
      signals.map(({ signal }) => [
        signal,
        own.filter(({ readings }) => closedAt(readings, rules, signal) !== undefined).length,
      ]),
    ) as Record<Signal, number>
    return [
      {
        kind,
        label,
        isThief,
        accounts: own.length,
        closed: times.length,
        after: times[times.length >> 1],
        by,
      },
    ]
  })
}

/** How strange each signal ever finds an account, higher stranger: what its threshold would be compared with. */
export function strangeness(readings: readonly AccountReading[], signal: Signal, usual: number): number {
  const seen = readings.filter(({ rows }) => rows >= patience)
  if (seen.length === 0) return -Infinity
  switch (signal) {
    case 'shape':
      return Math.max(...seen.map(({ w }) => -w))
    case 'distance':
      return Math.max(...seen.map(({ median }) => Math.abs(median - usual)))
    case 'confidence':
      return Math.max(...seen.map(({ mean }) => -mean))
  }
}

/** False alarms against detection for each signal, whatever its threshold, over customers and thieves other than the natural one. */
export function rocOf(crowd: readonly CrowdAccount[], signal: Signal): DetectionRoc | undefined {
  const honest = crowd.filter(({ kind }) => !askerOf(kind).isThief)
  const thieves = crowd.filter(({ kind }) => askerOf(kind).isThief && kind !== 'natural')
  if (honest.length === 0 || thieves.length === 0) return undefined
  const medians = honest.flatMap(({ readings }) => readings.at(-1)?.median ?? []).sort((a, b) => a - b)
  const usual = medians[medians.length >> 1] ?? 0
  return detectionRoc(
    honest.map(({ readings }) => strangeness(readings, signal, usual)),
    thieves.map(({ readings }) => strangeness(readings, signal, usual)),
  )
}

/** The curve as a chart draws it, in per cent: for each share of false alarms the most thieves that are closed. */
export function rocPoints({ points }: DetectionRoc): [falseAlarms: number, detected: number][] {
  const best = new Map<number, number>()
  for (const { falseAlarms, detected } of points)
    best.set(falseAlarms, Math.max(detected, best.get(falseAlarms) ?? 0))
  return [...best].map(([falseAlarms, detected]) => [100 * falseAlarms, 100 * detected])
}

/** The crowd in a sentence. */
export function crowdWords(rows: readonly AlarmRow[]): string {
  const count = (some: readonly AlarmRow[], of: 'accounts' | 'closed') =>
    some.reduce((sum, row) => sum + row[of], 0)
  const honest = rows.filter(({ isThief }) => !isThief)
  const thieves = rows.filter(({ isThief }) => isThief)
  return `${count(honest, 'closed')} of ${count(honest, 'accounts')} honest accounts closed, ${count(thieves, 'closed')} of ${count(thieves, 'accounts')} thieves.`
}

/** Distances within three deviations of their mean, as PRADA tests them, and that mean and deviation. */
export function testedDistances(distances: readonly number[]): {
  values: number[]
  mean: number
  deviation: number
} {
  const all = distances.filter(Number.isFinite)
  const [mean, deviation] = momentsOf(all)
  const values = all.filter((value) => Math.abs(value - mean) <= 3 * deviation)
  const [own, ownDeviation] = momentsOf(values)
  return { values, mean: own, deviation: ownDeviation }
}

function momentsOf(values: readonly number[]): [mean: number, deviation: number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
  return [
    mean,
    Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length)),
  ]
}

/** One account in a sentence. */
export function accountWords({ kind, readings }: WatchedAccount): string {
  const last = readings.at(-1)
  if (!last) return ''
  const shape =
    last.w >= 0.95 ? 'like a normal distribution' : last.w >= 0.9 ? 'nearly normal' : 'not normal at all'
  return `${askerOf(kind).label}: after ${last.rows} questions W is ${last.w.toFixed(3)}, ${shape}; half of them lie within ${last.median.toFixed(2)} of an earlier one, and the model is ${(100 * last.mean).toFixed(1)} % sure on average.`
}
