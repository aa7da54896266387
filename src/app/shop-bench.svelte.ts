import type { ImagesResult } from '../engine/methods/images.ts'
import type { ShopTrial, Suspect } from '../engine/methods/shop-trial.ts'
import { filterCurve } from '../metrics/poisoning.ts'
import type { Task } from '../grading/grader.ts'
import type { CheckpointSpec } from '../labs/manifest.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { sentenceOf } from './sentences.ts'

export const profileKinds = ['random', 'average', 'bandwagon', 'segment'] as const
export type ProfileKind = (typeof profileKinds)[number]
export const recommenderKinds = ['item-knn', 'unit-knn', 'bpr', 'mean', 'trimmed-mean', 'median'] as const
export type RecommenderKind = (typeof recommenderKinds)[number]

export interface ShopKnobs {
  recommender: RecommenderKind
  profile: ProfileKind
  fakes: number
  selected: number
  among: number
  fillers: number
  leaveOut: number
}

/** What the directive says: `::widget{kind=shop-bench checkpoint=pushed profile=random fakes=30}`. */
export interface ShopBenchSetup {
  checkpoint: string
  knobs: ShopKnobs
}

const usual: ShopKnobs = {
  recommender: 'item-knn',
  profile: 'bandwagon',
  fakes: 30,
  selected: 10,
  among: 0,
  fillers: 0,
  leaveOut: 0,
}

export function readShopBenchSetup(props: Record<string, string>): ShopBenchSetup {
  const number = (name: keyof ShopKnobs) => {
    const value = Number(props[name])
    return Number.isFinite(value) && value >= 0 ? value : Number(usual[name])
  }
  return {
    checkpoint: props.checkpoint ?? '',
    knobs: {
      recommender: recommenderKinds.find((kind) => kind === props.recommender) ?? usual.recommender,
      profile: profileKinds.find((kind) => kind === props.profile) ?? usual.profile,
      fakes: number('fakes'),
      selected: number('selected'),
      among: number('among'),
      fillers: number('fillers'),
      leaveOut: number('leaveOut'),
    },
  }
}

/** One trial, and the knobs that it was made with. */
export interface ShopRun {
  knobs: ShopKnobs
  trial: ShopTrial
  /** The learner asked for it; the first one is made when the bench opens. */
  asked: boolean
}

export const suspectsOnPage = 8

/** Of the first so many suspects, how many were invented: what leaving them out catches and costs. */
export function caughtAmong(suspects: readonly Suspect[], count: number) {
  const first = suspects.slice(0, count)
  const caught = first.filter(({ isInvented }) => isInvented).length
  return {
    caught,
    honest: first.length - caught,
    invented: suspects.filter(({ isInvented }) => isInvented).length,
  }
}

/** Precision and recall of the likeness at every cut of up to `most` shoppers; empty where nobody was invented. */
export function suspicionCurve(suspects: readonly Suspect[], most = 120) {
  if (!suspects.some(({ isInvented }) => isInvented)) return []
  return filterCurve(
    suspects.map(({ likeness }) => likeness),
    suspects.map(({ isInvented }) => isInvented),
  ).filter(({ flagged }) => flagged <= most)
}

/** The shop bench: invent shoppers or leave some out, fit the recommender, see whose lists change. */
export class ShopBench {
  task: Task | undefined = $state.raw()
  pictures: ImagesResult | undefined = $state.raw()
  latest: ShopRun | undefined = $state.raw()
  page = $state(0)
  trouble = $state('')
  working = $state(false)
  progress = $state(0)
  #abort: AbortController | undefined
  #seed = -1

