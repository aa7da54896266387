/**
 * Neural Cleanse: for each class look for the smallest patch that leads every input there. A backdoor is a
 * short cut, so its class needs a far smaller patch than the others; the anomaly index says how far. Wang,
 * Yao, Shan, Li, Viswanath, Zheng, Zhao 2019, "Neural Cleanse: Identifying and Mitigating Backdoor Attacks in
 * Neural Networks", §IV (IEEE S&P).
 *
 * Differs from the paper: a fixed number of steps, the best mask kept, no early stop. With fifty steps masks
 * have not shrunk yet and clean classes are accused: take 300 or more, and a clean model for comparison. A
 * trigger over the whole image, or for one source class only, goes unseen.
 */
import { adamStep } from '../../core/adam.ts'
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import { PerturbError } from '../../core/errors.ts'
import { median } from '../../metrics/evasion.ts'
import { createRng } from '../../core/rng.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'

export interface NeuralCleanseOptions {
  steps: number
  batchSize: number
  /** Adam's; the paper's 0.1. */
  learningRate: number
  /** Share of inputs that the patch must lead to the class; the paper's 0.99. */
  success: number
  /** What the mask's size costs at first, once the patch works; the paper's λ. */
  initialCost: number
  /** Readings in a row, above or below `success`, after which λ is changed; and by what factor. */
  patience: number
  costFactor: number
  /** Steps between readings: each is a forward pass and a wait for the device. */
  readEvery: number
}

export const neuralCleanseDefaults: NeuralCleanseOptions = {
  steps: 300,
  batchSize: 32,
  learningRate: 0.1,
  success: 0.99,
  initialCost: 1e-3,
  patience: 3,
  costFactor: 1.5,
  readEvery: 5,
}

export interface RecoveredTrigger {
  target: number
  /** height × width, in [0, 1]: how much of each pixel the patch covers up. */
  mask: Float32Array
  /** height × width × channels, in the model's bounds. */
  pattern: Float32Array
  /** Sum of the mask. */
  l1: number
  /**
   * Share of the last read batch that it leads to the class; below `success` no patch was found that works.
   */
  success: number
}

/**
 * Recovers the smallest trigger for one class. images: rows × size numbers of clean inputs, of whatever
 * class. Throws RangeError for counts below 1, a learning rate that is not positive and a target that is no
 * class; `bad-input` for inputs that are not images or not finite.
 */
export async function recoverTrigger(
  model: WhiteBoxAccess,
  images: Float32Array,
  target: number,
  options: Partial<NeuralCleanseOptions>,
  run: RunContext,
): Promise<RecoveredTrigger> {
  const settings = { ...neuralCleanseDefaults, ...options }
  checkOptions(model, images, target, settings)
  const { steps, batchSize, learningRate, readEvery } = settings
  const [height, width, channels] = model.inputShape as [number, number, number]
  const [pixels, size] = [height * width, height * width * channels]
  const rng = createRng(run.seed, `neural cleanse ${target}`)
  const rows = images.length / size
  const labels = new Array<number>(Math.min(batchSize, rows)).fill(target)

  // Mask and pattern are squashed into their ranges from free numbers, as in C&W; both begin at random.
  let state = tf.tidy(() => {
    const free = Float32Array.from({ length: pixels + size }, () => 2 * rng.uniform() - 1)
    return tf.keep(tf.concat1d([tf.tensor1d(free), tf.zeros([2 * (pixels + size)])]))
  })
  let cost = 0
  let [above, below] = [0, 0]
  let best: { l1: number; mask: Float32Array; pattern: Float32Array; success: number } | undefined
  let [powerOne, powerTwo] = [1, 1]
  try {
    for (let step = 1; step <= steps; step++) {
      throwIfCancelled(run)
      const places = Array.from(labels, () => rng.below(rows))
      const owned: tf.Tensor[] = []
      try {
        const { x, mask, pattern, stamped } = stampBatch(state, images, places, model)
        owned.push(x, mask, pattern, stamped)
        if (step % readEvery === 0 || step === steps) {
          const reached = await share(model, stamped, target)
          const l1 = await total(mask)
          if (reached >= settings.success && (!best || best.success < settings.success || l1 < best.l1))
            best = { ...(await read(mask, pattern)), l1, success: reached }
          else if (!best || (best.success < settings.success && reached > best.success))
            best = { ...(await read(mask, pattern)), l1, success: reached }
          // The paper's schedule: no cost until the patch works, then up while it does and down when it does
          // not.
          if (reached >= settings.success) [above, below] = [above + 1, 0]
          else [above, below] = [0, below + 1]
          if (above >= settings.patience) {
            cost = cost === 0 ? settings.initialCost : cost * settings.costFactor
            above = 0
          } else if (below >= settings.patience) {
            cost /= settings.costFactor ** 1.5
            below = 0
          }
        }
        const { loss, gradient } = await model.lossAndGradient(stamped, labels)
        owned.push(loss, gradient)
        powerOne *= 0.5
        powerTwo *= 0.9
        const rule = {
          beta1: 0.5,
          beta2: 0.9,
          epsilon: 1e-8,
          rate: (learningRate * Math.sqrt(1 - powerTwo)) / (1 - powerOne),
        }
        const old = state
        state = tf.tidy(() =>
          tf.keep(adamStep(old, freeGradient(old, x, mask, pattern, gradient, cost, model), rule)),
        )
        old.dispose()
      } finally {
        tf.dispose(owned)
      }
      run.onStep?.(step, steps)
    }
    return { target, ...best! }
  } finally {
    state.dispose()
  }
}

