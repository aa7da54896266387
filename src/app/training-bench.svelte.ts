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
}

/** One training: how far it came, and what it cost. */
export interface TrainingRun {
  knobs: TrainingKnobs
  seed: number
  total: number
  loss: [number, number][]
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

const defaults: TrainingKnobs = { epsilon: 0.15, share: 50, epochs: 2 }
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

  readonly parameters: readonly NumberParameter[] = Object.values(knobs)
  readonly knobs: TrainingKnobs = $derived.by(() => ({
    epsilon: this.session.knob('training.epsilon', defaults.epsilon),
    share: this.session.knob('training.share', defaults.share),
    epochs: this.session.knob('training.epochs', defaults.epochs),
  }))
  readonly checkpoint: CheckpointSpec | undefined = $derived.by(
    () =>
      this.session.checkpoints.find(({ id }) => id === this.setup.checkpoint) ??
      this.session.checkpoints.find(
        ({ artefact, accepts }) => artefact === 'model-weights' && accepts.includes('explore'),
      ),
  )
  /** A finished training that has the knobs' present values and is not handed in yet. */
  readonly fresh = $derived.by(
    () =>
      this.run?.state === 'done' &&
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

  constructor(
    readonly session: LabSession,
    readonly setup: TrainingSetup,
  ) {}

  set(name: string, value: number): void {
    this.session.setKnob(`training.${name}`, value)
  }

  /** What the unrepaired model holds at this ε, on the digits of the live readings. */
  async measureBaseline(): Promise<void> {
    const { epsilon } = this.knobs
    if (this.baseline?.epsilon === epsilon) return
    const ids = Array.from({ length: baselineImages }, (_, id) => id)
    try {
      const { points } = (await this.session.engine.call('sweep', {
        model: { model: this.setup.model },
        images: { dataset: this.setup.dataset, split: 'test', ids },
        attack: 'fgsm',
        options: { norm: 'linf' },
        parameter: 'epsilon',
        values: [0, epsilon],
      })) as { points: SweepPoint[] }
      this.baseline = { epsilon, clean: 100 * (1 - points[0]!.share), attacked: 100 * (1 - points[1]!.share) }
    } catch (error) {
      this.trouble = sentenceOf(error)
    }
  }

  async train(): Promise<void> {
    const knobs = { ...this.knobs }
    const seed = this.session.seed
    this.trouble = ''
    await this.measureBaseline()
    const start = this.baseline
    const run: TrainingRun = {
      knobs,
      seed,
      total: 0,
      loss: [],
      clean: start ? [[0, start.clean]] : [],
      attacked: start ? [[0, start.attacked]] : [],
      state: 'running',
      seconds: 0,
    }
    this.run = run
    const began = performance.now()
    const update = (change: Partial<TrainingRun>) => {
      this.run = { ...this.run!, ...change, seconds: (performance.now() - began) / 1000 }
    }
    await this.session.work('Training the repair', async ({ signal, progress }) => {
      const params = {
        model: this.setup.model,
        dataset: this.setup.dataset,
        ...knobs,
        share: knobs.share / 100,
        seed,
      }
      const { weights } = (await this.session.engine.call('train-defence', params, {
        signal,
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
              values.attackedAccuracy === undefined
                ? attacked
                : [...attacked, [done, 100 * values.attackedAccuracy]],
          })
        },
      })) as Training
      update({ state: 'done', weights })
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
    const before = { clean: run?.clean[0]?.[1], attacked: run?.attacked[0]?.[1] }
    const after = { clean: run?.clean.at(-1)?.[1], attacked: run?.attacked.at(-1)?.[1] }
    if (
      !run ||
      before.clean === undefined ||
      before.attacked === undefined ||
      after.clean === undefined ||
      after.attacked === undefined
    )
      return undefined
    if (run.clean.length < 2) return undefined
    return {
      cleanBefore: before.clean,
      clean: after.clean,
      attackedBefore: before.attacked,
      attacked: after.attacked,
    }
  })
}

export const sameKnobs = (a: TrainingKnobs, b: TrainingKnobs) =>
  a.epsilon === b.epsilon && a.share === b.share && a.epochs === b.epochs

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
