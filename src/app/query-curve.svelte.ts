import type { NumberParameter, OptionValue, Options, Parameter } from '../attacks/attack.ts'
import { rangeFor } from '../attacks/knobs.ts'
import type { AttackInfo } from '../attacks/registry.ts'
import type { TraceStep } from '../core/run.ts'
import type { AttackImagesResult } from '../engine/methods/attack-images.ts'
import type { ImagesResult } from '../engine/methods/images.ts'
import type { CheckpointSpec } from '../labs/manifest.ts'
import { optionOf, victimOf } from './attack-bench.svelte.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { RunHistory } from './run-history.svelte.ts'
import { sentenceOf } from './sentences.ts'

/** What the directive says: `::widget{kind=query-curve attack=square model=faces-cnn knobs="epsilon" maxQueries=300}`. */
export interface CurveSetup {
  attack: string
  model: string
  /** Checkpoint whose images are attacked; the first of adversarial examples when left out. */
  checkpoint?: string
  /** How many of them. */
  images: number
  /** Knobs that are drawn; all of the attack's when left out. */
  knobs?: string[]
  /** Options of the attack, knobs or not, where they are not its defaults. */
  start: Options
}

const words = new Set(['kind', 'place', 'attack', 'model', 'checkpoint', 'images', 'knobs'])

export function readCurveSetup(props: Record<string, string>): CurveSetup {
  return {
    attack: props.attack ?? 'square',
    model: props.model ?? 'digits-cnn',
    ...(props.checkpoint ? { checkpoint: props.checkpoint } : {}),
    images: Math.max(1, Math.floor(Number(props.images) || 8)),
    ...(props.knobs === undefined ? {} : { knobs: props.knobs.split(/[\s,]+/).filter(Boolean) }),
    start: Object.fromEntries(
      Object.entries(props).flatMap(([name, said]) => (words.has(name) ? [] : [[name, optionOf(said)]])),
    ),
  }
}

/** One run: what was known after how many queries. */
export interface QueryRun {
  /** Distinguishes runs in a list. */
  number: number
  /** The knobs it ran with, in words. */
  settings: string
  /** What the points are: the share of images that are misread, or the median distance of all. */
  figure: 'found' | 'distance'
  points: (readonly [queries: number, value: number])[]
  images: number
  misread: number
  /** Mean over images at the end. */
  queries: number
}

/** The curve of a trace: distances where the attack looks for a small one, else the share that is misread, in per cent. */
export function curveOf(trace: readonly TraceStep[]): Pick<QueryRun, 'figure' | 'points'> {
  const figure = trace.some(({ values }) => values.distance !== undefined) ? 'distance' : 'found'
  const points: QueryRun['points'] = []
  for (const { values } of trace) {
    const value = figure === 'distance' ? values.distance : 100 * (values.found ?? 0)
    const queries = Math.max(1, values.most ?? values.queries ?? 0)
    if (value === undefined) continue
    // Of two notes after the same number of queries the later knows more.
    if (points.at(-1)?.[0] === queries) points.pop()
    points.push([queries, value])
  }
  return { figure, points }
}

/** A picture before and after. */
export interface Changed {
  truth: number
  read: number
  before: Float32Array
  after: Float32Array
}

const shown = 8

/** Runs of one black-box attack on a checkpoint's images. */
export class QueryCurve extends RunHistory<QueryRun> {
  info: AttackInfo | undefined = $state.raw()
  changed: Changed[] = $state.raw([])
  /** What will be attacked, to look at before the first run. */
  originals: { truth: number; pixels: Float32Array }[] = $state.raw([])
  /** [height, width, channels] of a picture. */
  shape: readonly number[] = $state.raw([1, 1, 1])
  naming: Pick<ImagesResult, 'noun' | 'classes'> = $state.raw({ noun: 'image', classes: [] })
  /** The seed whose pictures are on view. */
  #looked = -1

