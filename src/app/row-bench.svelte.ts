import { createRng } from '../core/rng.ts'
import { RetrainingMonitor, type Retraining } from '../defences/detection/canary.ts'
import { featureValue, type Feature } from '../data/data-set.ts'
import type { RowScores } from '../engine/methods/row-scores.ts'
import type { TrainedOnRows } from '../engine/methods/train-on-rows.ts'
import type { Task } from '../grading/grader.ts'
import type { Reading } from '../grading/readings.ts'
import type { CheckpointSpec } from '../labs/manifest.ts'
import type { HistoryPoint } from '../models/train.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { sentenceOf } from './sentences.ts'

/** What the directive says: `::widget{kind=row-bench checkpoint=poisoned columns="amount km-home gap"}`. */
export interface RowBenchSetup {
  checkpoint: string
  /** Features that the table shows, by name. */
  columns: readonly string[]
  /** Where the knobs stand at first. */
  show: RowFilter
  sort: RowOrder
  count: number
}

export const rowFilters = ['all', 'watched', 'others', 'flagged', 'marked'] as const
export type RowFilter = (typeof rowFilters)[number]
export const rowOrders = ['sure', 'unsure', 'loss', 'neighbours', 'alone', 'audited', 'chance'] as const
export type RowOrder = (typeof rowOrders)[number]

const oneOf = <T extends string>(known: readonly T[], text: string | undefined, fallback: T): T =>
  known.find((word) => word === text) ?? fallback

export function readRowBenchSetup(props: Record<string, string>): RowBenchSetup {
  const { checkpoint = '', columns = '', show, sort, count } = props
  return {
    checkpoint,
    columns: columns.split(/\s+/).filter(Boolean),
    show: oneOf(rowFilters, show, 'watched'),
    sort: oneOf(rowOrders, sort, 'chance'),
    count: Number(count) || 0,
  }
}

/** One row as the table shows it. */
export interface ShownRow {
  place: number
  id: number
  label: number
  /** Its new label, when it is marked. */
  changed: number | undefined
  score: number
  neighbours: number
  /** What the second analyst says; undefined for a row that was not looked at. */
  secondLabel: number | undefined
  /** Who disagrees with its label. */
  flags: readonly Flag[]
  cells: string[]
}

export interface RowTraining {
  changes: ReadonlyMap<number, number>
  history: readonly HistoryPoint[]
  total: number
  reading: Reading | undefined
  state: 'running' | 'done' | 'stopped' | 'failed'
  /** Why it failed: a class without rows, a training that diverged. */
  why?: string
  seconds: number
}

export type Flag = 'model' | 'neighbours' | 'second look'

/**
 * Who disagrees with a row's label: the victim that was trained on it, most of the ten nearest rows, a second look. Each
 * may be wrong: where a class is rare, no neighbourhood has a majority of it.
 */
export function flagsOf(
  row: { label: number; score: number; neighbours: number; secondLabel: number | undefined },
  watched: number,
): Flag[] {
  const isWatched = row.label === watched
  const doubts: [Flag, boolean][] = [
    ['model', isWatched ? row.score < 0.5 : row.score > 0.5],
    ['neighbours', isWatched ? row.neighbours < 0.5 : row.neighbours > 0.5],
    ['second look', row.secondLabel !== undefined && row.secondLabel !== row.label],
  ]
  return doubts.flatMap(([flag, holds]) => (holds ? [flag] : []))
}

/** A training as the retraining monitor keeps it. */
export interface Monday extends Retraining {
  changed: number
  recall: number
  accuracy: number
}

/** The surprise of a label under a probability, never infinite. */
export const surprise = (probability: number) => -Math.log(Math.max(probability, 1e-6))

/**
 * The places of the rows in an order, the most suspicious or most interesting first. Equal rows keep their order.
 * `watched` is the class that is looked for.
 */
