import type { EvasionEntry, NumberParameter, OptionValue, Options, Parameter } from '../attacks/attack.ts'
import { dependsOnNorm, rangeFor } from '../attacks/knobs.ts'
import type { AttackInfo } from '../attacks/registry.ts'
import type { ModelRef } from '../engine/images.ts'
import type { AttackImagesResult } from '../engine/methods/attack-images.ts'
import type { ImagesResult } from '../engine/methods/images.ts'
import type { Prediction } from '../engine/methods/predict.ts'
import type { SweepPoint } from '../engine/methods/sweep.ts'
import type { Task } from '../grading/grader.ts'
import type { CheckpointSpec } from '../labs/manifest.ts'
import type { Weight } from '../models/model.ts'
import { knobsProgram } from './knobs-program.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { sentenceOf } from './sentences.ts'

/** What the directive says: `::widget{kind=attack-bench attack=fgsm victim=repaired steps=20 checkpoints="a b"}`. */
export interface BenchSetup {
  attack: string
  model: string
  /** Checkpoint whose model is attacked instead of the shipped one. */
  weightsFrom?: string
  /** Most small steps the learner may take; 1 leaves the knob out. An attack with steps of its own begins at these instead. */
  maxSteps: number
  /** Checkpoints these knobs can hand in. */
  checkpoints: string[]
  /** Frames of the way of an iterated attack that are shown; 0 for none. */
  film: number
  /** Where a knob stands before it is turned, when not at the attack's own default. */
  start: Options
}

/** Attributes that say what the bench is; every other one is where a knob of its name stands. */
const words = new Set(['kind', 'place', 'attack', 'model', 'victim', 'checkpoint', 'checkpoints', 'film'])

export function readSetup(props: Record<string, string>): BenchSetup {
  const weightsFrom = props.victim && props.victim !== 'shipped' ? props.victim : undefined
  return {
    attack: props.attack ?? 'fgsm',
    model: props.model ?? 'digits-cnn',
    ...(weightsFrom ? { weightsFrom } : {}),
    maxSteps: Math.max(1, Number(props.steps) || 1),
    film: Math.max(0, Math.min(12, Math.round(Number(props.film) || 0))),
    start: Object.fromEntries(
      Object.entries(props).flatMap(([name, said]) => (words.has(name) ? [] : [[name, optionOf(said)]])),
    ),
    checkpoints: (props.checkpoints ?? props.checkpoint ?? '').split(/[\s,]+/).filter(Boolean),
  }
}

/** `0.1` is a number, `true` a switch, `l2` a choice. */
export const optionOf = (said: string): OptionValue =>
  said === 'true' || said === 'false'
    ? said === 'true'
    : said.trim() === '' || Number.isNaN(Number(said))
      ? said
      : Number(said)

/** One picture to work on: of the learner's variant, or drawn by hand. */
export interface Subject {
  pixels: Float32Array
  /** (height, width, channels). */
  shape: number[]
  /** What it is; for a drawing, what the model read in it. */
  truth: number
  drawn: boolean
}

/** One small step, as a share of ε: below 1 the steps feel their way. */
const stepShare = 0.125
const pickerSize = 8
const curveValues = 13
/** Every step costs a gradient: fewer strengths on fewer images, for the same wait. */
const smallCurve = { values: 7, images: 60 }
const curveGroups = 3
const linePoints = 13

export type View = 'change' | 'gradient' | 'sign'

/** Points of the accuracy curve: share of images on which the attack succeeds, and its range over samples. */
export interface Curve {
  key: string
  points: SweepPoint[]
  images: number
  /** Fewer samples than planned: it was stopped, or is still running. */
  partial: boolean
}

/**
 * The attack bench: knobs drawn from the attack's own parameters, one picture that follows them, and the
 * curve over the whole sample. One picture is computed at a time; while it is, only the latest wish is kept.
 */
export class AttackBench {
  info: AttackInfo<EvasionEntry> | undefined = $state.raw()
  task: Task | undefined = $state.raw()
  samples: Subject[] = $state.raw([])
  /** What the images show; digits until the data set has told. */
  naming: { noun: string; classes: readonly string[] } = $state.raw({
    noun: 'digit',
    classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
  })
  drawing: Subject | undefined = $state.raw()
  chosen = $state(0)
  picture: AttackImagesResult | undefined = $state.raw()
  /** The picture that `picture` belongs to. */
  subject: Subject | undefined = $state.raw()
  /** Loss along the straight way from the original to the changed picture, or along the small steps. */
  path: [number, number][] = $state.raw([])
  /** Is `path` step by step, as the attack went, and not along the straight way? */
  stepwise = $state(false)
  busy = $state(false)
  /** Why there is no picture, in words. */
  trouble = $state('')
  view: View = $state('change')
  curve: Curve | undefined = $state.raw()
  curveRunning = $state(false)
  curveProgress = $state(0)
  curveTrouble = $state('')

