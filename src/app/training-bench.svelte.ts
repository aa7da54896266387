import type { NumberParameter } from '../attacks/attack.ts'
import type { SweepPoint } from '../engine/methods/sweep.ts'
import type { Training } from '../engine/methods/train-defence.ts'
import type { CheckpointSpec } from '../labs/manifest.ts'
import type { Weight } from '../models/model.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { sentenceOf } from './sentences.ts'

/** What the directive says: `::widget{kind=training-bench model=digits-cnn dataset=mnist10k checkpoint=repaired}`. */
export interface TrainingSetup {
  model: string
  dataset: string
  checkpoint: string | undefined
}

export function readTrainingSetup(props: Record<string, string>): TrainingSetup {
  return {
    model: props.model ?? 'digits-cnn',
    dataset: props.dataset ?? 'mnist10k',
    checkpoint: props.checkpoint,
  }
}

/** What the knobs were when a training began. */
export interface TrainingKnobs {
  epsilon: number
  /** Percent of each batch. */
  share: number
  epochs: number
  /** Start from random weights, not from the shipped ones. */
  fromScratch: boolean
}

/** One training: how far it came, and what it cost. */
export interface TrainingRun {
  knobs: TrainingKnobs
  seed: number
  total: number
  loss: [number, number][]
  /** The shipped model before any training, in percent: what the outcome is compared with. */
  before: { clean: number; attacked: number } | undefined
  /** Percent of test digits read rightly, by step. */
  clean: [number, number][]
  attacked: [number, number][]
  state: 'running' | 'done' | 'stopped' | 'failed'
  seconds: number
  weights?: Weight[]
}

const knobs = {
  epsilon: {
    kind: 'number',
    name: 'epsilon',
    label: 'Strength',
    symbol: 'ε',
    help: 'How far the attacked training digits are moved.',
    min: 0,
    max: 0.3,
    step: 0.01,
    unit: '',
    scale: 'linear',
  },
  share: {
    kind: 'number',
    name: 'share',
    label: 'Attacked share of a batch',
    help: 'The rest of each batch stays as it is, so that clean digits are not forgotten.',
    min: 0,
    max: 100,
    step: 5,
    unit: '%',
    scale: 'linear',
  },
  epochs: {
    kind: 'number',
    name: 'epochs',
    label: 'Epochs',
    help: 'Passes over the training digits.',
    min: 1,
    max: 8,
    step: 1,
    unit: '',
    scale: 'linear',
  },
} as const satisfies Record<string, NumberParameter>

const defaults: TrainingKnobs = { epsilon: 0.15, share: 50, epochs: 2, fromScratch: false }
/** A dozen batches or so. */
const rehearsedEpochs = 0.1
/** A last reading takes less; a worker that hangs is not waited for longer. */
const finishWithinMs = 8000
/** As many as the live readings are taken on. */
const baselineImages = 200

/**
 * The training bench: three knobs, a training under the run bar, its curves as they come, and the weights
 * to hand in.
 */
export class TrainingBench {
  run: TrainingRun | undefined = $state.raw()
  /** The shipped model before any repair, in percent: clean and under one step. */
  baseline: { epsilon: number; clean: number; attacked: number } | undefined = $state.raw()
  trouble = $state('')
  /** Timed on this machine and backend: seconds per batch at a share of attacked digits. */
  pace: { seconds: number; batchesPerEpoch: number; share: number } | undefined = $state.raw()
  /** The rehearsal under way: a training does not wait for it. */
  #rehearsal: AbortController | undefined

  readonly parameters: readonly NumberParameter[] = Object.values(knobs)
  readonly knobs: TrainingKnobs = $derived.by(() => ({
    epsilon: this.session.knob('training.epsilon', defaults.epsilon),
    share: this.session.knob('training.share', defaults.share),
    epochs: this.session.knob('training.epochs', defaults.epochs),
    fromScratch: this.session.knob('training.fromScratch', defaults.fromScratch),
  }))
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

  /** How long a training with the present knobs will take. An attacked digit costs a gradient more than a clean one. */
  readonly estimate = $derived.by(() => {
    if (!this.pace) return undefined
    const batches = Math.round(this.knobs.epochs * this.pace.batchesPerEpoch)
    const perBatch = (this.pace.seconds * (100 + this.knobs.share)) / (100 + this.pace.share)
    return { batches, milliseconds: 1000 * perBatch, seconds: batches * perBatch }
  })

  constructor(
    readonly session: LabSession,
    readonly setup: TrainingSetup,
  ) {}

  set(name: string, value: number | boolean): void {
    this.session.setKnob(`training.${name}`, value)
  }

