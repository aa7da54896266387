/** What an attack asks: recorded question by question, for a defence that looks at queries. */
import { runEvasion } from '../attacks/run-evasion.ts'
import { findAttack } from '../attacks/registry.ts'
import type { WhiteBoxAccess } from '../core/classifier.ts'
import type { Criterion } from '../core/criteria.ts'
import * as tf from '../core/tf.ts'
import type { Model } from '../models/model.ts'
import type { RefereeAttack } from './attacked.ts'

/**
 * The pictures that a black-box attack of the library asks about to change one image, in order. `start` is a picture
 * that is misread already, for attacks on decisions. Nothing of it is left behind.
 */
export async function askedBy(
  model: Model,
  image: { pixels: Float32Array; label: number },
  { attack, options, seed, targets, start }: RefereeAttack & { start?: Float32Array },
): Promise<Float32Array[]> {
  const asked: Float32Array[] = []
  const heard: WhiteBoxAccess = {
    inputShape: model.inputShape,
    numClasses: model.numClasses,
    bounds: model.bounds,
    lossAndGradient: (x, y, loss) => model.lossAndGradient(x, y, loss),
    vjp: (x, cotangent) => model.vjp(x, cotangent),
    async logits(x) {
      const values = await x.data()
      const width = image.pixels.length
      for (let at = 0; at < values.length; at += width)
        asked.push(Float32Array.from(values.slice(at, at + width)))
      return model.logits(x)
    },
  }
  const criterion: Criterion = targets
    ? { kind: 'targeted', targets }
    : { kind: 'misclassification', labels: [image.label] }
  const shape = [1, ...model.inputShape]
  const owned = [tf.tensor(image.pixels, shape)]
  try {
    const given = { ...options } as typeof options & { starts?: tf.Tensor }
    if (start) owned.push((given.starts = tf.tensor(start, shape)))
    owned.push(
      (await runEvasion(findAttack(attack), heard, owned[0]!, criterion, given, { seed })).adversarial,
    )
    return asked
  } finally {
    tf.dispose(owned)
  }
}
