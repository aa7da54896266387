/**
 * Feature collision: a picture of one class is nudged until the model's last hidden layer takes it for the
 * target, and keeps its right label. Whoever trains the last layer on it learns to read the target as that
 * class; nobody who looks at pictures and labels finds a fault. Shafahi, Huang, Najibi, Suciu, Studer,
 * Dumitras, Goldstein 2018, "Poison Frogs!", Alg. 1 and §4.2 (watermarking), arXiv:1804.00792.
 *
 * Threat model: changes the pictures of a few rows within a budget, no label; knows the feature extractor
 * that the victim will use. Differs from the paper: an L∞ limit on top of its pull towards the base, so that
 * the change is a hard row; and steps of a length of their own, which falls over the run, along each
 * picture's normalised gradient, since features have no unit. Made for a victim that refits its last layer;
 * full training undoes the collision.
 */
import { PerturbError } from '../../core/errors.ts'
import { normaliseRows } from '../../core/norms.ts'
import { createRng } from '../../core/rng.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import { checkRows, copyRows, placesOf, rowOf, rowSize, type LabelledRows } from '../../data/labelled-rows.ts'
import type { PoisoningEntry, PoisoningResult, PoisonTarget } from '../attack.ts'
import { aboveZero, atLeastZero, readOptions, wholeNumber } from '../check.ts'
import { epsilonKnob, stepsKnob } from '../knobs.ts'
import { checkShare, checkClass, shareKnob, wholeShare } from '../flips.ts'
import { checkSurrogate } from '../surrogate.ts'

export type FeatureCollisionOptions = {
  /** Rows that become poison, as a share of all rows, rounded down. */
  share: number
  /** Largest change of a pixel. */
  epsilon: number
  steps: number
  /** Length of the first step, as L2 of the whole picture; it falls in a straight line to a tenth. */
  stepSize: number
  /** How strongly each step pulls back to the base picture; the paper's β. */
  pull: number
  /**
   * How much of the target shows through the base picture from the start; the paper's watermark, 0 is none.
   */
  watermark: number
}

const defaults: FeatureCollisionOptions = {
  share: 0.02,
  epsilon: 0.3,
  steps: 100,
  stepSize: 1,
  pull: 0.01,
  watermark: 0,
}

/**
 * Bases are rows of `baseClass`, drawn blindly; a share larger than the class takes all of it. Each goes down
 * ‖f(x) − f(target)‖² and then back towards its base, x ← (x + stepSize·pull·base) / (1 + stepSize·pull),
 * inside epsilon and the bounds. onStep tells the mean feature distance that is left, as a share of the
 * first. Throws RangeError for shares, lengths and counts that make no sense; `bad-input` for data, a feature
 * model or a target that do not fit, and a base class without rows.
 */
export async function featureCollision(
  data: LabelledRows,
  { features, target, baseClass }: PoisonTarget,
  options: Partial<FeatureCollisionOptions>,
  run: RunContext,
): Promise<PoisoningResult> {
  const settings = readOptions(entry, options) as FeatureCollisionOptions
  checkSettings(settings)
  checkRows('feature-collision', data)
  checkSurrogate('feature-collision', data, features, { features: true })
  checkClass('feature-collision', 'baseClass', baseClass, data.numClasses)
  const size = rowSize(data)
  if (target.length !== size || !target.every(Number.isFinite))
    throw new PerturbError(
      'bad-input',
      `feature-collision: the target must be ${size} finite numbers, as a row is; got ${target.length}${target.every(Number.isFinite) ? '' : ', some not finite'}`,
    )
  const bases = baseClass === -1 ? [] : placesOf(data, baseClass)
  if (bases.length === 0)
    throw new PerturbError(
      'bad-input',
      `feature-collision: the base class must have rows to turn into poison; class ${baseClass} has none`,
    )
  throwIfCancelled(run)

  createRng(run.seed, 'feature-collision').shuffle(bases)
  const chosen = bases.slice(0, wholeShare(settings.share, data.ids.length)).sort((a, b) => a - b)
  const result = copyRows(data)
  if (chosen.length === 0) return { data: result, poisonedIds: new Int32Array(0) }
  const before = new Float32Array(chosen.length * size)
  chosen.forEach((place, i) => before.set(rowOf(data, place), i * size))
  const poisons = await collide(before, data.shape, target, features, settings, run)
  chosen.forEach((place, i) => rowOf(result, place).set(poisons.subarray(i * size, (i + 1) * size)))
  return { data: result, poisonedIds: Int32Array.from(chosen, (place) => data.ids[place]!).sort() }
}

