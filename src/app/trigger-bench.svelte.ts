import type { NumberParameter } from '../attacks/attack.ts'
import { touchedPixels, type PoisonList } from '../attacks/poison-list.ts'
import { applyTrigger, checkTrigger, type Trigger } from '../attacks/trigger.ts'
import { createRng } from '../core/rng.ts'
import type { ImagesResult } from '../engine/methods/images.ts'
import type { TrainedOnRows } from '../engine/methods/train-on-rows.ts'
import type { Task } from '../grading/grader.ts'
import type { Reading } from '../grading/readings.ts'
import type { CheckpointSpec } from '../labs/manifest.ts'
import type { HistoryPoint } from '../models/train.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { sentenceOf } from './sentences.ts'

/** What the directive says: `::widget{kind=trigger-bench checkpoint=handshake kinds="patch wave"}`. */
export interface TriggerSetup {
  checkpoint: string
  kinds: readonly TriggerKind[]
  /** Offers rows that carry the trigger and keep their label. */
  cover: boolean
  /** Where the knobs stand at first. */
  side: number
  /** Pixels between the patch and the lower right edges. */
  margin: number
  rows: number
}

export const triggerKinds = ['patch', 'blend', 'wave'] as const
export type TriggerKind = (typeof triggerKinds)[number]

export function readTriggerSetup(props: Record<string, string>): TriggerSetup {
  const { checkpoint = '', kinds = 'patch', cover = 'false', side = '3', margin = '1', rows = '20' } = props
  const named = kinds.split(/\s+/)
  return {
    checkpoint,
    kinds: triggerKinds.filter((kind) => named.includes(kind)),
    cover: cover === 'true',
    side: Number(side) || 3,
    margin: Number(margin) || 0,
    rows: Number(rows) || 0,
  }
}

/** Colours to paint with, by the letter that a painting keeps of them; a dot is a hole. */
export const inks = {
  grey: [
    { letter: 'w', name: 'white', rgb: [1, 1, 1] },
    { letter: 'g', name: 'grey', rgb: [0.5, 0.5, 0.5] },
    { letter: 'k', name: 'black', rgb: [0, 0, 0] },
  ],
  colour: [
    { letter: 'y', name: 'yellow', rgb: [1, 1, 0] },
    { letter: 'w', name: 'white', rgb: [1, 1, 1] },
    { letter: 'k', name: 'black', rgb: [0, 0, 0] },
    { letter: 'r', name: 'red', rgb: [0.85, 0.1, 0.1] },
    { letter: 'u', name: 'blue', rgb: [0.1, 0.25, 0.85] },
    { letter: 'n', name: 'green', rgb: [0.1, 0.6, 0.2] },
  ],
} as const
export const hole = '.'
export interface Ink {
  letter: string
  name: string
  rgb: readonly number[]
}
export const inksFor = (channels: number): readonly Ink[] => (channels === 3 ? inks.colour : inks.grey)

/** A painting of side × side cells, a letter each; what has another size is cut, or filled up with the first ink. */
export function repaint(painting: string, from: number, side: number, ink: string): string {
  const cell = (row: number, column: number) =>
    row < from && column < from ? (painting[row * from + column] ?? ink) : ink
  return Array.from({ length: side * side }, (_, k) => cell(Math.floor(k / side), k % side)).join('')
}

export interface Design {
  kind: TriggerKind
  side: number
  top: number
  left: number
  opacity: number
  painting: string
  frequency: number
  /** Draws the picture of a blend. */
  seed: number
}

/** The design as a trigger on images of this shape. Whether it fits is `checkTrigger`'s to say. */
export function triggerOf(design: Design, [height = 0, width = 0, channels = 1]: readonly number[]): Trigger {
  const { kind, side, top, left, opacity, painting } = design
  if (kind === 'wave') return { kind, amplitude: opacity, frequency: design.frequency, along: 'width' }
  if (kind === 'blend') {
    const rng = createRng(design.seed, 'blended picture')
    return { kind, pixels: Array.from({ length: height * width * channels }, () => rng.uniform()), opacity }
  }
  const known = inksFor(channels)
  const cells = Array.from({ length: side * side }, (_, k) => painting[k] ?? known[0]!.letter)
  return {
    kind,
    top,
    left,
    height: side,
    width: side,
    pixels: cells.flatMap((letter) =>
      (known.find((ink) => ink.letter === letter) ?? known[0]!).rgb.slice(0, channels),
    ),
    opacity: cells.map((letter) => (letter === hole ? 0 : opacity)),
  }
}