/** The batch with the present trigger on it: (1 − m)·x + m·Δ. The caller disposes all four. */
function stampBatch(
  state: tf.Tensor1D,
  images: Float32Array,
  places: number[],
  { inputShape, bounds: [low, high] }: WhiteBoxAccess,
): { x: tf.Tensor; mask: tf.Tensor; pattern: tf.Tensor; stamped: tf.Tensor } {
  const [height, width] = inputShape as [number, number]
  const size = inputShape.reduce((product, n) => product * n, 1)
  const batch = new Float32Array(places.length * size)
  places.forEach((place, i) => batch.set(images.subarray(place * size, (place + 1) * size), i * size))
  return tf.tidy(() => {
    const x = tf.tensor(batch, [places.length, ...inputShape], 'float32')
    const squashed = tf.div(tf.add(tf.tanh(tf.slice(state, 0, height * width + size)), 1), 2)
    const mask = tf.reshape(tf.slice(squashed, 0, height * width), [1, height, width, 1])
    const pattern = tf.reshape(tf.add(tf.mul(tf.slice(squashed, height * width, size), high - low), low), [
      1,
      ...inputShape,
    ])
    const stamped = tf.add(tf.mul(x, tf.sub(1, mask)), tf.mul(pattern, mask))
    return { x, mask, pattern, stamped }
  })
}

/**
 * By hand: ∂/∂m = Σ g·(Δ − x) + λ, ∂/∂Δ = Σ g·m, each through its squashing. The loss is a mean over the
 * batch.
 */
function freeGradient(
  state: tf.Tensor1D,
  x: tf.Tensor,
  mask: tf.Tensor,
  pattern: tf.Tensor,
  gradient: tf.Tensor,
  cost: number,
  { bounds: [low, high] }: WhiteBoxAccess,
): tf.Tensor1D {
  const rows = x.shape[0]!
  const byMask = tf.add(tf.div(tf.sum(tf.mul(gradient, tf.sub(pattern, x)), [0, 3]), rows), cost)
  const byPattern = tf.mul(tf.div(tf.sum(tf.mul(gradient, mask), 0), rows), high - low)
  const free = tf.slice(state, 0, mask.size + pattern.size)
  const slope = tf.div(tf.sub(1, tf.square(tf.tanh(free))), 2)
  const flat = tf.concat1d([
    tf.reshape(byMask, [-1]) as tf.Tensor1D,
    tf.reshape(byPattern, [-1]) as tf.Tensor1D,
  ])
  return tf.mul(flat, slope)
}

async function share(model: WhiteBoxAccess, x: tf.Tensor, target: number): Promise<number> {
  const logits = await model.logits(x)
  const hits = tf.tidy(() =>
    tf.mean(tf.cast(tf.equal(tf.cast(tf.argMax(logits, 1), 'int32'), tf.scalar(target, 'int32')), 'float32')),
  )
  logits.dispose()
  try {
    return (await hits.data())[0]!
  } finally {
    hits.dispose()
  }
}

