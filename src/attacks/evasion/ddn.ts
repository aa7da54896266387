/**
 * Decoupled direction and norm: walk around x on a sphere, and make the sphere smaller whenever the image is
 * misread and larger whenever it is not.
 * Rony et al. 2019, "Decoupling Direction and Norm for Efficient Gradient-Based L2 Adversarial Attacks and
 * Defenses", Alg. 1, arXiv:1811.09600.
 *
 * Threat model: white-box, one gradient a step; the smallest change in L2, no budget.
 */
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import { ascentSign, criterionLabels, type Criterion } from '../../core/criteria.ts'
import { Held } from '../../core/held.ts'
import { clipToBounds, normaliseRows, normRows } from '../../core/norms.ts'
import { createRng } from '../../core/rng.ts'
import { adversarialRows, perRow, pickRows } from '../../core/rows.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult } from '../attack.ts'
import { aboveZero, checkBatch, readOptions, wholeNumber } from '../check.ts'
import { stepsKnob } from '../knobs.ts'

export type DdnOptions = {
  steps: number
  /** The sphere's first radius, in the units of x. */
  startRadius: number
  /** γ: the share by which the radius shrinks or grows in a step. */
  radiusChange: number
}

const defaults: DdnOptions = { steps: 50, startRadius: 1, radiusChange: 0.05 }

/**
 * x: (N, …inputShape) in the victim's bounds. Returns, for each row, the nearest misread (or, with targets,
 * hit) image that was met; a row for which there was none, and one that was a success from the start, comes
 * back as it is. Where the gradient is 0 a row steps in a direction drawn from the run's seed. Returns a new
 * tensor that the caller disposes; x is untouched. Throws RangeError when startRadius is not positive,
 * radiusChange is not between 0 and 1 or steps is not a whole number above 0, `bad-input` when x or the
 * labels do not fit.
 *
 * Differs from the paper: does not round to 8-bit levels; the radius never exceeds the farthest corner.
 */
export async function ddn(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  options: Partial<DdnOptions>,
  run: RunContext,
): Promise<EvasionResult> {
  const { steps, startRadius, radiusChange } = readOptions(entry, options) as DdnOptions
  wholeNumber('ddn', 'steps', steps, 1)
  aboveZero('ddn', 'startRadius', startRadius)
  if (!(radiusChange > 0 && radiusChange < 1))
    throw new RangeError(`ddn: radiusChange must lie between 0 and 1; got ${radiusChange}`)
  checkBatch('ddn', victim, x, criterion)
  const labels = criterionLabels(criterion)

  const held = new Held(() => {
    const farthest = normRows(tf.maximum(tf.sub(x, victim.bounds[0]), tf.sub(victim.bounds[1], x)), 'l2')
    return {
      adversarial: tf.clone(x),
      best: tf.clone(x),
      nearest: tf.clone(farthest),
      farthest,
      radius: tf.fill([labels.length], startRadius),
      noise: randomDirections(x.shape, run.seed),
      hit: tf.zeros([labels.length], 'bool'),
    }
  })
  try {
    for (let step = 0; step < steps; step++) {
      throwIfCancelled(run)
      // From 1 to 0.01 along half a cosine.
      const stepSize = 0.01 + (0.99 * (1 + Math.cos((Math.PI * step) / steps))) / 2
      const logits = await victim.logits(held.now.adversarial)
      held.step(() => ({ hit: adversarialRows(logits, criterion) }), logits)
      const answer = await victim.lossAndGradient(held.now.adversarial, labels)
      held.step(
        ({ adversarial, best, nearest, farthest, radius: before, noise, hit }) => {
          const delta = tf.sub(adversarial, x)
          const length = normRows(delta, 'l2')
          const better = tf.logicalAnd(hit, tf.lessEqual(length, nearest))

          const flat = tf.equal(normRows(answer.gradient, 'l2'), 0)
          const direction = normaliseRows(pickRows(flat, noise, answer.gradient), 'l2')
          const stepped = tf.add(delta, tf.mul(direction, ascentSign(criterion) * stepSize))
          const change = tf.where(
            hit,
            tf.fill(hit.shape, 1 - radiusChange),
            tf.fill(hit.shape, 1 + radiusChange),
          )
          const radius = tf.minimum(tf.mul(before, change), farthest)
          const onSphere = tf.mul(
            stepped,
            perRow(tf.div(radius, tf.maximum(normRows(stepped, 'l2'), 1e-12)), stepped),
          )
          return {
            adversarial: clipToBounds(tf.add(x, onSphere), victim.bounds),
            best: pickRows(better, adversarial, best),
            nearest: tf.where(better, length, nearest),
            radius,
          }
        },
        [answer.loss, answer.gradient],
      )
      run.onStep?.(step + 1, steps)
    }
    return { adversarial: held.take('best'), trace: [] }
  } finally {
    held.dispose()
  }
}

function randomDirections(shape: number[], seed: number): tf.Tensor {
  const rng = createRng(seed, 'ddn')
  return tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => rng.normal()),
    shape,
  )
}

export const entry: EvasionEntry = {
  id: 'ddn',
  title: 'Decoupled direction and norm',
  summary: 'Walks around the image on a sphere that shrinks while it is misread and grows while it is not.',
  family: 'evasion',
  access: 'white-box',
  targeted: true,
  paper: { cite: 'Rony et al. 2019', url: 'https://arxiv.org/abs/1811.09600' },
  defaults,
  parameters: [
    stepsKnob({
      help: 'How many gradients are asked for, one a step. More comes closer to the border.',
      max: 300,
    }),
    {
      kind: 'number',
      name: 'startRadius',
      label: 'First radius',
      symbol: 'ε₀',
      help: 'How far from the original the search begins.',
      min: 0.05,
      max: 5,
      step: 0.05,
      unit: '',
      scale: 'log',
    },
    {
      kind: 'number',
      name: 'radiusChange',
      label: 'Change of radius',
      symbol: 'γ',
      help: 'The share by which the sphere shrinks or grows in a step.',
      min: 0.01,
      max: 0.5,
      step: 0.01,
      unit: '',
      scale: 'linear',
    },
  ],
  run: ddn,
}
