import type { Labels } from '../core/classifier.ts'
import { PerturbError } from '../core/errors.ts'
import { softCrossEntropyRows } from '../core/losses.ts'
import { nextTask, now } from '../core/platform.ts'
import { createRng } from '../core/rng.ts'
import { throwIfCancelled, type RunContext } from '../core/run.ts'
import * as tf from '../core/tf.ts'
import type { Split } from '../data/data-set.ts'
import type { Architecture, Model, Weight } from './model.ts'
import { createTrainer, type BatchLoss } from './trainer.ts'
import { checkWeights } from './weights.ts'

export interface TrainOptions {
  architecture: Architecture
  /** Where to start; see initialWeights. */
  weights: readonly Weight[]
  data: Split
  epochs: number
  batchSize: number
  /** Peak of the one-cycle rate. */
  learningRate: number
  /**
   * Adversarial training: what a batch is replaced by before the step. x is borrowed, the result is the
   * loop's to dispose (returning x itself is fine). Labels stay, unless the result brings a loss of its own.
   */
  adversarial?: (model: Model, x: tf.Tensor, y: Labels, run: BatchRun) => Promise<tf.Tensor | PreparedBatch>
  /**
   * What each row of data is trained towards instead of its label: probabilities, row-major, numClasses a row. Not beside
   * `adversarial`.
   */
  targets?: Float32Array
  /** Figures for the curve, every `evaluateEvery` steps and at the end, e.g. clean and attacked accuracy. */
  evaluate?: (model: Model) => Promise<Record<string, number>>
  evaluateEvery?: number
  /** How often the loss is read back for the curve; 10 by default. */
  readLossEvery?: number
  /** Ends the training after its present step, with the weights so far and a last reading. */
  finish?: AbortSignal
}

/** What a batch's preparation is told: a seed of its own, and how far the training is. */
export interface BatchRun extends RunContext {
  /** Steps done before this one, and in all. */
  readonly step: number
  readonly total: number
}

/** Rows to step on, and the loss that they mean when it is not the cross-entropy of the labels. */
export interface PreparedBatch {
  x: tf.Tensor
  loss: BatchLoss
}

export interface HistoryPoint {
  /** Steps done. */
  step: number
  /** Mean loss since the point before. */
  loss: number
  /** What `evaluate` said, when it was asked at this step. */
  [figure: string]: number
}

/**
 * Trains from the given weights and returns new ones; `data` and `weights` are untouched. Batches are
 * shuffled by run.seed: same seed, same backend and machine, same bytes. The signal is looked at between
 * steps, and a cancelled training leaves no tensor behind. Throws PerturbError `bad-input` for options
 * that make no sense and when the loss is no longer finite, `cancelled` when stopped.
 */
export async function train(
  options: TrainOptions,
  run: RunContext,
): Promise<{ weights: Weight[]; history: HistoryPoint[] }> {
  const {
    architecture,
    data,
    epochs,
    batchSize,
    adversarial,
    targets,
    evaluate,
    evaluateEvery = 0,
    readLossEvery = 10,
    finish,
  } = options
  checkOptions(options)
  const batches = Math.ceil(data.count / batchSize)
  const total = Math.max(1, Math.round(epochs * batches))
  const rate = oneCycle(options.learningRate, total)
  const rng = createRng(run.seed, 'train')
  const trainer = createTrainer(architecture, options.weights)
  const history: HistoryPoint[] = []
  const losses: tf.Scalar[] = []
  let order: Int32Array = new Int32Array(0)
  let yielded = now()
  const breath = createBreath()
  try {
    for (let step = 0; step < total; step++) {
      throwIfCancelled(run)
      const batch = step % batches
      if (batch === 0)
        order = rng
          .fork(`epoch ${step / batches}`)
          .shuffle(Int32Array.from({ length: data.count }, (_, i) => i))
      const ids = order.subarray(batch * batchSize, (batch + 1) * batchSize)
      const y = Int32Array.from(ids, (id) => data.labels[id]!)
      const x = data.images(ids)
      let input: tf.Tensor = x
      try {
        let loss = targets && towards(targets, ids, architecture.numClasses)
        if (adversarial) {
          const batchRun = { ...run, onStep: undefined, seed: run.seed + step, step, total }
          const prepared = await adversarial(trainer.model, x, y, batchRun)
          if (prepared instanceof tf.Tensor) input = prepared
          else ({ x: input, loss } = prepared)
        }
        losses.push(loss ? trainer.stepOn(input, loss, rate(step)) : trainer.step(input, y, rate(step)))
      } finally {
        tf.dispose([x, input])
      }
      const done = step + 1
      const isLast = done === total || finish?.aborted === true
      const evaluateNow = evaluate && (isLast || (evaluateEvery > 0 && done % evaluateEvery === 0))
      if (evaluateNow || isLast || done % readLossEvery === 0) {
        const loss = await meanOf(losses)
        if (!Number.isFinite(loss)) {
          throw new PerturbError(
            'bad-input',
            `train: the loss is ${loss} after ${done} steps; try a smaller learning rate than ${options.learningRate}`,
          )
        }
        const values = { loss, ...(evaluateNow ? await evaluate(trainer.model) : {}) }
        history.push({ step: done, ...values })
        run.onStep?.(done, total, values)
      } else {
        if (breath.isDue()) await losses.at(-1)!.data()
        run.onStep?.(done, total)
      }
      if (isLast) break
      if (now() - yielded > 12) {
        await nextTask()
        yielded = now()
      }
    }
    throwIfCancelled(run)
    return { weights: checkWeights(architecture, await trainer.weights()), history }
  } finally {
    tf.dispose(losses)
    trainer.dispose()
  }
}

