/**
 * TRADES: two wishes with a price between them. Read the clean image rightly, and say the same (not: the
 * right) thing everywhere within ε of it; β is what the second wish weighs.
 * Zhang, Yu, Jiao, Xing, El Ghaoui, Jordan 2019, "Theoretically Principled Trade-off between Robustness and
 * Accuracy", §4 eq. 5 and Alg. 1, arXiv:1901.08573.
 *
 * The loss of a batch: mean cross-entropy(f(x), y) + β · mean KL(p(x) ‖ p(x')), with x' from k steps up that
 * same KL, begun at x plus a little noise (at x itself its gradient is 0). Both parts of the KL are learned
 * from, as in the authors' code. Differs from the paper: few steps (3 by default, 40 there on MNIST), a ramp.
 */
import { aboveZero, atLeastZero, wholeNumber } from '../../attacks/check.ts'
import { clipToBounds } from '../../core/norms.ts'
import { lossRows } from '../../core/losses.ts'
import { createRng } from '../../core/rng.ts'
import { throwIfCancelled } from '../../core/run.ts'
import type { Labels } from '../../core/classifier.ts'
import * as tf from '../../core/tf.ts'
import { epsilonKnob, rampKnob, reachKnob, stepsKnob } from './knobs.ts'
import type { TrainingRecipe } from './recipe.ts'

/** Standard deviation of the start's noise, in pixel units (the authors' code). */
const startNoise = 0.001

export const entry: TrainingRecipe = {
  id: 'trades',
  title: 'TRADES',
  summary: 'Ask for the right answer on the clean image and for the same answer everywhere around it.',
  paper: { cite: 'Zhang et al. 2019', url: 'https://arxiv.org/abs/1901.08573' },
  defaults: { epsilon: 0.2, ramp: 0.4, steps: 3, reach: 2.5, beta: 3 },
  parameters: [
    epsilonKnob(),
    rampKnob(),
    stepsKnob(),
    reachKnob(),
    {
      kind: 'number',
      name: 'beta',
      label: 'Price of a changed answer',
      symbol: 'β',
      help: 'What staying the same within ε weighs against being right on the clean image.',
      min: 0,
      max: 10,
      step: 0.5,
      unit: '',
      scale: 'linear',
    },
  ],
  check({ steps, reach, beta }) {
    wholeNumber('trades', 'steps', steps!, 1)
    aboveZero('trades', 'reach', reach!)
    atLeastZero('trades', 'beta', beta!)
  },
  async prepare(model, x, y, { epsilon, steps, reach, beta }, run) {
    const stepSize = (reach! * epsilon) / steps!
    const rng = createRng(run.seed, 'trades')
    const noise = Float32Array.from({ length: x.size }, () => startNoise * rng.normal())
    const clean = await model.logits(x)
    let moved = tf.tidy(() => clipToBounds(tf.add(x, tf.tensor(noise, x.shape)), model.bounds))
    try {
      for (let step = 0; step < steps!; step++) {
        throwIfCancelled(run)
        const logits = await model.logits(moved)
        // ∂KL(p ‖ q)/∂(logits of q) = q − p.
        const slope = tf.tidy(() => tf.sub(tf.softmax(logits), tf.softmax(clean)))
        logits.dispose()
        const gradient = await model.vjp(moved, slope)
        slope.dispose()
        const next = tf.tidy(() => {
          const delta = tf.sub(tf.add(moved, tf.mul(tf.sign(gradient), stepSize)), x)
          return clipToBounds(tf.add(x, tf.clipByValue(delta, -epsilon, epsilon)), model.bounds)
        })
        tf.dispose([moved, gradient])
        moved = next
      }
      return { x: tf.concat([x, moved]), loss: (logits) => tradesLoss(logits, y, beta!) }
    } finally {
      tf.dispose([clean, moved])
    }
  },
}

/**
 * The batch's loss from the logits of its clean rows and, below them, of its moved rows: (2N, C) → a scalar.
 * Its gradient is written out: by the clean logits p · (ln p − ln q − KL), by the moved ones q − p.
 */
export function tradesLoss(logits: tf.Tensor2D, y: Labels, beta: number): tf.Scalar {
  const [rows, classes] = logits.shape
  const half = rows / 2
  const clean = tf.slice(logits, [0, 0], [half, classes])
  const right = tf.mean(lossRows(clean, y))
  const apart = tf.customGrad((z, save) => {
    const [zp, zq] = tf.split(z as tf.Tensor2D, 2) as [tf.Tensor2D, tf.Tensor2D]
    const [logP, logQ] = [tf.logSoftmax(zp), tf.logSoftmax(zq)]
    const [p, q] = [tf.exp(logP), tf.exp(logQ)]
    const ratio = tf.sub(logP, logQ)
    const divergence = tf.sum(tf.mul(p, ratio), 1, true)
    const gradient = tf.concat([tf.mul(p, tf.sub(ratio, divergence)), tf.sub(q, p)])
    ;(save as tf.GradSaveFunc)([gradient])
    return {
      value: tf.mean(divergence),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(saved[0]!, tf.div(dy, half)),
    }
  })(logits)
  return tf.add(right, tf.mul(apart, beta)) as tf.Scalar
}