  readonly checkpoint: CheckpointSpec | undefined = $derived.by(() =>
    this.session.checkpoints.find(({ id }) => id === this.setup.checkpoint),
  )
  readonly knobs: ShopKnobs = $derived.by(() => {
    const { setup, session } = this
    const names = Object.keys(setup.knobs) as (keyof ShopKnobs)[]
    return Object.fromEntries(
      names.map((name) => [name, session.knob<string | number>(this.#key(name), setup.knobs[name])]),
    ) as unknown as ShopKnobs
  })
  /** Somebody invented shoppers before: the bench is for finding them. */
  readonly isFilter = $derived.by(() => this.task?.shop?.handIn.kind === 'shoppers')
  /** What is on view was made with the knobs as they stand. */
  readonly fresh = $derived.by(() => this.latest !== undefined && sameKnobs(this.latest.knobs, this.knobs))
  readonly handedIn = $derived.by(() =>
    this.session.record.attempts.some(
      ({ artefact, seed, checkpoint }) =>
        checkpoint === this.setup.checkpoint &&
        seed === this.session.seed &&
        artefact.kind === 'change-list' &&
        JSON.stringify([artefact.ids, artefact.labels]) ===
          JSON.stringify([this.latest?.trial.changes.ids, this.latest?.trial.changes.labels]),
    ),
  )
  readonly pages = $derived.by(() =>
    Math.max(1, Math.ceil((this.latest?.trial.suspects.length ?? 0) / suspectsOnPage)),
  )
  readonly shown = $derived.by(() => {
    const from = Math.min(this.page, this.pages - 1) * suspectsOnPage
    return (this.latest?.trial.suspects ?? []).slice(from, from + suspectsOnPage)
  })

  constructor(
    readonly session: LabSession,
    readonly setup: ShopBenchSetup,
  ) {}

  #key(name: string): string {
    return `shop@${this.setup.checkpoint}.${name}`
  }

  set(name: keyof ShopKnobs, value: string | number): void {
    this.session.setKnob(this.#key(name), value)
  }

  /** The pictures and the shop as it stands, once a variant. Never throws. */
  async open(): Promise<void> {
    const { checkpoint, session } = this
    if (!checkpoint || this.working || (this.latest && this.#seed === session.seed)) return
    const abort = (this.#abort = new AbortController())
    this.working = true
    this.trouble = ''
    this.progress = 0
    try {
      const { seed } = session
      const task = await session.task(checkpoint.id, abort.signal)
      const images = { dataset: task.dataset, split: task.split, ids: task.ids }
      this.pictures ??= (await session.engine.call('images', images, {
        signal: abort.signal,
      })) as ImagesResult
      this.task = task
      await this.#try(false, abort.signal, (done, total) => (this.progress = done / total))
      this.#seed = seed
    } catch (error) {
      if (!abort.signal.aborted) this.trouble = sentenceOf(error)
    } finally {
      this.working = false
      this.#abort = undefined
    }
  }

  cancel(): void {
    this.#abort?.abort()
  }

  async #try(
    asked: boolean,
    signal: AbortSignal,
    onProgress: (done: number, total: number) => void,
  ): Promise<void> {
    const { task, knobs, session } = this
    const trial = (await session.engine.call(
      'shop-trial',
      { task, seed: session.seed, ...knobs },
      { signal, onProgress },
    )) as ShopTrial
    this.latest = { knobs, trial, asked }
    this.page = 0
  }

  /** Fits the recommender with the knobs as they stand, under the run bar. */
  async run(): Promise<void> {
    if (!this.task) return
    await this.session.work('Fitting the recommender', async ({ signal, progress }) => {
      await this.#try(true, signal, progress)
      return true
    })
  }

  async handIn(): Promise<void> {
    const { checkpoint, latest } = this
    if (!checkpoint || !latest) return
    const { ids, labels } = latest.trial.changes
    await this.session.handIn(
      checkpoint.id,
      { kind: 'change-list', ids: [...ids], labels: [...labels] },
      { 'shop.json': `${JSON.stringify(latest.knobs, null, 2)}\n` },
    )
  }

  /** The pictures of all items, in their order. */
  get sheet() {
    const { pixels, labels, shape } = this.pictures ?? { pixels: undefined, labels: [], shape: [0, 28, 28] }
    const [, height = 28, width = 28] = shape
    return { pixels, count: labels.length, height, width }
  }

  /** "Dress 63": its kind and its number. */
  nameOf(item: number): string {
    const kind = this.pictures?.classes[this.pictures.labels[item] ?? -1]
    return `${kind ?? 'item'} ${item}`
  }
}

export const sameKnobs = (a: ShopKnobs, b: ShopKnobs) =>
  (Object.keys(a) as (keyof ShopKnobs)[]).every((name) => a[name] === b[name])