  /** What the unrepaired model holds at this ε, on the digits of the live readings. */
  async measureBaseline(signal?: AbortSignal): Promise<void> {
    const { epsilon } = this.knobs
    if (this.baseline?.epsilon === epsilon) return
    const ids = Array.from({ length: baselineImages }, (_, id) => id)
    try {
      const params = {
        model: { model: this.setup.model },
        images: { dataset: this.setup.dataset, split: 'test', ids },
        attack: 'fgsm',
        options: { norm: 'linf' },
        parameter: 'epsilon',
        values: [0, epsilon],
      }
      const { points } = (await this.session.engine.call('sweep', params, { signal })) as {
        points: SweepPoint[]
      }
      this.baseline = { epsilon, clean: 100 * (1 - points[0]!.share), attacked: 100 * (1 - points[1]!.share) }
    } catch (error) {
      if (!signal?.aborted) this.trouble = sentenceOf(error)
    }
  }

  /** Trains for a few batches and throws them away, to say how long the whole will take. */
  async measurePace(): Promise<void> {
    if (this.pace || this.#rehearsal) return
    const rehearsal = (this.#rehearsal = new AbortController())
    const { epsilon, share } = this.knobs
    const params = {
      model: this.setup.model,
      dataset: this.setup.dataset,
      recipe: 'fgsm-training',
      options: { epsilon, share: share / 100 },
      seed: this.session.seed,
      epochs: rehearsedEpochs,
      readings: 0,
    }
    const times: number[] = []
    let batches = 0
    try {
      await this.session.engine.call('train-defence', params, {
        signal: rehearsal.signal,
        onProgress: (_, total) => {
          batches = total
          times.push(performance.now())
        },
      })
      // The first batch prepares the kernels, the last one waits for its reading.
      const between = times.slice(1, -1)
      if (between.length > 1 && !this.session.queue.running) {
        this.pace = {
          seconds: (between.at(-1)! - between[0]!) / 1000 / (between.length - 1),
          batchesPerEpoch: batches / rehearsedEpochs,
          share,
        }
      }
    } catch {
      // An estimate that cannot be made is not shown; training itself will say what is wrong.
    } finally {
      this.#rehearsal = undefined
    }
  }

  async train(): Promise<void> {
    const knobs = { ...this.knobs }
    const seed = this.session.seed
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
      const before = this.baseline
      const start = knobs.fromScratch ? undefined : before
      this.run = {
        knobs,
        seed,
        total: 0,
        before,
        loss: [],
        clean: start ? [[0, start.clean]] : [],
        attacked: start ? [[0, start.attacked]] : [],
        state: 'running',
        seconds: 0,
      }
      const params = {
        model: this.setup.model,
        dataset: this.setup.dataset,
        recipe: 'fgsm-training',
        options: { epsilon: knobs.epsilon, share: knobs.share / 100 },
        epochs: knobs.epochs,
        fromScratch: knobs.fromScratch,
        seed,
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
        .call('train-defence', params, {
          signal: hard.signal,
          onProgress: (done, total, values) => {
            progress(done, total)
            if (!values || !this.run) return
            const { loss, clean, attacked } = this.run
            update({
              total,
              loss: values.loss === undefined ? loss : [...loss, [done, values.loss]],
              clean:
                values.cleanAccuracy === undefined ? clean : [...clean, [done, 100 * values.cleanAccuracy]],
              attacked:
                values.fgsmAccuracy === undefined
                  ? attacked
                  : [...attacked, [done, 100 * values.fgsmAccuracy]],
            })
          },
        })
        .finally(() => clearTimeout(patience))) as Training
      update({ state: signal.aborted ? 'stopped' : 'done', weights })
      const batches = this.run?.loss.at(-1)?.[0] ?? 0
      if (this.run && batches > 0)
        this.pace = {
          seconds: this.run.seconds / batches,
          batchesPerEpoch: this.run.total / knobs.epochs,
          share: knobs.share,
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
      {
        'training.json': `${JSON.stringify({ ...run.knobs, seed: run.seed, model: this.setup.model, dataset: this.setup.dataset }, null, 2)}\n`,
      },
    )
  }

  /** What the repair cost and gained, in one sentence. */
  readonly cost = $derived.by(() => {
    const run = this.run
    const before = run?.before
    const after = { clean: run?.clean.at(-1)?.[1], attacked: run?.attacked.at(-1)?.[1] }
    if (!run || !before || after.clean === undefined || after.attacked === undefined) return undefined
    // A repair's first point is the shipped model itself, not a reading of this training.
    if (run.clean.length < (run.knobs.fromScratch ? 1 : 2)) return undefined
    return {
      cleanBefore: before.clean,
      clean: after.clean,
      attackedBefore: before.attacked,
      attacked: after.attacked,
    }
  })
}

export const sameKnobs = (a: TrainingKnobs, b: TrainingKnobs) =>
  a.epsilon === b.epsilon && a.share === b.share && a.epochs === b.epochs && a.fromScratch === b.fromScratch

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
