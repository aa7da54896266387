/**
 * The momentum iterative fast gradient sign method: small steps along an average of all gradients so far,
 * which carries the attack past local bumps and, from a surrogate, over to other models.
 * Dong et al. 2018, "Boosting Adversarial Attacks with Momentum", Alg. 1 and §3.3, arXiv:1710.06081.
 *
 * Threat model: white-box, one gradient a step; budget epsilon in L∞ or L2.
 */
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import { ascentSign, criterionLabels, type Criterion } from '../../core/criteria.ts'
import { Held } from '../../core/held.ts'
import { clipToBounds, normaliseRows, shrinkToL2Ball } from '../../core/norms.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult } from '../attack.ts'
import { aboveZero, atLeastZero, checkBatch, readOptions, wholeNumber } from '../check.ts'
import { epsilonKnob, normKnob, stepSizeKnob, stepsKnob } from '../knobs.ts'

export type MiFgsmOptions = {
  /** How far the result may lie from x, in the same units. */
  epsilon: number
  /** Length of one step. */
  stepSize: number
  steps: number
  /** How much of the last momentum a step keeps: 0 forgets it (then this is PGD without a random start). */
  decay: number
  norm: 'linf' | 'l2'
  /** What momentum adds up: gradients of L1 length 1 (the paper), or their signs (foolbox). */
  collects: 'gradients' | 'signs'
}

const defaults: MiFgsmOptions = {
  epsilon: 0.25,
  stepSize: 0.05,
  steps: 10,
  decay: 1,
  norm: 'linf',
  collects: 'gradients',
}

/**
 * x: (N, …inputShape) in the victim's bounds; epsilon and stepSize in the same units. Climbs the
 * cross-entropy of the true labels, or descends that of the targets; after each step the result is pulled
 * into the ball of epsilon around x, then into the bounds. The last step is returned, successful or not: an
 * image that is misread already, or read as its target, is pushed further. A row without a gradient stays, and
 * with epsilon 0 all do. Returns a new tensor that
 * the caller disposes; x is untouched. Throws RangeError when epsilon or decay is negative, stepSize is not
 * positive or steps is not a whole number above 0, `bad-input` when x or the labels do not fit.
 */
export async function miFgsm(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  options: Partial<MiFgsmOptions>,
  run: RunContext,
): Promise<EvasionResult> {
  const { epsilon, stepSize, steps, decay, norm, collects } = readOptions(entry, options) as MiFgsmOptions
  atLeastZero('mi-fgsm', 'epsilon', epsilon)
  aboveZero('mi-fgsm', 'stepSize', stepSize)
  wholeNumber('mi-fgsm', 'steps', steps, 1)
  atLeastZero('mi-fgsm', 'decay', decay)
  checkBatch('mi-fgsm', victim, x, criterion)
  const labels = criterionLabels(criterion)

  const held = new Held(() => ({ adversarial: tf.clone(x), momentum: tf.zerosLike(x) }))
  try {
    for (let step = 1; step <= steps; step++) {
      throwIfCancelled(run)
      const answer = await victim.lossAndGradient(held.now.adversarial, labels)
      held.step(({ adversarial, momentum: before }) => {
        const fresh = collects === 'signs' ? tf.sign(answer.gradient) : normaliseRows(answer.gradient, 'l1')
        const momentum = tf.add(tf.mul(before, decay), fresh)
        const direction = norm === 'linf' ? tf.sign(momentum) : normaliseRows(momentum, 'l2')
        const moved = tf.add(adversarial, tf.mul(direction, ascentSign(criterion) * stepSize))
        const away = tf.sub(moved, x)
        const delta =
          norm === 'linf' ? tf.clipByValue(away, -epsilon, epsilon) : shrinkToL2Ball(away, epsilon)
        return { adversarial: clipToBounds(tf.add(x, delta), victim.bounds), momentum }
      }, answer)
      run.onStep?.(step, steps)
    }
    return { adversarial: held.take('adversarial'), trace: [] }
  } finally {
    held.dispose()
  }
}

export const entry: EvasionEntry = {
  id: 'mi-fgsm',
  title: 'Momentum iterative FGSM',
  summary: 'Small steps along an average of all gradients so far, so that one bump does not turn it back.',
  family: 'evasion',
  access: 'white-box',
  targeted: true,
  paper: { cite: 'Dong et al. 2018', url: 'https://arxiv.org/abs/1710.06081' },
  defaults,
  parameters: [
    epsilonKnob(),
    stepSizeKnob(),
    stepsKnob(),
    {
      kind: 'number',
      name: 'decay',
      label: 'Momentum kept',
      symbol: 'μ',
      help: 'How much of the earlier gradients each step keeps. 0 follows the newest gradient alone.',
      min: 0,
      max: 2,
      step: 0.05,
      unit: '',
      scale: 'linear',
    },
    normKnob(),
    {
      kind: 'choice',
      name: 'collects',
      label: 'Momentum of',
      help: 'The paper adds up gradients of length 1; foolbox adds up their signs, so every pixel weighs the same.',
      choices: [
        { value: 'gradients', label: 'gradients' },
        { value: 'signs', label: 'signs' },
      ],
    },
  ],
  run: miFgsm,
}