  #wanted = 0
  #curveAbort: AbortController | undefined
  #weights: { from: string; value: Weight[] } | undefined

  readonly checkpoints: CheckpointSpec[] = $derived.by(() => {
    const fit = this.session.checkpoints.filter(
      ({ artefact, accepts }) => artefact === 'adversarial-examples' && accepts.includes('explore'),
    )
    if (this.setup.checkpoints.length > 0) return fit.filter(({ id }) => this.setup.checkpoints.includes(id))
    // What another bench names is that one's: it may attack another model.
    const others = this.session.benches.flatMap((props) => readSetup(props).checkpoints)
    return fit.filter(({ id }) => !others.includes(id))
  })
  /** The checkpoint these knobs would hand in now. */
  readonly checkpoint = $derived.by(
    () => this.checkpoints.find(({ id }) => id === this.session.checkpoint?.id) ?? this.checkpoints[0],
  )
  /** Whose images lie on the bench: those of the checkpoint in hand, or in a lab of code alone of its first. */
  readonly source = $derived.by(
    () =>
      this.checkpoint ??
      (this.setup.checkpoints.length > 0
        ? undefined
        : this.session.checkpoints.find(({ artefact }) => artefact === 'adversarial-examples')),
  )
  /** Knobs of two benches do not move each other. */
  readonly #scope = $derived.by(() =>
    this.setup.weightsFrom ? `${this.setup.attack}@${this.setup.weightsFrom}` : this.setup.attack,
  )
  readonly #firstNorm = $derived.by(() => String(this.setup.start.norm ?? this.info?.defaults.norm ?? 'linf'))
  readonly norm = $derived.by(() => this.session.knob<string>(`${this.#scope}.norm`, this.#firstNorm))
  readonly parameters: Parameter[] = $derived(
    (this.info?.parameters ?? []).map((parameter) =>
      parameter.kind === 'number' ? rangeFor(parameter, { norm: this.norm }) : parameter,
    ),
  )
  readonly options: Options = $derived(
    Object.fromEntries(this.parameters.map((parameter) => [parameter.name, this.value(parameter)])),
  )
  readonly epsilon = $derived(Number(this.options.epsilon ?? 0))
  readonly maxSteps = $derived.by(() =>
    this.info?.parameters.some(({ name }) => name === 'steps') ? 1 : this.setup.maxSteps,
  )
  readonly steps = $derived.by(() =>
    Math.min(this.maxSteps, this.session.knob(`${this.#scope}.steps`, this.maxSteps > 1 ? 10 : 1)),
  )
  readonly goal = $derived.by(() =>
    this.info?.targeted !== false && this.session.knob<string>(`${this.#scope}.goal`, 'any') === 'class'
      ? 'class'
      : 'any',
  )
  readonly target = $derived.by(() => this.session.knob(`${this.#scope}.target`, 8))
  readonly ready = $derived.by(() => !this.setup.weightsFrom || this.weights !== undefined)

  constructor(
    readonly session: LabSession,
    readonly setup: BenchSetup,
  ) {}

  /** The learner's own model, where the bench attacks that; read once per artefact, because it is sent with every call. */
  get weights(): Weight[] | undefined {
    const from = this.setup.weightsFrom
    if (!from) return undefined
    const value = this.session.weightsOf(from)
    if (!value) return undefined
    if (this.#weights?.value !== value) this.#weights = { from, value }
    return this.#weights.value
  }

  get #model(): ModelRef {
    return victimOf(this.setup.model, this.weights, this.task)
  }

  /** The attack's own description of a knob, with its rulers for each norm. */
  #described({ name }: Parameter): Parameter | undefined {
    return this.info?.parameters.find((parameter) => parameter.name === name)
  }

  #key(parameter: Parameter) {
    const described = this.#described(parameter)
    const byNorm = described !== undefined && dependsOnNorm(described) && this.norm !== 'linf'
    return `${this.#scope}.${parameter.name}${byNorm ? `.${this.norm}` : ''}`
  }

  value(parameter: Parameter): OptionValue {
    const described = this.#described(parameter)
    const depends = described !== undefined && dependsOnNorm(described)
    // A length in one norm says nothing about a length in the other.
    const said = this.norm === this.#firstNorm || !depends ? this.setup.start[parameter.name] : undefined
    const ruler = described?.kind === 'number' ? rangeFor(described, { norm: this.norm }).start : undefined
    const fallback = said ?? ruler ?? this.info?.defaults[parameter.name] ?? 0
    return this.session.knob(this.#key(parameter), fallback)
  }

  set(parameter: Parameter, value: OptionValue): void {
    this.session.setKnob(this.#key(parameter), value)
  }

  setSteps(steps: number): void {
    this.session.setKnob(`${this.#scope}.steps`, steps)
  }

  setGoal(goal: 'any' | 'class'): void {
    this.session.setKnob(`${this.#scope}.goal`, goal)
  }

  setTarget(target: number): void {
    this.session.setKnob(`${this.#scope}.target`, target)
  }

  readonly stepsParameter: NumberParameter = $derived.by(() => ({
    kind: 'number',
    name: 'steps',
    label: 'Steps',
    symbol: 'k',
    help: `Each step is an eighth of ε, and ends inside the ball of ε around the original.`,
    min: 1,
    max: this.maxSteps,
    step: 1,
    unit: '',
    scale: 'linear',
  }))

  /** Loads the attack's knobs and the images of this variant. Never throws. */
  async open(): Promise<void> {
    this.trouble = ''
    try {
      const list = (await this.session.engine.call('attacks', {})) as AttackInfo<EvasionEntry>[]
      this.info = list.find(({ id }) => id === this.setup.attack)
      if (!this.info)
        throw new Error(
          `This app has no attack "${this.setup.attack}"; it has ${list.map(({ id }) => id).join(', ')}.`,
        )
      const knobs = this.info.parameters.map(({ name }) => name)
      const unknown = Object.keys(this.setup.start).find((name) => name !== 'steps' && !knobs.includes(name))
      if (unknown)
        throw new Error(
          `The attack "${this.setup.attack}" has no knob "${unknown}"; it has ${knobs.join(', ')}.`,
        )
      await this.loadSamples()
    } catch (error) {
      this.trouble = sentenceOf(error)
    }
  }

  /** The images of the checkpoint in hand, for the seed in use. */
  async loadSamples(): Promise<void> {
    const checkpoint = this.source
    if (!checkpoint || !this.ready) return
    const seed = this.session.seed
    try {
      const task = await this.session.task(checkpoint.id)
      const rows = firstOfEach(task.labels, pickerSize)
      const ids = rows.map((row) => task.ids[row]!)
      const images = (await this.session.referee.call('images', {
        dataset: task.dataset,
        split: task.split,
        ids,
      })) as ImagesResult
      if (this.source?.id !== checkpoint.id || this.session.seed !== seed) return
      const size = images.pixels.length / ids.length
      this.task = task
      this.naming = { noun: images.noun, classes: images.classes }
      this.samples = rows.map((row, i) => ({
        pixels: images.pixels.slice(i * size, (i + 1) * size),
        shape: images.shape.slice(1),
        truth: task.labels[row]!,
        drawn: false,
      }))
      if (this.chosen >= this.samples.length) this.chosen = 0
      // The checkpoint asks for a class of its own: the knobs start there.
      if (typeof task.values.target === 'number') {
        this.setGoal('class')
        this.setTarget(task.values.target)
      } else if (this.goal === 'class' && this.checkpoints.length > 1) this.setGoal('any')
    } catch (error) {
      this.trouble = sentenceOf(error)
    }
  }

  /** The picture in hand: a drawing when it is chosen (−1), else a sample. */
  get current(): Subject | undefined {
    return this.chosen < 0 ? this.drawing : this.samples[this.chosen]
  }

  /** Takes a drawing as the picture to attack; what the model reads in it stands for the truth. */
  async useDrawing(pixels: Float32Array): Promise<void> {
    const shape = this.samples[0]?.shape ?? [28, 28, 1]
    try {
      const { read } = (await this.session.engine.call('predict', {
        ...this.#model,
        pixels,
        shape: [1, ...shape],
      })) as Prediction
      this.drawing = { pixels, shape, truth: read[0]!, drawn: true }
      this.chosen = -1
    } catch (error) {
      this.trouble = sentenceOf(error)
    }
  }

  /** Computes the picture again; while one is under way, only the latest wish is kept. */
  refresh(): void {
    this.#wanted++
    if (!this.busy) void this.#follow()
  }

  async #follow(): Promise<void> {
    this.busy = true
    try {
      for (let answered = 0; answered !== this.#wanted;) {
        answered = this.#wanted
        const subject = this.current
        if (!subject || !this.info || !this.ready) break
        const { small } = this
        const picture = (await this.session.engine.call('attack-images', {
          model: this.#model,
          images: { pixels: subject.pixels.slice(), shape: [1, ...subject.shape], labels: [subject.truth] },
          attack: this.setup.attack,
          options: { ...this.options },
          targets: this.goal === 'class' ? [this.target] : undefined,
          seed: 0,
          ...(small ? { small } : {}),
          ...(this.setup.film > 0 ? { film: this.setup.film } : {}),
        })) as AttackImagesResult
        const goal = this.goal === 'class' ? this.target : subject.truth
        this.picture = picture
        this.subject = subject
        this.trouble = ''
        if (answered === this.#wanted) {
          const way = tracePath(picture, small !== undefined)
          const path = way ?? (await this.#linePath(picture, goal))
          this.path = path
          this.stepwise = way !== undefined
        }
      }
    } catch (error) {
      this.trouble = sentenceOf(error)
    } finally {
      this.busy = false
    }
  }

  get small(): { steps: number; stepShare: number } | undefined {
    return this.steps > 1 ? { steps: this.steps, stepShare } : undefined
  }

  /** Loss of the goal's class on the way from the original to the changed picture. */
  async #linePath(picture: AttackImagesResult, goal: number): Promise<[number, number][]> {
    const size = picture.pixels.length
    const pixels = new Float32Array(size * linePoints)
    for (let i = 0; i < linePoints; i++) {
      const t = i / (linePoints - 1)
      for (let j = 0; j < size; j++) pixels[i * size + j] = picture.pixels[j]! + t * picture.delta[j]!
    }
    const shape = [linePoints, ...picture.shape.slice(1)]
    const { logits } = (await this.session.engine.call('predict', {
      ...this.#model,
      pixels,
      shape,
    })) as Prediction
    const classes = logits.length / linePoints
    return Array.from({ length: linePoints }, (_, i) => [
      (this.epsilon * i) / (linePoints - 1),
      crossEntropy(logits.subarray(i * classes, (i + 1) * classes), goal),
    ])
  }

  // The curve over the sample

  /** What the curve depends on besides ε; a curve with another key is an old one. */
  readonly curveKey = $derived.by(() =>
    JSON.stringify([
      this.session.seed,
      this.source?.id,
      Object.entries(this.options).filter(([name]) => name !== 'epsilon'),
      this.goal === 'class' ? this.target : null,
      this.small ?? null,
    ]),
  )

  /** How many strengths the curve has, and how many images of the sample. */
  readonly curvePlan = $derived.by(() => {
    const all = this.task?.ids.length ?? 0
    const many = this.small !== undefined || Number(this.options.steps ?? 1) > 1
    return many
      ? { values: smallCurve.values, images: Math.min(smallCurve.images, all) }
      : { values: curveValues, images: all }
  })

  /** Success against ε on the sample in three parts: their range is the band. */
  async measureCurve(): Promise<void> {
    const task = this.task
    const parameter = this.parameters.find(({ name }) => name === 'epsilon')
    if (!task || parameter?.kind !== 'number' || this.curveRunning) return
    const key = this.curveKey
    const { values: count, images } = this.curvePlan
    const values = Array.from({ length: count }, (_, i) =>
      Number(((parameter.max * i) / (count - 1)).toFixed(4)),
    )
    const parts = inParts(
      images,
      this.goal === 'class' ? task.labels.map((label) => label !== this.target) : undefined,
    )
    const found: SweepPoint[][] = []
    const abort = new AbortController()
    this.#curveAbort = abort
    this.curveRunning = true
    this.curveTrouble = ''
    this.curveProgress = 0
    try {
      for (const rows of parts) {
        const ids = rows.map((row) => task.ids[row]!)
        const params = {
          model: this.#model,
          images: { dataset: task.dataset, split: task.split, ids },
          attack: this.setup.attack,
          options: { ...this.options },
          parameter: 'epsilon',
          values,
          targets: this.goal === 'class' ? ids.map(() => this.target) : undefined,
          ...(this.small ? { small: this.small } : {}),
        }
        const { points } = (await this.session.engine.call('sweep', params, {
          signal: abort.signal,
          onProgress: (done, total) => {
            this.curveProgress = (found.length + done / total) / parts.length
          },
        })) as { points: SweepPoint[] }
        found.push(points)
        this.curve = {
          key,
          points: united(found),
          images: parts.slice(0, found.length).flat().length,
          partial: found.length < parts.length,
        }
      }
    } catch (error) {
      if (!abort.signal.aborted) this.curveTrouble = sentenceOf(error)
    } finally {
      this.curveRunning = false
      this.#curveAbort = undefined
    }
  }

  cancelCurve(): void {
    this.#curveAbort?.abort()
  }

  close(): void {
    this.cancelCurve()
  }

  // From knobs to code, and to a checkpoint

  /** The program of these knobs: the one that is handed in, and that the editor opens. */
  readonly program = $derived.by(() =>
    knobsProgram({
      attack: this.setup.attack,
      options: this.options,
      target:
        this.goal === 'class' ? (this.task?.values.target === this.target ? 'task' : this.target) : undefined,
      small: this.small,
      asks: this.info?.access === 'white-box' || !this.info ? 'victim' : 'oracle',
    }),
  )

  async handIn(): Promise<void> {
    const checkpoint = this.checkpoint
    if (!checkpoint) return
    const { attack } = this.setup
    const options = { ...this.options }
    const { small, program, goal, target } = this
    await this.session.makeAndHandIn(
      checkpoint.id,
      `Attacking every ${this.naming.noun}`,
      async ({ signal, progress }) => {
        const task = await this.session.task(checkpoint.id, signal)
        const weights = task.victim.weightsFrom ? this.session.weightsOf(task.victim.weightsFrom) : undefined
        const params = {
          model: victimOf(task.victim.model, weights, task),
          images: { dataset: task.dataset, split: task.split, ids: task.ids },
          attack,
          options,
          targets: goal === 'class' ? task.ids.map(() => target) : undefined,
          seed: this.session.seed,
          ...(small ? { small } : {}),
        }
        const made = (await this.session.engine.call('attack-images', params, {
          signal,
          onProgress: progress,
        })) as AttackImagesResult
        return {
          artefact: {
            kind: 'adversarial-examples',
            ids: task.ids,
            shape: made.shape,
            pixels: made.adversarial,
          },
          files: { 'explore.ts': program },
        }
      },
    )
  }
}