export function orderRows(
  rows: Pick<RowScores, 'labels' | 'scores' | 'neighbours' | 'audited'>,
  order: RowOrder,
  watched: number,
  seed: number,
): Int32Array {
  const places = Int32Array.from(rows.labels.keys())
  if (order === 'chance') return createRng(seed, 'browse').shuffle(places)
  const { scores, labels, neighbours, audited = scores } = rows
  const probability = (place: number) => (labels[place] === watched ? scores[place]! : 1 - scores[place]!)
  const keys: Record<Exclude<RowOrder, 'chance'>, (place: number) => number> = {
    sure: (place) => scores[place]!,
    unsure: (place) => -scores[place]!,
    loss: (place) => surprise(probability(place)),
    neighbours: (place) => neighbours[place]!,
    alone: (place) => -neighbours[place]!,
    audited: (place) => audited[place]!,
  }
  const key = Float64Array.from(places, keys[order])
  return places.sort((a, b) => key[b]! - key[a]! || a - b)
}

/** Of the first rows of a list, in how many the label is wrong, and how many of the wrong ones these are. */
export function filterPoints(
  places: ArrayLike<number>,
  isWrong: (place: number) => boolean,
  points = 24,
): { marked: number; precision: number; recall: number }[] {
  const all = Array.from(places)
  const wrong = all.filter(isWrong).length
  if (wrong === 0) return []
  const most = Math.min(all.length, 4 * wrong)
  const found = [0]
  for (const place of all.slice(0, most)) found.push(found.at(-1)! + (isWrong(place) ? 1 : 0))
  return Array.from({ length: points }, (_, i) => Math.max(1, Math.round((most * (i + 1)) / points))).map(
    (marked) => ({ marked, precision: found[marked]! / marked, recall: found[marked]! / wrong }),
  )
}

export const pageSize = 8

/**
 * The row bench: browse the training data, mark rows for another label, train the victim on it, hand the changes in.
 */
export class RowBench {
  task: Task | undefined = $state.raw()
  rows: RowScores | undefined = $state.raw()
  training: RowTraining | undefined = $state.raw()
  /** Every whole training of this visit, the latest first, as the canaries saw it. */
  mondays: readonly Monday[] = $state.raw([])
  #monitor: RetrainingMonitor | undefined
  /** Rows that were marked or unmarked one by one, by id. */
  byHand: ReadonlyMap<number, boolean> = $state.raw(new Map())
  page = $state(0)
  scoring = $state(false)
  progress = $state(0)
  trouble = $state('')
  #abort: AbortController | undefined
  #seed = -1

