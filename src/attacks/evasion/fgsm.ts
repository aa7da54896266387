/**
 * The fast gradient sign method: one step of length epsilon along the loss gradient.
 * Goodfellow, Shlens, Szegedy 2015, "Explaining and Harnessing Adversarial Examples", §4, arXiv:1412.6572.
 *
 * Threat model: white-box, one gradient; budget epsilon in L∞ (the paper's) or L2 (its usual twin, FGM).
 */
import type { WhiteBoxAccess } from '../../core/classifier.ts'
import { ascentSign, criterionLabels, type Criterion } from '../../core/criteria.ts'
import { clipToBounds, normaliseRows } from '../../core/norms.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult } from '../attack.ts'
import { atLeastZero, checkBatch, readOptions } from '../check.ts'
import { epsilonKnob, normKnob } from '../knobs.ts'

export type FgsmOptions = {
  /** Length of the step, in the same units as x. */
  epsilon: number
  /** What length means: the largest change of one element, or the Euclidean length. */
  norm: 'linf' | 'l2'
}

const defaults: FgsmOptions = { epsilon: 0.25, norm: 'linf' }

/**
 * x: (N, …inputShape) in the victim's bounds; epsilon in the same units. Climbs the cross-entropy of the
 * true labels, or descends that of the targets, then clips to the bounds. Where the gradient is 0 the
 * pixel stays (sign 0 = 0). An image that is misread already, or read as its target, is pushed further. With epsilon
 * 0 x comes back as it is. Returns a new tensor that the caller disposes; x is untouched.
 * Throws RangeError when epsilon is negative or not a number, `bad-input` when x or the labels do not fit.
 */
export async function fgsm(
  victim: WhiteBoxAccess,
  x: tf.Tensor,
  criterion: Criterion,
  options: Partial<FgsmOptions>,
  run: RunContext,
): Promise<EvasionResult> {
  const { epsilon, norm } = readOptions(entry, options) as FgsmOptions
  atLeastZero('fgsm', 'epsilon', epsilon)
  checkBatch('fgsm', victim, x, criterion)
  throwIfCancelled(run)

  const { loss, gradient } = await victim.lossAndGradient(x, criterionLabels(criterion))
  try {
    const adversarial = tf.tidy(() => {
      const direction = norm === 'linf' ? tf.sign(gradient) : normaliseRows(gradient, 'l2')
      const step = tf.mul(direction, ascentSign(criterion) * epsilon)
      return clipToBounds(tf.add(x, step), victim.bounds)
    })
    run.onStep?.(1, 1)
    return { adversarial, trace: [] }
  } finally {
    tf.dispose([loss, gradient])
  }
}

export const entry: EvasionEntry = {
  id: 'fgsm',
  title: 'Fast gradient sign method',
  summary: 'Move every pixel by the same small step in the direction that raises the loss.',
  family: 'evasion',
  access: 'white-box',
  targeted: true,
  paper: { cite: 'Goodfellow et al. 2015', url: 'https://arxiv.org/abs/1412.6572' },
  defaults,
  parameters: [
    epsilonKnob({ help: 'How far each pixel may move. More is easier to fool with and easier to see.' }),
    normKnob(),
  ],
  run: fgsm,
}
