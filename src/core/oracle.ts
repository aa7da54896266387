import type { ClassifierInfo, DecisionOracle, ScoreOracle, WhiteBoxAccess } from './classifier.ts'
import type { Counted, QueryLedger } from './ledger.ts'
import * as tf from './tf.ts'

/**
 * Access to a model through a ledger. Knowledge is a type: a function that takes a ScoreOracle cannot
 * reach a gradient, and none of these can be called without being counted first.
 */

/** White-box access, every row counted: forward passes as `logits`, backward passes as `gradient`. */
export function countedWhiteBox(access: WhiteBoxAccess, ledger: QueryLedger): WhiteBoxAccess {
  return {
    ...infoOf(access),
    async logits(x) {
      await charge(ledger, 'logits', x)
      return access.logits(x)
    },
    async lossAndGradient(x, y, loss) {
      await charge(ledger, 'gradient', x, Int32Array.from(y))
      return access.lossAndGradient(x, y, loss)
    },
    async vjp(x, cotangent) {
      await charge(ledger, 'gradient', x, await cotangent.data())
      return access.vjp(x, cotangent)
    },
  }
}

/** Probabilities only (softmax of the logits), every row counted. */
export function scoreOracle(access: WhiteBoxAccess, ledger: QueryLedger): ScoreOracle {
  return {
    ...infoOf(access),
    async scores(x) {
      await charge(ledger, 'scores', x)
      const logits = await access.logits(x)
      try {
        return tf.softmax(logits)
      } finally {
        logits.dispose()
      }
    },
  }
}

/** The top class only, every row counted. */
export function decisionOracle(access: WhiteBoxAccess, ledger: QueryLedger): DecisionOracle {
  return {
    ...infoOf(access),
    async decide(x) {
      await charge(ledger, 'decisions', x)
      const logits = await access.logits(x)
      const top = tf.argMax(logits, -1)
      try {
        return Int32Array.from(await top.data())
      } finally {
        tf.dispose([logits, top])
      }
    },
  }
}

function infoOf({ inputShape, numClasses, bounds }: ClassifierInfo): ClassifierInfo {
  return { inputShape, numClasses, bounds }
}

async function charge(
  ledger: QueryLedger,
  counted: Counted,
  x: tf.Tensor,
  ...more: ArrayBufferView[]
): Promise<void> {
  ledger.charge(counted, x.shape[0] ?? 0, [await x.data(), ...more])
}
