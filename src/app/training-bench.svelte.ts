import type { NumberParameter } from '../attacks/attack.ts'
import { findCollapse, type Collapse } from '../defences/training/collapse.ts'
import type { RecipeInfo } from '../defences/training/registry.ts'
import type { ImagesResult } from '../engine/methods/images.ts'
import type { SweepPoint } from '../engine/methods/sweep.ts'
import type { TrainDefenceParams, Training } from '../engine/methods/train-defence.ts'
import type { CheckpointSpec } from '../labs/manifest.ts'
import type { HistoryPoint } from '../models/train.ts'
import type { Weight } from '../models/model.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { sentenceOf } from './sentences.ts'

/** What the directive says: `::widget{kind=training-bench recipes="fast-training pgd-training" pgd=10 checkpoint=repaired}`. */
export interface TrainingSetup {
  model: string
  dataset: string
  checkpoint: string | undefined
  /** Recipes to choose from; the first is chosen at first. */
  recipes: readonly string[]
  /** Knobs of the recipes that are shown; all of them when empty. */
  shown: readonly string[]
  /** Where knobs stand at first, by name; those of the recipe otherwise. */
  first: Readonly<Record<string, number>>
  /** Images in a batch, and peak of the rate; the model's own when left out. */
  batchSize: number | undefined
  learningRate: number | undefined
  /** Steps of the PGD that is read beside one long step; 0 reads none. */
  pgdSteps: number
}

const words = (text: string | undefined) => (text ?? '').split(/\s+/).filter(Boolean)
const numberOf = (text: string | undefined) => (text === undefined ? undefined : Number(text))

export function readTrainingSetup(props: Record<string, string>): TrainingSetup {
  const { model, dataset, checkpoint, recipes, knobs, batch, rate, pgd, ...rest } = props
  const first = Object.entries(rest).flatMap(([name, text]) =>
    text.trim() !== '' && Number.isFinite(Number(text)) ? [[name, Number(text)] as const] : [],
  )
  return {
    model: model ?? 'digits-cnn',
    dataset: dataset ?? 'mnist10k',
    checkpoint,
    recipes: recipes ? words(recipes) : ['fgsm-training'],
    shown: words(knobs),
    first: Object.fromEntries(first),
    batchSize: numberOf(batch),
    learningRate: numberOf(rate),
    pgdSteps: numberOf(pgd) ?? 0,
  }
}

/** What the knobs were when a training began. */
export interface TrainingKnobs {
  recipe: string
  /** The recipe's own, ε among them. */
  options: Readonly<Record<string, number>>
  epochs: number
  /** Start from random weights, not from the shipped ones. */
  fromScratch: boolean
}

/** Shares of test images that are read rightly, in percent, by figure: `cleanAccuracy`, `fgsmAccuracy`, … */
export type Readings = Readonly<Record<string, number>>

/** One training: how far it came, and what it cost. */
export interface TrainingRun {
  knobs: TrainingKnobs
  seed: number
  total: number
  /** As the engine told it. */
  history: readonly HistoryPoint[]
  /** The shipped model before any training: what the outcome is compared with. */
  before: Readings | undefined
  state: 'running' | 'done' | 'stopped' | 'failed'
  seconds: number
  weights?: Weight[]
}

const epochsKnob: NumberParameter = {
  kind: 'number',
  name: 'epochs',
  label: 'Epochs',
  help: 'Passes over the training images.',
  min: 1,
  max: 8,
  step: 1,
  unit: '',
  scale: 'linear',
}
const firstEpochs = 2

/** What a figure of the curve says, in the order in which it is drawn. The last one that is there is the one that counts. */
export const figureWords: Readonly<Record<string, string>> = {
  cleanAccuracy: 'clean',
  fgsmAccuracy: 'under one step',
  pgdAccuracy: 'under many steps',
  noisyAccuracy: 'under noise',
  stickerAccuracy: 'with a painted square',
}
export const figuresOf = (readings: Readings | undefined): string[] =>
  Object.keys(figureWords).filter((name) => readings?.[name] !== undefined)

/** A dozen batches or so. */
const rehearsedBatches = 12
/** A last reading takes less; a worker that hangs is not waited for longer. */
const finishWithinMs = 8000
/** As many as the live readings are taken on. */
const baselineImages = 200
const pgdImages = 100

/**
 * The training bench: a recipe and its knobs, a training under the run bar, its curves as they come, and the
 * weights to hand in.
 */