async function total(mask: tf.Tensor): Promise<number> {
  return Float32Array.from(await mask.data()).reduce((sum, value) => sum + value, 0)
}

async function read(
  mask: tf.Tensor,
  pattern: tf.Tensor,
): Promise<{ mask: Float32Array; pattern: Float32Array }> {
  return {
    mask: Float32Array.from(await mask.data()),
    pattern: Float32Array.from(await pattern.data()),
  }
}

/** One recovered trigger a class, and what their sizes say. `onStep` counts classes times steps. */
export async function neuralCleanse(
  model: WhiteBoxAccess,
  images: Float32Array,
  options: Partial<NeuralCleanseOptions>,
  run: RunContext,
): Promise<{ triggers: RecoveredTrigger[]; anomaly: Anomaly }> {
  const triggers: RecoveredTrigger[] = []
  for (let target = 0; target < model.numClasses; target++)
    triggers.push(
      await recoverTrigger(model, images, target, options, {
        ...run,
        onStep: (done, total) => run.onStep?.(target * total + done, model.numClasses * total),
      }),
    )
  return { triggers, anomaly: anomalyIndices(triggers.map(({ l1 }) => l1)) }
}

export interface Anomaly {
  median: number
  /** 1.4826 · the median of the distances to the median: the deviation, were the sizes normal. */
  deviation: number
  /** Of each class: its distance to the median in deviations. */
  indices: Float64Array
  /** Classes with a mask smaller than the median by more than 2 deviations, the most suspicious first. */
  suspects: number[]
}

/**
 * The anomaly index of each class from the sizes of its mask (§IV-B, by the median absolute deviation; Hampel
 * 1974). When at least half of the sizes are equal the deviation is 0: an index is then 0 for those and
 * infinite for others. Throws `bad-input` for fewer than three sizes or one that is not finite.
 */
export function anomalyIndices(sizes: ArrayLike<number>, limit = 2): Anomaly {
  const all = Array.from(sizes)
  if (all.length < 3 || !all.every(Number.isFinite))
    throw new PerturbError(
      'bad-input',
      `anomalyIndices: expected at least three finite sizes, since an outlier stands out among others; got ${all.join(', ')}`,
    )
  const middle = median(all)
  const deviation = 1.4826 * median(all.map((size) => Math.abs(size - middle)))
  const indices = Float64Array.from(all, (size) => {
    const apart = Math.abs(size - middle)
    return apart === 0 ? 0 : apart / deviation
  })
  const suspects = [...all.keys()]
    .filter((k) => all[k]! < middle && indices[k]! > limit)
    .sort((a, b) => indices[b]! - indices[a]! || a - b)
  return { median: middle, deviation, indices, suspects }
}

function checkOptions(
  { inputShape, numClasses }: WhiteBoxAccess,
  images: Float32Array,
  target: number,
  settings: NeuralCleanseOptions,
): void {
  for (const name of ['steps', 'batchSize', 'patience', 'readEvery'] as const)
    if (!(Number.isInteger(settings[name]) && settings[name] >= 1))
      throw new RangeError(
        `neural-cleanse: ${name} must be a whole number of at least 1; got ${settings[name]}`,
      )
  for (const name of ['learningRate', 'initialCost', 'costFactor'] as const)
    if (!(settings[name] > 0 && Number.isFinite(settings[name])))
      throw new RangeError(`neural-cleanse: ${name} must be positive; got ${settings[name]}`)
  if (!(settings.success > 0 && settings.success <= 1))
    throw new RangeError(`neural-cleanse: success must lie above 0 and at most at 1; got ${settings.success}`)
  if (!(Number.isInteger(target) && target >= 0 && target < numClasses))
    throw new RangeError(`neural-cleanse: target must be a class from 0 to ${numClasses - 1}; got ${target}`)
  const size = inputShape.reduce((product, n) => product * n, 1)
  if (
    inputShape.length !== 3 ||
    images.length === 0 ||
    images.length % size !== 0 ||
    !images.every(Number.isFinite)
  )
    throw new PerturbError(
      'bad-input',
      `neural-cleanse: expected finite images of shape [${inputShape.join(', ')}] with height, width and channels; got ${images.length} numbers`,
    )
}