export interface Planting {
  /** Rows that get the trigger and the target's label. */
  rows: number
  /** Only rows of this class; −1 is any but the target. */
  source: number
  /** Relabel them. */
  relabel: boolean
  /** Stamp them. */
  stamp: boolean
  /** Rows of other classes that get the trigger and keep their label. */
  cover: number
}

/** Which rows are changed, drawn by the seed: the same knobs, the same rows, and more rows only add to fewer. */
export function plantedList(
  { ids, labels }: Pick<Task, 'ids' | 'labels'>,
  trigger: Trigger,
  { rows, source, relabel, stamp, cover }: Planting,
  target: number,
  seed: number,
): PoisonList & { trigger: Trigger; stamped: number[] } {
  const order = createRng(seed, 'planted rows').shuffle([...ids.keys()])
  const planted = order
    .filter((place) => (source === -1 ? labels[place] !== target : labels[place] === source))
    .slice(0, rows)
  const covering = order
    .filter((place) => labels[place] !== target && labels[place] !== source)
    .filter((place) => source !== -1 || !planted.includes(place))
    .slice(0, cover)
  const changes = [
    ...planted.map((place) => ({ place, label: relabel ? target : labels[place]!, stamped: stamp })),
    ...covering.map((place) => ({ place, label: labels[place]!, stamped: true })),
  ]
    .filter(({ place, label, stamped }) => stamped || label !== labels[place])
    .sort((a, b) => a.place - b.place)
  return {
    ids: changes.map(({ place }) => ids[place]!),
    labels: changes.map(({ label }) => label),
    trigger,
    stamped: changes.filter(({ stamped }) => stamped).map(({ place }) => ids[place]!),
  }
}

const knob = (own: Omit<NumberParameter, 'kind' | 'scale'>): NumberParameter => ({
  kind: 'number',
  scale: 'linear',
  ...own,
})

export interface TriggerTraining {
  list: PoisonList
  key: string
  history: readonly HistoryPoint[]
  total: number
  reading: Reading | undefined
  shown: TrainedOnRows['shown']
  state: 'running' | 'done' | 'stopped' | 'failed'
  /** Why it failed, in words. */
  why?: string
  seconds: number
}

const shownPictures = 6

/** The trigger bench: paint a sign, put it somewhere, plant it in so many rows, watch the victim learn it, hand it in. */
export class TriggerBench {
  task: Task | undefined = $state.raw()
  pictures: ImagesResult | undefined = $state.raw()
  /** Test images shown, by number. */
  ids: readonly number[] = $state.raw([])
  training: TriggerTraining | undefined = $state.raw()
  trouble = $state('')
  ink = $state('')
  #opened = -1
  #abort: AbortController | undefined

  readonly checkpoint: CheckpointSpec | undefined = $derived.by(() =>
    this.session.checkpoints.find(({ id }) => id === this.setup.checkpoint),
  )
  readonly shape: readonly number[] = $derived.by(() => this.pictures?.shape.slice(1) ?? [28, 28, 1])
  readonly classes: readonly string[] = $derived.by(() => this.pictures?.classes ?? [])
  readonly noun: string = $derived.by(() => this.pictures?.noun ?? 'picture')
  readonly inks: readonly Ink[] = $derived.by(() => inksFor(this.shape[2] ?? 1))
  readonly target = $derived.by(() => this.task?.training?.backdoor?.target ?? 0)
  readonly source = $derived.by(() => this.task?.training?.backdoor?.source)
  readonly budget = $derived.by(() => Number(this.task?.values.budget ?? 60))