export class TrainingBench {
  run: TrainingRun | undefined = $state.raw()
  /** The shipped model before any repair: clean, and attacked with this ε. */
  baseline: { epsilon: number; readings: Readings; key: string } | undefined = $state.raw()
  trouble = $state('')
  /** Of the data set: what one image shows, and how many there are to train on. */
  noun = $state('image')
  /** Timed on this machine and backend: seconds per batch of a recipe and its steps. */
  pace: { seconds: number; batchesPerEpoch: number; key: string } | undefined = $state.raw()
  known: readonly RecipeInfo[] = $state.raw([])
  /** The rehearsal under way: a training does not wait for it. */
  #rehearsal: AbortController | undefined
  #learned: Promise<void> | undefined

  /** Recipes to choose from. */
  readonly recipes = $derived.by(() =>
    this.setup.recipes.flatMap((id) => this.known.find((recipe) => recipe.id === id) ?? []),
  )
  readonly recipe: RecipeInfo | undefined = $derived.by(() => {
    const id = this.session.knob('training.recipe', this.setup.recipes[0]!)
    return this.recipes.find((recipe) => recipe.id === id) ?? this.recipes[0]
  })
  readonly parameters: readonly NumberParameter[] = $derived.by(() => {
    const { shown } = this.setup
    const own = (this.recipe?.parameters ?? []).filter(
      (parameter): parameter is NumberParameter =>
        parameter.kind === 'number' && (shown.length === 0 || shown.includes(parameter.name)),
    )
    return [...own, epochsKnob]
  })
  readonly knobs: TrainingKnobs = $derived.by(() => {
    const { first } = this.setup
    const defaults = this.recipe?.defaults ?? {}
    const options = Object.entries(defaults).map(([name, value]) => [
      name,
      this.session.knob<number>(this.#key(name), first[name] ?? (value as number)),
    ])
    return {
      recipe: this.recipe?.id ?? this.setup.recipes[0]!,
      options: Object.fromEntries(options) as Record<string, number>,
      epochs: this.session.knob('training.epochs', first.epochs ?? firstEpochs),
      fromScratch: this.session.knob('training.fromScratch', false),
    }
  })
  readonly epsilon = $derived(this.knobs.options.epsilon ?? 0)
  readonly checkpoint: CheckpointSpec | undefined = $derived.by(
    () =>
      this.session.checkpoints.find(({ id }) => id === this.setup.checkpoint) ??
      this.session.checkpoints.find(
        ({ artefact, accepts }) => artefact === 'model-weights' && accepts.includes('explore'),
      ),
  )
  /** Weights of the knobs' present values, of a whole training or a stopped one, that are not handed in yet. */
  readonly fresh = $derived.by(
    () =>
      this.run?.weights !== undefined &&
      sameKnobs(this.run.knobs, this.knobs) &&
      this.run.seed === this.session.seed &&
      !this.handedIn,
  )
  readonly handedIn = $derived.by(() =>
    this.session.record.attempts.some(
      ({ artefact }) =>
        artefact.kind === 'model-weights' &&
        this.run?.weights !== undefined &&
        sameWeights(artefact.tensors, this.run.weights),
    ),
  )
  /** What the curve shows when it ends badly. Ten classes or fewer cost no more than their logarithm. */
  readonly collapse: Collapse | undefined = $derived.by(() =>
    this.run && this.run.state !== 'running' ? findCollapse(this.run.history, this.classes) : undefined,
  )
  classes = $state(10)

  /** How long a training with the present knobs will take, when its recipe was timed. */
  readonly estimate = $derived.by(() => {
    if (!this.pace || this.pace.key !== this.#paceKey()) return undefined
    const batches = Math.round(this.knobs.epochs * this.pace.batchesPerEpoch)
    return { batches, milliseconds: 1000 * this.pace.seconds, seconds: batches * this.pace.seconds }
  })

  constructor(
    readonly session: LabSession,
    readonly setup: TrainingSetup,
  ) {}

  /** Which recipes there are, and what the data set shows. Once; a failure is told and tried again next time. */
  learn(): Promise<void> {
    this.#learned ??= this.#learn().catch((error: unknown) => {
      this.trouble = sentenceOf(error)
      this.#learned = undefined
    })
    return this.#learned
  }

