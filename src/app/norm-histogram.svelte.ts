import type { NumberParameter, OptionValue, Options, Parameter } from '../attacks/attack.ts'
import { rangeFor } from '../attacks/knobs.ts'
import type { AttackInfo } from '../attacks/registry.ts'
import type { AttackImagesResult } from '../engine/methods/attack-images.ts'
import { median } from '../metrics/evasion.ts'
import type { CheckpointSpec } from '../labs/manifest.ts'
import { optionOf } from './attack-bench.svelte.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { sentenceOf } from './sentences.ts'

/** What the directive says: `::widget{kind=norm-histogram attack=carlini-wagner against=deepfool knobs="steps" steps=50}`. */
export interface HistogramSetup {
  attack: string
  /** A second attack beside it, at its own defaults. */
  against?: string
  model: string
  /** Checkpoint whose model is attacked instead of the shipped one. */
  weightsFrom?: string
  /** Checkpoint whose images are attacked; the first of adversarial examples when left out. */
  checkpoint?: string
  /** How many of them. */
  images: number
  /** All scores of the model are multiplied by this: the same answers, no slope in cross-entropy. */
  scores: number
  /** Knobs of the attack that are drawn. */
  knobs: string[]
  /** Options of the attack, knobs or not, where they are not its defaults. */
  start: Options
}

const words = new Set([
  'kind',
  'place',
  'attack',
  'against',
  'model',
  'victim',
  'checkpoint',
  'images',
  'knobs',
  'scores',
])

export function readHistogramSetup(props: Record<string, string>): HistogramSetup {
  return {
    attack: props.attack ?? 'deepfool',
    ...(props.against ? { against: props.against } : {}),
    model: props.model ?? 'digits-cnn',
    ...(props.victim && props.victim !== 'shipped' ? { weightsFrom: props.victim } : {}),
    ...(props.checkpoint ? { checkpoint: props.checkpoint } : {}),
    images: Math.max(1, Math.floor(Number(props.images) || 30)),
    scores: Number(props.scores) || 1,
    knobs: (props.knobs ?? '').split(/[\s,]+/).filter(Boolean),
    start: Object.fromEntries(
      Object.entries(props).flatMap(([name, said]) => (words.has(name) ? [] : [[name, optionOf(said)]])),
    ),
  }
}

/** One attack on all images: how far each had to be changed, Infinity where it was not misread. */
export interface Measured {
  attack: string
  title: string
  /** The knobs it ran with, in words. */
  settings: string
  distances: number[]
  /** The first of the changed images, to look at. */
  looks?: { pixels: Float32Array; read: number; truth: number }[]
  misread: number
  /** Failures counted as infinite. */
  medianOfAll: number
  /** Over those that were misread; NaN when there were none. */
  medianOfMisread: number
}

export function summarise(
  attack: string,
  title: string,
  settings: string,
  distances: readonly number[],
): Measured {
  const misread = distances.filter((distance) => distance < Infinity)
  return {
    attack,
    title,
    settings,
    distances: [...distances],
    misread: misread.length,
    medianOfAll: median([...distances]),
    medianOfMisread: misread.length ? median(misread) : Number.NaN,
  }
}

/** Equal columns from 0 to a round end that holds every finite distance, and one of its own for the others. */
export interface Histogram {
  end: number
  width: number
  /** Images in each column, for each measurement. */
  counts: number[][]
  /** Images without a distance, for each measurement. */
  none: number[]
  /** The highest column of all. */
  most: number
}

export function histogramOf(measurements: readonly Pick<Measured, 'distances'>[], columns = 12): Histogram {
  const finite = measurements.flatMap(({ distances }) => distances.filter((d) => d < Infinity))
  const width = roundUp(Math.max(...finite, 0.12) / columns)
  const counts = measurements.map(({ distances }) => {
    const column = new Array<number>(columns).fill(0)
    for (const distance of distances)
      if (distance < Infinity) column[Math.min(columns - 1, Math.floor(distance / width))]! += 1
    return column
  })
  const none = measurements.map(({ distances }) => distances.filter((d) => d === Infinity).length)
  return { end: width * columns, width, counts, none, most: Math.max(1, ...counts.flat(), ...none) }
}

/** The next of 1, 2, 2.5, 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return Number((([1, 2, 2.5, 5, 10].find((step) => step * power >= value) ?? 10) * power).toPrecision(3))
}

/** Measurements kept beside each other: enough to compare, few enough to read. */
const kept = 4
/** Changed images that are kept to look at. */
const looked = 8

/** Distances of the images of a checkpoint under one attack, and under a second for comparison. */
export class NormHistogram {
  info: AttackInfo | undefined = $state.raw()
  /** Latest first. */
  measured: Measured[] = $state.raw([])
  compared: Measured | undefined = $state.raw()
  /** [height, width, channels] of an image. */
  shape: readonly number[] = $state.raw([28, 28, 1])
  running = $state(false)
  progress = $state(0)
  trouble = $state('')
  #abort: AbortController | undefined
  #seed = -1
  #begun = false