  readonly design: Design = $derived.by(() => {
    const [height = 28, width = 28] = this.shape
    const side = this.#knob('side', this.setup.side)
    return {
      kind: this.#knob<TriggerKind>('kind', this.setup.kinds[0] ?? 'patch'),
      side,
      // A patch pushed over the edge by a growing side goes back to it.
      top: Math.min(this.#knob('top', height - side - this.setup.margin), Math.max(0, height - side)),
      left: Math.min(this.#knob('left', width - side - this.setup.margin), Math.max(0, width - side)),
      opacity: this.#knob('opacity', 1),
      painting: repaint(this.#knob('painting', ''), this.#knob('painted', side), side, this.inks[0]!.letter),
      frequency: this.#knob('frequency', 6),
      seed: this.session.seed,
    }
  })
  readonly trigger: Trigger = $derived.by(() => triggerOf(this.design, this.shape))
  readonly covered = $derived.by(() => touchedPixels(this.trigger, this.shape))
  readonly mostCovered = $derived.by(() => Number(this.task?.values.pixels ?? Infinity))
  /** Why the design cannot be planted; empty when it can. */
  readonly misfit: string = $derived.by(() => {
    try {
      checkTrigger('The sign', this.trigger, this.shape)
      return ''
    } catch (error) {
      return sentenceOf(error)
    }
  })
  readonly planting: Planting = $derived.by(() => ({
    rows: this.#knob('rows', this.setup.rows),
    source: this.#knob('source', this.source ?? -1),
    relabel: this.#knob('relabel', true),
    stamp: this.#knob('stamp', true),
    cover: this.setup.cover ? this.#knob('cover', 0) : 0,
  }))
  readonly list = $derived.by(() =>
    this.task && !this.misfit
      ? plantedList(this.task, this.trigger, this.planting, this.target, this.session.seed)
      : undefined,
  )
  readonly key = $derived.by(() => JSON.stringify([this.session.seed, this.trigger, this.planting]))
  readonly stamped: readonly Float32Array[] = $derived.by(() => {
    const { pictures, ids } = this
    if (!pictures || this.misfit) return []
    const size = pictures.pixels.length / Math.max(1, ids.length)
    return ids.map((_, i) =>
      applyTrigger(pictures.pixels.subarray(i * size, (i + 1) * size), this.shape, this.trigger),
    )
  })
  readonly knobs = $derived.by(() => {
    const [height = 28, width = 28] = this.shape
    const { side } = this.design
    return {
      side: knob({
        name: 'side',
        label: 'Size',
        help: 'Side of the patch. A larger one is learned from fewer rows, and seen by whoever looks.',
        min: 1,
        max: 10,
        step: 1,
        unit: 'px',
      }),
      top: knob({
        name: 'top',
        label: 'From the top',
        help: '',
        min: 0,
        max: height - side,
        step: 1,
        unit: 'px',
      }),
      left: knob({
        name: 'left',
        label: 'From the left',
        help: '',
        min: 0,
        max: width - side,
        step: 1,
        unit: 'px',
      }),
      opacity: knob({
        name: 'opacity',
        label: this.design.kind === 'wave' ? 'Height' : 'Opacity',
        help: 'How much of the picture it covers up.',
        min: 0.05,
        max: 1,
        step: 0.05,
        unit: '',
      }),
      frequency: knob({
        name: 'frequency',
        label: 'Waves',
        help: 'So many over the width.',
        min: 1,
        max: 12,
        step: 1,
        unit: '',
      }),
      rows: knob({
        name: 'rows',
        label: 'Rows that teach the sign',
        help: 'So many rows get the sign, and the wanted label.',
        min: 0,
        max: 2 * this.budget,
        step: Math.max(1, Math.ceil(this.budget / 60)),
        unit: 'rows',
      }),
      cover: knob({
        name: 'cover',
        label: 'Rows that keep their label',
        help: 'Other classes with the same sign: there it shall mean nothing.',
        min: 0,
        max: this.budget,
        step: Math.max(1, Math.ceil(this.budget / 60)),
        unit: 'rows',
      }),
    } as const
  })
  /** A whole training on the present design, not handed in yet. */
  readonly fresh = $derived.by(
    () => this.training?.state === 'done' && this.training.key === this.key && !this.handedIn,
  )
  readonly handedIn = $derived.by(() =>
    this.session.record.attempts.some(
      ({ checkpoint, artefact }) =>
        checkpoint === this.setup.checkpoint &&
        artefact.kind === 'change-list' &&
        JSON.stringify([artefact.ids, artefact.labels, artefact.trigger, artefact.stamped]) ===
          JSON.stringify([this.list?.ids, this.list?.labels, this.list?.trigger, this.list?.stamped]),
    ),
  )

  constructor(
    readonly session: LabSession,
    readonly setup: TriggerSetup,
  ) {}

  #knob<T extends number | string | boolean>(name: string, fallback: T): T {
    return this.session.knob(`trigger@${this.setup.checkpoint}.${name}`, fallback)
  }

  set(name: keyof Design | keyof Planting, value: number | string | boolean): void {
    if (name === 'side') this.#keepPainting()
    this.session.setKnob(`trigger@${this.setup.checkpoint}.${name}`, value)
  }

  /** What is painted stays, with the side that it was painted at, so that a smaller patch loses nothing. */
  #keepPainting(): void {
    const { painting, side } = this.design
    if (side < this.#knob('painted', 0)) return
    this.#write(painting, side)
  }

  #write(painting: string, side: number): void {
    this.session.setKnob(`trigger@${this.setup.checkpoint}.painting`, painting)
    this.session.setKnob(`trigger@${this.setup.checkpoint}.painted`, side)
  }

  /** Puts the chosen ink into a cell, or a hole where that ink is already. */
  paint(cell: number): void {
    const { painting, side } = this.design
    const ink = this.ink || this.inks[0]!.letter
    const next = painting[cell] === ink ? hole : ink
    this.#write(painting.slice(0, cell) + next + painting.slice(cell + 1), side)
  }

  fill(letter: string): void {
    const { side } = this.design
    this.#write(letter.repeat(side * side), side)
  }

  /** Puts the patch's middle as near as possible to a pixel. */
  moveTo(row: number, column: number): void {
    const [height = 28, width = 28] = this.shape
    const { side } = this.design
    const within = (at: number, most: number) => Math.max(0, Math.min(most - side, Math.round(at - side / 2)))
    this.set('top', within(row, height))
    this.set('left', within(column, width))
  }

  /** Loads this variant's task, and pictures that nobody trains on. Never throws. */
  async open(): Promise<void> {
    const { checkpoint, session } = this
    const { seed } = session
    if (!checkpoint || this.#abort || this.#opened === seed) return
    const { signal } = (this.#abort = new AbortController())
    this.trouble = ''
    try {
      const task = await session.task(checkpoint.id, signal)
      const first = Array.from({ length: 240 }, (_, id) => id)
      const ask = (ids: number[]) =>
        session.referee.call(
          'images',
          { dataset: task.dataset, split: 'test', ids },
          { signal },
        ) as Promise<ImagesResult>
      const { labels } = await ask(first)
      const { target, source } = task.training?.backdoor ?? { target: 0, source: undefined }
      const ids = onePerClass(labels, target, source).slice(0, shownPictures)
      const pictures = await ask(ids)
      if (session.seed !== seed) return
      this.#opened = seed
      this.task = task
      this.ids = ids
      this.pictures = pictures
      this.training = undefined
    } catch (error) {
      if (!signal.aborted) this.trouble = sentenceOf(error)
    } finally {
      this.#abort = undefined
    }
  }

  /** Stops the loading of the task, which a later `open` begins anew. */
  cancel(): void {
    this.#abort?.abort()
  }

  /** Trains the victim on the rows with the sign, under the run bar. */
  async train(): Promise<void> {
    const { task, list, key } = this
    if (!task || !list) return
    const began = performance.now()
    const update = (part: Partial<TriggerTraining>) => {
      this.training = { ...this.training!, ...part, seconds: (performance.now() - began) / 1000 }
    }
    await this.session.work('Training on these rows', async ({ signal, progress }) => {
      this.training = {
        list,
        key,
        history: [],
        total: 0,
        reading: undefined,
        shown: undefined,
        state: 'running',
        seconds: 0,
      }
      const onProgress = (done: number, total: number, values?: Record<string, number>) => {
        progress(done, total)
        if (values?.accuracy !== undefined && this.training)
          update({ total, history: [...this.training.history, { step: done, ...values } as HistoryPoint] })
      }
      const training = this.session.engine.call(
        'train-on-rows',
        { task, changes: list, show: [...this.ids] },
        { signal, onProgress },
      ) as Promise<TrainedOnRows>
      const { reading, history, shown } = await training.catch((error: unknown) => {
        if (!signal.aborted) update({ state: 'failed', why: sentenceOf(error) })
        throw error
      })
      update({ reading, history, shown, state: 'done' })
      return true
    })
    if (this.training?.state === 'running') update({ state: 'stopped' })
  }

  async handIn(): Promise<void> {
    const { checkpoint, list } = this
    if (!checkpoint || !list) return
    await this.session.handIn(
      checkpoint.id,
      { kind: 'change-list', ...$state.snapshot(list) },
      { 'sign.json': `${JSON.stringify({ design: this.design, planting: this.planting }, null, 2)}\n` },
    )
  }

  /** One figure of the training in percent, by batch. */
  curve(figure: string): [number, number][] {
    return (this.training?.history ?? []).flatMap(({ step, [figure]: share }): [number, number][] =>
      share === undefined ? [] : [[step, 100 * share]],
    )
  }
}

/** Of the first pictures one a class, in order, but not of the target; of the source alone where there is one. */
export function onePerClass(labels: readonly number[], target: number, source?: number): number[] {
  const seen = new Set<number>()
  return [...labels.keys()].filter((i) => {
    const label = labels[i]!
    if (source !== undefined) return label === source
    if (label === target || seen.has(label)) return false
    seen.add(label)
    return true
  })
}