/** The paper's forward-backward steps, for all bases at once. */
async function collide(
  bases: Float32Array,
  shape: readonly number[],
  target: Float32Array,
  features: PoisonTarget['features'],
  { epsilon, steps, stepSize, pull, watermark }: FeatureCollisionOptions,
  run: RunContext,
): Promise<Float32Array> {
  const [low, high] = features.bounds
  const base = tf.tensor(bases, [bases.length / rowSize({ shape }), ...shape], 'float32')
  const goal = tf.tensor(target, [1, ...shape], 'float32')
  const inside = (x: tf.Tensor) =>
    tf.clipByValue(tf.add(base, tf.clipByValue(tf.sub(x, base), -epsilon, epsilon)), low, high)
  let x = tf.tidy(() => inside(tf.add(tf.mul(base, 1 - watermark), tf.mul(goal, watermark))))
  let wanted: tf.Tensor | undefined
  let first: number | undefined
  try {
    wanted = await features.logits(goal)
    for (let step = 0; step < steps; step++) {
      throwIfCancelled(run)
      const there = await features.logits(x)
      const owned = [there]
      try {
        const apart = tf.sub(there, wanted)
        owned.push(apart)
        const gradient = await features.vjp(x, apart)
        owned.push(gradient)
        const rate = stepSize * (1 - (0.9 * step) / steps)
        const next = tf.tidy(() => {
          const forward = tf.sub(x, tf.mul(normaliseRows(gradient, 'l2'), rate))
          const backward = tf.div(tf.add(forward, tf.mul(base, rate * pull)), 1 + rate * pull)
          return inside(backward)
        })
        x.dispose()
        x = next
        if (run.onStep && (step % 10 === 0 || step === steps - 1)) {
          const left = await meanSquare(apart)
          first ??= left
          run.onStep(step + 1, steps, { featureDistance: first === 0 ? 0 : Math.sqrt(left / first) })
        } else run.onStep?.(step + 1, steps)
      } finally {
        tf.dispose(owned)
      }
    }
    return Float32Array.from(await x.data())
  } finally {
    tf.dispose([base, goal, x, ...(wanted ? [wanted] : [])])
  }
}

async function meanSquare(x: tf.Tensor): Promise<number> {
  const mean = tf.tidy(() => tf.mean(tf.square(x)))
  try {
    return (await mean.data())[0]!
  } finally {
    mean.dispose()
  }
}

function checkSettings({ share, epsilon, steps, stepSize, pull, watermark }: FeatureCollisionOptions): void {
  checkShare('feature-collision', 'share', share)
  atLeastZero('feature-collision', 'epsilon', epsilon)
  wholeNumber('feature-collision', 'steps', steps, 1)
  aboveZero('feature-collision', 'stepSize', stepSize)
  atLeastZero('feature-collision', 'pull', pull)
  checkShare('feature-collision', 'watermark', watermark)
}

export const entry: PoisoningEntry = {
  id: 'feature-collision',
  title: 'Feature collision',
  summary:
    'Nudge pictures of one class until the model takes them for the target, and leave their right labels: they drag the target along.',
  family: 'poisoning',
  takes: 'labelled-rows',
  access: 'target',
  paper: { cite: 'Shafahi et al. 2018', url: 'https://arxiv.org/abs/1804.00792' },
  defaults,
  parameters: [
    shareKnob({ max: 0.2 }),
    epsilonKnob({ label: 'Largest change', byNorm: undefined, max: 0.5, help: 'How far a pixel may move.' }),
    stepsKnob({ max: 500, help: 'How many gradients are followed.' }),
    {
      kind: 'number',
      name: 'stepSize',
      label: 'Step size',
      symbol: 'λ',
      help: 'Length of the first step over the whole picture; later ones are shorter.',
      min: 0.01,
      max: 5,
      step: 0.01,
      unit: '',
      scale: 'log',
    },
    {
      kind: 'number',
      name: 'pull',
      label: 'Pull to the original',
      symbol: 'β',
      help: 'More keeps the picture closer to what it was, and its features farther from the target.',
      min: 0,
      max: 1,
      step: 0.01,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'watermark',
      label: 'Watermark',
      help: 'How much of the target shows through from the start.',
      min: 0,
      max: 0.5,
      step: 0.05,
      unit: '',
      scale: 'linear',
    },
  ],
  run: featureCollision,
}