  readonly checkpoint: CheckpointSpec | undefined = $derived.by(() =>
    this.session.checkpoints.find(({ id }) => id === this.setup.checkpoint),
  )
  readonly show: RowFilter = $derived.by(() => this.session.knob(this.#key('show'), this.setup.show))
  readonly sort: RowOrder = $derived.by(() => this.session.knob(this.#key('sort'), this.setup.sort))
  readonly count: number = $derived.by(() => this.session.knob(this.#key('count'), this.setup.count))
  readonly watched = $derived.by(() => this.task?.training?.positive ?? 1)
  /** Somebody tampered with these labels before: the bench is for finding that. */
  readonly isRepair = $derived.by(() => this.task?.tampered !== undefined)
  readonly orders: readonly RowOrder[] = $derived.by(() =>
    rowOrders.filter((order) => order !== 'audited' || this.rows?.audited !== undefined),
  )
  /** All rows in order, and those of them that the filter lets through. */
  readonly ordered: readonly number[] = $derived.by(() =>
    this.rows ? [...orderRows(this.rows, this.sort, this.watched, this.session.seed)] : [],
  )
  readonly candidates: readonly number[] = $derived.by(() => {
    const { rows, show, watched } = this
    if (!rows || show === 'all' || show === 'marked') return this.ordered
    if (show === 'flagged')
      return this.ordered.filter((place) => flagsOf(this.#known(place), watched).length > 0)
    return this.ordered.filter((place) => (rows.labels[place] === watched) === (show === 'watched'))
  })
  /** Every change by id, in the order of the rows. */
  readonly changes: ReadonlyMap<number, number> = $derived.by(() => {
    const { rows, candidates, byHand } = this
    if (!rows) return new Map()
    const marked = new Set(candidates.slice(0, this.count))
    for (const [id, isMarked] of byHand) {
      const place = this.#places.get(id)
      if (place === undefined) continue
      if (isMarked) marked.add(place)
      else marked.delete(place)
    }
    return new Map(
      [...marked].sort((a, b) => a - b).map((place) => [rows.ids[place]!, this.#other(rows.labels[place]!)]),
    )
  })
  readonly shown: readonly ShownRow[] = $derived.by(() => {
    const list = this.listed
    return list.slice(this.page * pageSize, (this.page + 1) * pageSize).map((place) => this.#shown(place))
  })
  readonly listed: readonly number[] = $derived.by(() =>
    this.show === 'marked' && this.rows
      ? this.candidates.filter((place) => this.changes.has(this.rows!.ids[place]!))
      : this.candidates,
  )
  /** Labels that the task allows to be turned, where it says so. */
  readonly budget: number | undefined = $derived.by(() => {
    const budget = this.task?.values.budget
    return typeof budget === 'number' ? budget : undefined
  })
  readonly pages = $derived.by(() => Math.max(1, Math.ceil(this.listed.length / pageSize)))
  readonly columns: readonly Feature[] = $derived.by(() =>
    this.setup.columns.flatMap((name) => this.rows?.features.find((feature) => feature.name === name) ?? []),
  )
  /** What the first so many candidates would catch; known here because the variant tampered with these rows itself. */
  readonly filter = $derived.by(() => {
    const { rows, task } = this
    if (!rows || !task?.tampered) return []
    const wrong = new Set(task.tampered.ids)
    return filterPoints(this.candidates, (place) => wrong.has(rows.ids[place]!))
  })
  /** Of the marked rows, how many were tampered with. */
  readonly caught = $derived.by(() => {
    const wrong = new Set(this.task?.tampered?.ids ?? [])
    const right = [...this.changes.keys()].filter((id) => wrong.has(id)).length
    return { right, marked: this.changes.size, wrong: wrong.size }
  })
  /** A whole training on the present changes, not handed in yet. */
  readonly fresh = $derived.by(
    () =>
      this.training?.state === 'done' && sameChanges(this.training.changes, this.changes) && !this.handedIn,
  )
  readonly handedIn = $derived.by(() =>
    this.session.record.attempts.some(
      ({ artefact }) =>
        artefact.kind === 'change-list' &&
        sameChanges(new Map(artefact.ids.map((id, i) => [id, artefact.labels[i]!])), this.changes),
    ),
  )

  readonly #places = $derived.by(() => new Map(Array.from(this.rows?.ids ?? [], (id, place) => [id, place])))
  readonly #second = $derived.by(() => {
    const { task } = this
    const truth = new Map(task?.ids.map((id, i) => [id, task.labels[i]!]))
    return new Map((task?.audited ?? []).map((id) => [id, truth.get(id)!]))
  })

  constructor(
    readonly session: LabSession,
    readonly setup: RowBenchSetup,
  ) {}

  #key(name: string): string {
    return `rows@${this.setup.checkpoint}.${name}`
  }

  set(name: 'show' | 'sort' | 'count', value: string | number): void {
    this.session.setKnob(this.#key(name), value)
    this.page = 0
  }

  mark(id: number, isMarked: boolean): void {
    this.byHand = new Map([...this.byHand, [id, isMarked]])
  }

  clear(): void {
    this.byHand = new Map()
    this.set('count', 0)
  }

  /** What a marked row gets: the watched class, or the first other one where it has that already. */
  #other(label: number): number {
    return label === this.watched ? (this.watched === 0 ? 1 : 0) : this.watched
  }

  #known(place: number) {
    const rows = this.rows!
    return {
      label: rows.labels[place]!,
      score: rows.scores[place]!,
      neighbours: rows.neighbours[place]!,
      secondLabel: this.#second.get(rows.ids[place]!),
    }
  }

  #shown(place: number): ShownRow {
    const rows = this.rows!
    const id = rows.ids[place]!
    const size = rows.values.length / rows.ids.length
    const known = this.#known(place)
    return {
      place,
      id,
      ...known,
      changed: this.changes.get(id),
      flags: flagsOf(known, this.watched),
      cells: this.columns.map((feature) =>
        sayValue(feature, rows.values[place * size + rows.features.indexOf(feature)]!),
      ),
    }
  }

  /** Trains the victim on the rows as they are, and scores each. Never throws; another variant is scored anew. */
  async score(): Promise<void> {
    const { checkpoint, session } = this
    if (!checkpoint || this.scoring || (this.rows && this.#seed === session.seed)) return
    const abort = (this.#abort = new AbortController())
    this.scoring = true
    this.trouble = ''
    this.progress = 0
    try {
      const seed = session.seed
      const task = await session.task(checkpoint.id, abort.signal)
      const rows = (await session.engine.call(
        'row-scores',
        { task },
        { signal: abort.signal, onProgress: (done, total) => (this.progress = done / total) },
      )) as RowScores
      this.#seed = seed
      this.task = task
      this.rows = rows
      this.training = undefined
      this.mondays = []
      this.#monitor = rows.canaries && new RetrainingMonitor(rows.canaries.truth, rows.canaries.read)
      this.byHand = new Map()
    } catch (error) {
      if (!abort.signal.aborted) this.trouble = sentenceOf(error)
    } finally {
      this.scoring = false
      this.#abort = undefined
    }
  }

  cancel(): void {
    this.#abort?.abort()
  }

  /** Trains the victim on the changed rows, under the run bar. */
  async train(): Promise<void> {
    const { task } = this
    if (!task) return
    const began = performance.now()
    const changes = this.changes
    const update = (part: Partial<RowTraining>) => {
      this.training = { ...this.training!, ...part, seconds: (performance.now() - began) / 1000 }
    }
    await this.session.work('Training on these rows', async ({ signal, progress }) => {
      this.training = { changes, history: [], total: 0, reading: undefined, state: 'running', seconds: 0 }
      const onProgress = (done: number, total: number, values?: Record<string, number>) => {
        progress(done, total)
        if (values?.recall !== undefined && this.training)
          update({ total, history: [...this.training.history, { step: done, ...values } as HistoryPoint] })
      }
      const training = this.session.engine.call(
        'train-on-rows',
        { task, changes: { ids: [...changes.keys()], labels: [...changes.values()] } },
        { signal, onProgress },
      ) as Promise<TrainedOnRows>
      const { reading, history, canaries } = await training.catch((error: unknown) => {
        if (!signal.aborted) update({ state: 'failed', why: sentenceOf(error) })
        throw error
      })
      update({ reading, history, state: 'done' })
      if (canaries && this.#monitor) {
        const { recall, accuracy } = reading
        this.mondays = [
          { ...this.#monitor.see(canaries), changed: changes.size, recall, accuracy },
          ...this.mondays,
        ]
      }
      return true
    })
    if (this.training?.state === 'running') update({ state: 'stopped' })
  }

  async handIn(): Promise<void> {
    const { checkpoint, changes } = this
    if (!checkpoint) return
    await this.session.handIn(
      checkpoint.id,
      { kind: 'change-list', ids: [...changes.keys()], labels: [...changes.values()] },
      {
        'rows.json': `${JSON.stringify({ show: this.show, sort: this.sort, count: this.count }, null, 2)}\n`,
      },
    )
  }

  /** One figure of the training in percent, by batch. */
  curve(figure: string): [number, number][] {
    return (this.training?.history ?? []).flatMap(({ step, [figure]: share }): [number, number][] =>
      share === undefined ? [] : [[step, 100 * share]],
    )
  }
}

/** What a table's cell says: "412 €", "yes", "3". */
export function sayValue(feature: Feature, stored: number): string {
  if (feature.scale === 'flag') return stored > 0.5 ? 'yes' : 'no'
  const value = featureValue(feature, stored)
  const digits = Math.abs(value) >= 10 || feature.name.startsWith('count') ? 0 : 1
  return `${value.toFixed(digits)}${feature.unit ? ` ${feature.unit}` : ''}`
}

export const sameChanges = (a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>) =>
  a.size === b.size && [...a].every(([id, label]) => b.get(id) === label)