  async #learn(): Promise<void> {
    this.known = (await this.session.engine.call('recipes', {})) as RecipeInfo[]
    const wanted = { dataset: this.setup.dataset, split: 'test', ids: [0] }
    const { noun, classes } = (await this.session.engine.call('images', wanted)) as ImagesResult
    this.noun = noun
    this.classes = classes.length
    const missing = this.setup.recipes.find((id) => !this.known.some((recipe) => recipe.id === id))
    if (missing)
      this.trouble = `There is no training recipe "${missing}"; the recipes are ${this.known.map(({ id }) => id).join(', ')}.`
  }

  choose(recipe: string): void {
    this.session.setKnob('training.recipe', recipe)
  }

  set(name: string, value: number | boolean): void {
    const shared = name === 'epochs' || name === 'fromScratch'
    this.session.setKnob(shared ? `training.${name}` : this.#key(name), value)
  }

  /** ε and ramp mean the same in every recipe; what else there is, is the recipe's own. */
  #key(name: string): string {
    return name === 'epsilon' || name === 'ramp'
      ? `training.${name}`
      : `training.${this.recipe?.id ?? ''}.${name}`
  }

  #paceKey(): string {
    const { epsilon: _, ramp: __, ...rest } = this.knobs.options
    return JSON.stringify([this.knobs.recipe, rest])
  }

  #params(knobs: TrainingKnobs, seed: number): TrainDefenceParams {
    const { model, dataset, batchSize, learningRate, pgdSteps } = this.setup
    return {
      model,
      dataset,
      recipe: knobs.recipe,
      options: { ...knobs.options },
      epochs: knobs.epochs,
      fromScratch: knobs.fromScratch,
      seed,
      ...(batchSize === undefined ? {} : { batchSize }),
      ...(learningRate === undefined ? {} : { learningRate }),
      pgdSteps,
    }
  }

  /** What the unrepaired model holds at this ε, on the images of the live readings. */
  async measureBaseline(signal?: AbortSignal): Promise<void> {
    await this.learn()
    const { epsilon } = this
    // A recipe's own figure is read as the recipe attacks, and so with all its options.
    const key = JSON.stringify(this.recipe?.figure ? [this.knobs.recipe, this.knobs.options] : epsilon)
    if (this.baseline?.key === key) return
    const { pgdSteps } = this.setup
    const shares = async (attack: string, options: object, values: number[], images: number) => {
      const params = {
        model: { model: this.setup.model },
        images: {
          dataset: this.setup.dataset,
          split: 'test',
          ids: Array.from({ length: images }, (_, id) => id),
        },
        attack,
        options: { norm: 'linf', ...options },
        parameter: 'epsilon',
        values,
      }
      const { points } = (await this.session.engine.call('sweep', params, { signal })) as {
        points: SweepPoint[]
      }
      return points.map(({ share }) => 100 * (1 - share))
    }
    try {
      if (this.recipe?.figure) {
        const { recipe, options } = this.knobs
        const { model, dataset } = this.setup
        const read = (await this.session.engine.call(
          'training-baseline',
          { model, dataset, recipe, options },
          { signal },
        )) as Record<string, number>
        const percent = Object.entries(read).map(([figure, share]) => [figure, 100 * share] as const)
        this.baseline = { epsilon, readings: Object.fromEntries(percent), key }
        return
      }
      const [clean, attacked] = await shares('fgsm', {}, [0, epsilon], baselineImages)
      const readings: Record<string, number> = { cleanAccuracy: clean!, fgsmAccuracy: attacked! }
      if (pgdSteps > 0 && epsilon > 0) {
        const step = { steps: pgdSteps, stepSize: (2.5 * epsilon) / pgdSteps }
        readings.pgdAccuracy = (await shares('pgd', step, [epsilon], pgdImages))[0]!
      }
      this.baseline = { epsilon, readings, key }
    } catch (error) {
      if (!signal?.aborted) this.trouble = sentenceOf(error)
    }
  }

  /** Trains for a few batches and throws them away, to say how long the whole will take. */
  async measurePace(): Promise<void> {
    await this.learn()
    const key = this.#paceKey()
    if (!this.recipe || this.pace?.key === key || this.#rehearsal) return
    const rehearsal = (this.#rehearsal = new AbortController())
    // From the first batch on with the full ε: on a ramp they would cost nothing yet.
    const knobs = { ...this.knobs, options: { ...this.knobs.options, ramp: 0 }, epochs: 1 }
    const params = { ...this.#params(knobs, this.session.seed), readings: 0, pgdSteps: 0 }
    const times: number[] = []
    let batches = 0
    try {
      await this.session.engine.call('train-defence', params, {
        signal: rehearsal.signal,
        onProgress: (_, total) => {
          batches = total
          times.push(performance.now())
          if (times.length >= rehearsedBatches) rehearsal.abort()
        },
      })
    } catch {
      // It is stopped on purpose; one that cannot even begin is not shown, and training will say why.
    } finally {
      this.#rehearsal = undefined
    }
    // The first batch prepares the kernels.
    const between = times.slice(1)
    if (between.length > 1 && !this.session.queue.running) {
      const seconds = (between.at(-1)! - between[0]!) / 1000 / (between.length - 1)
      this.pace = { seconds, batchesPerEpoch: batches, key }
    }
  }

  async train(): Promise<void> {
    this.trouble = ''
    this.#rehearsal?.abort()
    const began = performance.now()
    const update = (change: Partial<TrainingRun>) => {
      this.run = { ...this.run!, ...change, seconds: (performance.now() - began) / 1000 }
    }
    await this.session.work('Training the repair', async ({ signal, progress }) => {
      // On a slow backend this takes a while: it is part of what the run bar shows and Cancel stops.
      await this.measureBaseline(signal)
      if (signal.aborted) return false
      const knobs = { ...this.knobs }
      const key = this.#paceKey()
      const seed = this.session.seed
      this.run = {
        knobs,
        seed,
        total: 0,
        before: this.baseline?.readings,
        history: [],
        state: 'running',
        seconds: 0,
      }
      // Cancel hands over the weights so far. A worker that does not answer to that is stopped without them.
      const hard = new AbortController()
      let patience: ReturnType<typeof setTimeout> | undefined
      const finish = () => {
        patience = setTimeout(() => hard.abort(), finishWithinMs)
        this.session.engine.call('finish-training', {}).catch(() => hard.abort())
      }
      signal.addEventListener('abort', finish, { once: true })
      const { weights } = (await this.session.engine
        .call('train-defence', this.#params(knobs, seed), {
          signal: hard.signal,
          onProgress: (done, total, values) => {
            progress(done, total)
            if (!values || !this.run) return
            const point = { step: done, ...values } as HistoryPoint
            update({ total, history: [...this.run.history, point] })
          },
        })
        .finally(() => clearTimeout(patience))) as Training
      update({ state: signal.aborted ? 'stopped' : 'done', weights })
      const batches = this.run?.history.at(-1)?.step ?? 0
      if (this.run && batches > 0)
        this.pace = {
          seconds: this.run.seconds / batches,
          batchesPerEpoch: this.run.total / knobs.epochs,
          key,
        }
      return true
    })
    if (this.run?.state === 'running')
      update({ state: this.session.queue.phase === 'cancelled' ? 'stopped' : 'failed' })
  }

  async handIn(): Promise<void> {
    const { run, checkpoint } = this
    if (!run?.weights || !checkpoint) return
    await this.session.handIn(
      checkpoint.id,
      { kind: 'model-weights', model: this.setup.model, tensors: run.weights },
      { 'training.json': `${JSON.stringify(this.#params(run.knobs, run.seed), null, 2)}\n` },
    )
  }

  /** The run's curve of one figure, in percent; a repair's begins with the shipped model. */
  curve(figure: string): [number, number][] {
    const { run } = this
    if (!run) return []
    const start = run.knobs.fromScratch ? undefined : run.before?.[figure]
    return [
      ...(start === undefined ? [] : [[0, start] as [number, number]]),
      ...run.history.flatMap(({ step, [figure]: share }): [number, number][] =>
        share === undefined ? [] : [[step, 100 * share]],
      ),
    ]
  }

  /** Figures that the run, or else the baseline, has read. */
  readonly figures = $derived.by(() => {
    const read = this.run?.history.find(({ cleanAccuracy }) => cleanAccuracy !== undefined)
    return figuresOf(read ?? this.baseline?.readings)
  })

  /** What the repair cost and gained: clean, and the figure that counts. */
  readonly cost = $derived.by(() => {
    const { run } = this
    const figure = this.figures.at(-1)
    const last = run?.history.findLast(({ cleanAccuracy }) => cleanAccuracy !== undefined)
    if (!run || !last || !figure || figure === 'cleanAccuracy') return undefined
    return {
      figure,
      cleanBefore: run.before?.cleanAccuracy,
      clean: 100 * last.cleanAccuracy!,
      attackedBefore: run.before?.[figure],
      attacked: 100 * last[figure]!,
    }
  })
}

export const sameKnobs = (a: TrainingKnobs, b: TrainingKnobs) =>
  a.recipe === b.recipe &&
  a.epochs === b.epochs &&
  a.fromScratch === b.fromScratch &&
  Object.keys({ ...a.options, ...b.options }).every((name) => a.options[name] === b.options[name])

function sameWeights(a: readonly Weight[], b: readonly Weight[]): boolean {
  return (
    a === b ||
    (a.length === b.length &&
      a.every(
        ({ values }, i) =>
          values.length === b[i]!.values.length && values.every((value, j) => value === b[i]!.values[j]),
      ))
  )
}
