import { rowFilterNames, type RowFilterName } from '../defences/sanitation/filter-names.ts'
import { highestFirst } from '../defences/sanitation/suspicion.ts'
import type { InspectedRows } from '../engine/methods/inspect-rows.ts'
import type { Task } from '../grading/grader.ts'
import { median } from '../metrics/evasion.ts'
import { filterCurve, type FilterMeasure } from '../metrics/poisoning.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { sentenceOf } from './sentences.ts'

/** One row of a class, as the model sees it. */
export interface EmbeddedRow {
  place: number
  id: number
  /** In the two directions in which its class varies most. */
  x: number
  y: number
  isPoisoned: boolean
  isFlagged: boolean
}

/** The rows of one class in its plane, in the order of the data. */
export function embeddedRows(
  rows: Pick<InspectedRows, 'ids' | 'labels' | 'plane'>,
  label: number,
  poisoned: ReadonlySet<number>,
  flagged: ReadonlySet<number>,
): EmbeddedRow[] {
  const points: EmbeddedRow[] = []
  for (const [place, id] of rows.ids.entries())
    if (rows.labels[place] === label)
      points.push({
        place,
        id,
        x: rows.plane[2 * place]!,
        y: rows.plane[2 * place + 1]!,
        isPoisoned: poisoned.has(id),
        isFlagged: flagged.has(id),
      })
  return points
}

/**
 * How far apart two crowds lie in the plane: the distance of their middles, in the spreads (root mean square) of the
 * second one around its own. NaN when one has no row, Infinity when the second has no spread and they lie apart.
 */
export function crowdsApart(
  some: readonly { x: number; y: number }[],
  others: readonly { x: number; y: number }[],
): number {
  const middle = (crowd: readonly { x: number; y: number }[]) => ({
    x: crowd.reduce((sum, { x }) => sum + x, 0) / crowd.length,
    y: crowd.reduce((sum, { y }) => sum + y, 0) / crowd.length,
  })
  const [a, b] = [middle(some), middle(others)]
  const squares = others.reduce((sum, { x, y }) => sum + (x - b.x) ** 2 + (y - b.y) ** 2, 0)
  return Math.hypot(a.x - b.x, a.y - b.y) / Math.sqrt(squares / others.length)
}

/** About `most` points of a curve, evenly along it, its first and last among them. */
export function thinned<T>(curve: readonly T[], most: number): T[] {
  if (curve.length <= most) return [...curve]
  return Array.from({ length: most }, (_, i) => curve[Math.round((i * (curve.length - 1)) / (most - 1))]!)
}

/** Precision and recall are only worth drawing around the poison: so many times its number of rows. */
const drawnTimes = 4

/**
 * What a filter would find at each number of dropped rows, as far as it is worth drawing; nothing when no row is
 * poisoned.
 */
export function cutCurve(
  scores: ArrayLike<number>,
  ids: ArrayLike<number>,
  poisoned: ReadonlySet<number>,
): FilterMeasure[] {
  if (poisoned.size === 0) return []
  const truth = Array.from(ids, (id) => poisoned.has(id))
  const curve = filterCurve(scores, truth)
  const end = curve.findIndex(({ flagged }) => flagged > drawnTimes * poisoned.size)
  return thinned(end < 0 ? curve : curve.slice(0, Math.max(1, end + 1)), 60)
}

/** A checkpoint's training rows through the eyes of the model that is trained on them here and now. */
export class RowInspection {
  task: Task | undefined = $state.raw()
  rows: InspectedRows | undefined = $state.raw()
  /** What is under way, in words; empty when nothing is. */
  doing = $state('')
  progress = $state(0)
  trouble = $state('')
  #abort: AbortController | undefined
  #seed = -1
  #running: Promise<void> | undefined
  #stops = 0