/** Mean cross-entropy towards the targets of these rows. */
const towards = (targets: Float32Array, ids: Int32Array, classes: number): BatchLoss => {
  const values = new Float32Array(ids.length * classes)
  for (const [i, id] of ids.entries())
    values.set(targets.subarray(id * classes, (id + 1) * classes), i * classes)
  return (logits) => tf.mean(softCrossEntropyRows(logits, tf.tensor2d(values, [ids.length, classes])))
}

/** Work that a graphics device may be behind with: a cancel, and the page's other questions, wait for it. */
const breathMs = 60

/**
 * Says after which steps to wait for the device. Steps are handed over faster than a slow device takes them, so
 * how long one takes shows only at a wait; the next is then as many steps away as fit into breathMs.
 */
export function createBreath(clock: () => number = now): { isDue(): boolean } {
  let [waited, steps, every] = [clock(), 0, 1]
  let isWaiting = false
  return {
    isDue() {
      if (isWaiting) {
        every = Math.max(1, Math.min(1000, Math.floor((breathMs * steps) / Math.max(clock() - waited, 1e-3))))
        ;[waited, steps] = [clock(), 0]
      }
      isWaiting = ++steps >= every
      return isWaiting
    },
  }
}

/** Mean of scalars, which are disposed and forgotten. */
async function meanOf(scalars: tf.Scalar[]): Promise<number> {
  const taken = scalars.splice(0)
  const mean = tf.tidy(() => tf.mean(tf.stack(taken)))
  tf.dispose(taken)
  const [value] = await mean.data()
  mean.dispose()
  return value!
}

/**
 * One-cycle rate (Smith 2018, arXiv:1803.09820), linear both ways: from peak/25 up to the peak over the
 * first 30 % of the steps, then down to almost zero. Straight lines, so that no Math.cos differs between
 * engines.
 */
export function oneCycle(peak: number, total: number): (step: number) => number {
  const rise = 0.3 * total
  return (step) => {
    const climbing = peak / 25 + (peak - peak / 25) * ((step + 1) / rise)
    const falling = peak * ((total - step) / (total - rise))
    return step + 1 < rise ? climbing : Math.min(peak, falling)
  }
}

function checkOptions(options: TrainOptions): void {
  const { architecture, data, epochs, batchSize, learningRate, targets, adversarial } = options
  const fail = (what: string) => new PerturbError('bad-input', `train: ${what}`)
  const wanted = data.count * architecture.numClasses
  if (targets && adversarial) throw fail('targets would have no effect beside adversarial; give one of them')
  if (targets && targets.length !== wanted)
    throw fail(`targets must hold ${wanted} probabilities, one a row and class; got ${targets.length}`)
  if (targets?.some((value) => !(value >= 0 && value <= 1)))
    throw fail('targets must be probabilities from 0 to 1, without NaN')
  if (!(epochs > 0 && Number.isFinite(epochs))) throw fail(`epochs must be positive; got ${epochs}`)
  if (!(Number.isInteger(batchSize) && batchSize > 0))
    throw fail(`batchSize must be a whole number above 0; got ${batchSize}`)
  if (!(learningRate > 0 && Number.isFinite(learningRate)))
    throw fail(`learningRate must be positive; got ${learningRate}`)
  if (data.count === 0) throw fail('the data set is empty')
  const [low, high] = architecture.bounds
  const first = data.pixels(Int32Array.from({ length: Math.min(64, data.count) }, (_, i) => i))
  const bad = first.find((value) => !(value >= low && value <= high))
  if (bad !== undefined) {
    throw fail(
      `pixels must lie in [${low}, ${high}]; got ${bad}${bad > 1 ? '. Are the images in 0..255? Divide by 255' : ''}`,
    )
  }
}