  readonly #scope = $derived.by(
    () => `histogram:${this.setup.attack}@${this.setup.weightsFrom ?? this.setup.model}`,
  )
  readonly source: CheckpointSpec | undefined = $derived.by(() =>
    this.session.checkpoints.find(({ id, artefact }) =>
      this.setup.checkpoint ? id === this.setup.checkpoint : artefact === 'adversarial-examples',
    ),
  )
  readonly ready = $derived.by(
    () => !this.setup.weightsFrom || this.session.weightsOf(this.setup.weightsFrom) !== undefined,
  )
  readonly parameters: Parameter[] = $derived.by(() => {
    const all = this.info?.parameters ?? []
    return this.setup.knobs.flatMap((name) => {
      const found = all.find((parameter) => parameter.name === name)
      return found ? [found.kind === 'number' ? this.#ruler(found) : found] : []
    })
  })
  readonly options: Options = $derived.by(() => ({
    ...this.info?.defaults,
    ...this.setup.start,
    ...Object.fromEntries(this.parameters.map((parameter) => [parameter.name, this.value(parameter)])),
  }))
  /** What is drawn: the latest measurement, and beside it the comparison or else the one before. */
  readonly shown: Measured[] = $derived.by(() => {
    const [latest, before] = this.measured
    return latest ? [latest, ...(this.compared ? [this.compared] : before ? [before] : [])] : []
  })

  constructor(
    readonly session: LabSession,
    readonly setup: HistogramSetup,
  ) {}

  #ruler(parameter: NumberParameter): NumberParameter {
    const { start: _, ...ruler } = rangeFor(parameter, { ...this.info?.defaults, ...this.setup.start })
    return ruler
  }

  value(parameter: Parameter): OptionValue {
    const usual = this.setup.start[parameter.name] ?? this.info?.defaults[parameter.name] ?? 0
    return this.session.knob(`${this.#scope}.${parameter.name}`, usual)
  }

  set(parameter: Parameter, value: OptionValue): void {
    this.session.setKnob(`${this.#scope}.${parameter.name}`, value)
  }

  /** Loads the attack's knobs. Never throws. */
  async open(): Promise<void> {
    try {
      this.info = await this.#find(this.setup.attack)
      this.trouble = ''
    } catch (error) {
      this.trouble = sentenceOf(error)
    }
  }

  /** The first measurement of a bench; one that was stopped is not begun again by itself. */
  async measureOnce(): Promise<void> {
    if (this.#begun) return
    this.#begun = true
    await this.measure()
  }

  /** Attacks every image with both attacks. What was measured before stays when it is stopped. Never throws. */
  async measure(): Promise<void> {
    const { source, info } = this
    if (!source || !info || this.running) return
    const abort = new AbortController()
    this.#abort = abort
    this.running = true
    this.trouble = ''
    this.progress = 0
    try {
      if (this.#seed !== this.session.seed) {
        // Another variant has other images: distances of two samples do not stand side by side.
        this.measured = []
        this.compared = undefined
        this.#seed = this.session.seed
      }
      const { against } = this.setup
      const parts = against && !this.compared ? 2 : 1
      const first = await this.#attack(info, this.options, source.id, abort.signal, 0, parts)
      // Everything is drawn from the seed: the same knobs again are the same measurement, and one is enough.
      const others = this.measured.filter(({ settings }) => settings !== first.settings)
      this.measured = [first, ...others].slice(0, kept)
      if (against && !this.compared)
        this.compared = await this.#attack(await this.#find(against), {}, source.id, abort.signal, 1, parts)
    } catch (error) {
      if (!abort.signal.aborted) this.trouble = sentenceOf(error)
    } finally {
      this.running = false
      this.#abort = undefined
    }
  }

  cancel(): void {
    this.#abort?.abort()
  }

  async #find(id: string): Promise<AttackInfo> {
    const list = (await this.session.engine.call('attacks', {})) as AttackInfo[]
    const found = list.find((info) => info.id === id)
    if (found) return found
    throw new Error(`This app has no attack "${id}"; it has ${list.map((info) => info.id).join(', ')}.`)
  }

  async #attack(
    info: AttackInfo,
    options: Options,
    checkpoint: string,
    signal: AbortSignal,
    part: number,
    parts: number,
  ): Promise<Measured> {
    const { setup, session } = this
    const task = await session.task(checkpoint, signal)
    const ids = task.ids.slice(0, setup.images)
    const weights = setup.weightsFrom ? session.weightsOf(setup.weightsFrom) : undefined
    const { l2, readAfter, labels, adversarial, shape } = (await session.engine.call(
      'attack-images',
      {
        model: {
          model: setup.model,
          ...(weights ? { weights } : {}),
          ...(setup.scores === 1 ? {} : { defence: [{ id: 'scaled-logits', factor: setup.scores }] }),
        },
        images: { dataset: task.dataset, split: task.split, ids },
        attack: info.id,
        options,
        seed: 0,
      },
      {
        signal,
        onProgress: (done, total) => {
          this.progress = (part + done / total) / parts
        },
      },
    )) as AttackImagesResult
    const distances = Array.from(l2, (length, row) => (readAfter[row] === labels[row] ? Infinity : length))
    const settings = this.parameters
      .filter(() => info.id === setup.attack)
      .map(({ name, label }) => `${label.toLowerCase()} ${String(options[name])}`)
      .join(', ')
    const size = adversarial.length / ids.length
    const looks = ids.slice(0, looked).map((_, row) => ({
      pixels: adversarial.slice(row * size, (row + 1) * size),
      read: readAfter[row]!,
      truth: labels[row]!,
    }))
    this.shape = shape.slice(1)
    return { ...summarise(info.id, info.title, settings, distances), looks }
  }
}

/** A distance in words: "1.29", "infinite", "none". */
export const distanceWords = (distance: number): string =>
  Number.isNaN(distance) ? 'none' : distance === Infinity ? 'infinite' : distance.toFixed(2)