  readonly source: CheckpointSpec | undefined = $derived.by(() =>
    this.session.checkpoints.find(({ id, artefact }) =>
      this.setup.checkpoint ? id === this.setup.checkpoint : artefact === 'adversarial-examples',
    ),
  )
  readonly parameters: Parameter[] = $derived.by(() =>
    (this.info?.parameters ?? [])
      .filter(({ name }) => !this.setup.knobs || this.setup.knobs.includes(name))
      .map((one) => (one.kind === 'number' ? this.#ruler(one) : one)),
  )
  readonly options: Options = $derived.by(() => ({
    ...this.info?.defaults,
    ...this.setup.start,
    ...Object.fromEntries(this.parameters.map((parameter) => [parameter.name, this.value(parameter)])),
  }))

  constructor(
    session: LabSession,
    readonly setup: CurveSetup,
  ) {
    super(session)
  }

  #ruler(parameter: NumberParameter): NumberParameter {
    const { start: _, ...ruler } = rangeFor(parameter, { ...this.info?.defaults, ...this.setup.start })
    return ruler
  }

  #key = (parameter: Parameter) => `queries:${this.setup.attack}@${this.setup.model}.${parameter.name}`

  value(parameter: Parameter): OptionValue {
    const usual = this.setup.start[parameter.name] ?? this.info?.defaults[parameter.name] ?? 0
    return this.session.knob(this.#key(parameter), usual)
  }

  set(parameter: Parameter, value: OptionValue): void {
    this.session.setKnob(this.#key(parameter), value)
  }

  /** Loads the attack's knobs and the pictures of the variant in use. Never throws. */
  async open(): Promise<void> {
    try {
      if (!this.info) {
        const list = (await this.session.engine.call('attacks', {})) as AttackInfo[]
        this.info = list.find(({ id }) => id === this.setup.attack)
        this.trouble = this.info
          ? ''
          : `This app has no attack "${this.setup.attack}"; it has ${list.map(({ id }) => id).join(', ')}.`
      }
      await this.#look()
    } catch (error) {
      this.trouble = sentenceOf(error)
    }
  }

  async #look(): Promise<void> {
    const { seed } = this.session
    if (!this.source || this.#looked === seed) return
    const task = await this.session.task(this.source.id)
    const ids = task.ids.slice(0, Math.min(shown, this.setup.images))
    const wanted = { dataset: task.dataset, split: task.split, ids }
    const found = (await this.session.referee.call('images', wanted)) as ImagesResult
    if (this.session.seed !== seed) return
    const size = found.pixels.length / ids.length
    this.#looked = seed
    this.naming = { noun: found.noun, classes: found.classes }
    this.shape = found.shape.slice(1)
    this.originals = Array.from(found.labels, (truth, row) => ({
      truth,
      pixels: found.pixels.slice(row * size, (row + 1) * size),
    }))
    if (this.seed !== seed) this.changed = []
  }

  protected override forget(): void {
    super.forget()
    this.changed = []
  }

  /** Attacks the images. Never throws. */
  async measure(): Promise<void> {
    const { source, info, session, setup } = this
    if (!source || !info) return
    await this.attempt(async (options) => {
      const { signal } = options
      const task = await session.task(source.id, signal)
      const ids = task.ids.slice(0, setup.images)
      const images = { dataset: task.dataset, split: task.split, ids }
      const settings = this.parameters
        .map(
          (parameter) =>
            `${parameter.label.toLowerCase()} ${settingWords(parameter, this.options[parameter.name])}`,
        )
        .join(', ')
      const first = { ...images, ids: ids.slice(0, 1) }
      const { noun, classes } = (await session.engine.call('images', first, { signal })) as ImagesResult
      const attack = {
        model: victimOf(setup.model, undefined, task),
        images,
        attack: info.id,
        options: this.options,
        seed: 0,
      }
      const result = (await session.engine.call('attack-images', attack, options)) as AttackImagesResult
      const { trace, readAfter, labels, shape, pixels, adversarial } = result
      const size = pixels.length / ids.length
      this.naming = { noun, classes }
      this.shape = shape.slice(1)
      this.changed = ids.slice(0, shown).map((_, row) => ({
        truth: labels[row]!,
        read: readAfter[row]!,
        before: pixels.slice(row * size, (row + 1) * size),
        after: adversarial.slice(row * size, (row + 1) * size),
      }))
      const run = {
        settings,
        ...curveOf(trace),
        images: ids.length,
        misread: readAfter.reduce((sum, read, row) => sum + Number(read !== labels[row]), 0),
        queries: trace.at(-1)?.values.queries ?? 0,
      }
      // Everything is drawn from the seed: the same knobs again are the same run.
      this.keep(run, (earlier) => earlier.settings === settings)
    })
  }
}

/** A setting as its knob says it. */
const settingWords = (parameter: Parameter, value: OptionValue | undefined): string =>
  (parameter.kind === 'choice'
    ? parameter.choices.find((choice) => choice.value === value)?.label
    : undefined) ?? String(value)

/** One run in a sentence. */
export function runWords(run: QueryRun, noun: string): string {
  const end = run.points.at(-1)?.[1]
  const distance =
    run.figure === 'distance' && end !== undefined ? `, at a median distance of ${end.toFixed(2)}` : ''
  return `${run.misread} of ${run.images} ${noun}s misread${distance}, after ${run.queries.toFixed(run.queries < 10 ? 1 : 0)} queries ${noun === 'image' ? 'an' : 'a'} ${noun}.`
}