  readonly checkpoint = $derived.by(() => this.session.checkpoints.find(({ id }) => id === this.checkpointId))
  /** Ids of the rows that somebody changed before; known here because the variant changed them itself. */
  readonly poisoned: ReadonlySet<number> = $derived.by(() => new Set(this.task?.tampered?.ids ?? []))
  /** The class with the most poisoned rows, or the first. */
  readonly poisonedClass: number = $derived.by(() => {
    const counts = new Float64Array(this.rows?.classes.length ?? 1)
    for (const [place, id] of this.rows?.ids.entries() ?? [])
      if (this.poisoned.has(id)) counts[this.rows!.labels[place]!]! += 1
    return counts.indexOf(Math.max(...counts))
  })

  constructor(
    readonly session: LabSession,
    readonly checkpointId: string,
  ) {}

  static of(session: LabSession, checkpointId: string): RowInspection {
    return session.keep(`row-inspection:${checkpointId}`, () => new RowInspection(session, checkpointId))
  }

  /** Stops what is under way, and what waits for its turn. */
  cancel(): void {
    this.#stops++
    this.#abort?.abort()
  }

  /** Trains the victim on the rows as they are, and looks at them. Never throws; another variant is looked at anew. */
  async open(): Promise<void> {
    await this.#inspect([], 'Training the victim on its rows')
  }

  /** Runs a filter on the trained victim, unless it was run before. Never throws. */
  async filter(name: RowFilterName): Promise<void> {
    await this.#inspect([name], 'Asking the model about its rows')
  }

  /** Several widgets look at the same rows: one after the other, and nothing twice. */
  async #inspect(filters: readonly RowFilterName[], doing: string): Promise<void> {
    const stops = this.#stops
    while (this.#running) await this.#running
    const isKnown = this.#seed === this.session.seed && filters.every((name) => this.rows?.scores[name])
    if (stops !== this.#stops || (this.rows && isKnown)) return
    this.#running = this.#ask(filters, doing)
    await this.#running
    this.#running = undefined
  }

  async #ask(filters: readonly RowFilterName[], doing: string): Promise<void> {
    const { checkpoint, session } = this
    if (!checkpoint) return
    const abort = (this.#abort = new AbortController())
    const { seed } = session
    this.doing = doing
    this.trouble = ''
    this.progress = 0
    try {
      const task = await session.task(checkpoint.id, abort.signal)
      const found = (await session.engine.call(
        'inspect-rows',
        { task, filters },
        { signal: abort.signal, onProgress: (done, total) => (this.progress = done / total) },
      )) as InspectedRows
      const before = this.#seed === seed ? this.rows : undefined
      this.#seed = seed
      this.task = task
      this.rows = {
        ...found,
        scores: { ...before?.scores, ...found.scores },
        flagged: { ...before?.flagged, ...found.flagged },
      }
    } catch (error) {
      if (!abort.signal.aborted) this.trouble = sentenceOf(error)
    } finally {
      this.doing = ''
      this.#abort = undefined
    }
  }
}

/** Names of filters, as a directive lists them: `filters="activation-clustering strip"`; all when left out. */
export function readFilterNames(text: string | undefined): RowFilterName[] {
  const named = (text ?? '').split(/\s+/).filter(Boolean)
  const known = rowFilterNames.filter((name) => named.includes(name))
  return known.length > 0 ? known : [...rowFilterNames]
}

/** The ids that a cut drops: the first so many by score, or what the filter's own rule picks when there is no cut. */
export function droppedIds(
  rows: Pick<InspectedRows, 'ids' | 'scores' | 'flagged'>,
  filter: RowFilterName,
  cut: number | undefined,
): number[] {
  const scores = rows.scores[filter]
  if (!scores) return []
  if (cut === undefined) return [...rows.flagged[filter]!]
  return highestFirst(scores)
    .slice(0, cut)
    .map((place) => rows.ids[place]!)
}

/** The median of each singular value over all classes but one that have it. */
export function middleSpectrum(spectra: readonly ArrayLike<number>[], without: number): number[] {
  const others = spectra.filter((spectrum, label) => label !== without && spectrum.length > 0)
  const length = Math.min(...others.map((spectrum) => spectrum.length))
  if (others.length === 0) return []
  return Array.from({ length }, (_, i) => median(others.map((spectrum) => spectrum[i]!)))
}