/** The model that a bench attacks, with what its task puts around it: without that, its figures would be another's. */
export function victimOf(
  model: string,
  weights: Weight[] | undefined,
  task: Pick<Task, 'victim'> | undefined,
): ModelRef {
  const { defence } = task?.victim ?? {}
  return { model, ...(weights ? { weights } : {}), ...(defence ? { defence } : {}) }
}

/** The first row of each class in turn, then what follows, up to `count`. */
export function firstOfEach(labels: readonly number[], count: number): number[] {
  const seen = new Set<number>()
  const first = labels.flatMap((label, row) => (seen.has(label) ? [] : (seen.add(label), [row])))
  const rest = labels.flatMap((_, row) => (first.includes(row) ? [] : [row]))
  return [...first, ...rest].slice(0, count)
}

/** Rows in three parts, those that may count only. */
export function inParts(count: number, accept?: readonly boolean[], parts = curveGroups): number[][] {
  const rows = Array.from({ length: count }, (_, row) => row).filter((row) => accept?.[row] ?? true)
  return Array.from({ length: parts }, (_, part) => rows.filter((_, i) => i % parts === part)).filter(
    (part) => part.length > 0,
  )
}

/** Mean and range, point by point, over the parts measured so far. */
export function united(parts: readonly SweepPoint[][]): SweepPoint[] {
  return (parts[0] ?? []).map((point, i) => {
    const shares = parts.map((part) => part[i]!.share)
    return {
      value: point.value,
      share: shares.reduce((sum, share) => sum + share, 0) / shares.length,
      low: Math.min(...shares),
      high: Math.max(...shares),
    }
  })
}

/** The loss before each step and after the last; undefined for an attack of one step or without a loss. */
function tracePath({ trace, lossAfter }: AttackImagesResult, whole: boolean): [number, number][] | undefined {
  const points = trace.flatMap(({ step, values }): [number, number][] =>
    values.loss === undefined ? [] : [[step, values.loss]],
  )
  if (points.length < 2) return undefined
  return whole ? points : [...points, [points.at(-1)![0] + 1, lossAfter[0]!]]
}

/** −log softmax(z)[y], for display. */
function crossEntropy(logits: ArrayLike<number>, label: number): number {
  const all = Array.from(logits)
  const top = Math.max(...all)
  return top + Math.log(all.reduce((sum, z) => sum + Math.exp(z - top), 0)) - all[label]!
}
