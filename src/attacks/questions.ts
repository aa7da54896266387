/** How a thief asks: in batches, until the oracle refuses, and without losing what it has answered. */
import type { ClassifierInfo } from '../core/classifier.ts'
import { PerturbError } from '../core/errors.ts'
import { throwIfCancelled, type RunContext } from '../core/run.ts'
import * as tf from '../core/tf.ts'
import type { Shortfall } from './attack.ts'

/** Rows in one question, unless the caller wants them smaller. */
const rowsAtOnce = 64

/**
 * The questions of one theft. When the oracle refuses a batch (`budget-spent`: the budget, a rate limit, a closed
 * account), none of that batch is answered, `refusal` says why, and nothing more is asked.
 */
export class Questions<A> {
  /** Rows answered. */
  asked = 0
  refusal: string | undefined

  constructor(
    readonly info: ClassifierInfo,
    private readonly answer: (points: tf.Tensor) => Promise<readonly A[]>,
    private readonly run: RunContext,
    readonly batch = rowsAtOnce,
  ) {}

  /** Answers to the first of these points, to all of them unless the oracle refuses. Throws `cancelled`. */
  async ask(points: readonly ArrayLike<number>[]): Promise<A[]> {
    const given: A[] = []
    for (let from = 0; from < points.length && this.refusal === undefined; from += this.batch) {
      throwIfCancelled(this.run)
      const part = points.slice(from, from + this.batch)
      const width = part[0]!.length
      const values = new Float32Array(part.length * width)
      part.forEach((point, i) => values.set(point, i * width))
      const x = tf.tensor(values, [part.length, ...this.info.inputShape])
      try {
        given.push(...(await this.answer(x)))
      } catch (error) {
        // From the sandbox's port an error comes as a plain one with the code on it.
        if ((error as { code?: unknown }).code !== 'budget-spent') throw error
        this.refusal = (error as Error).message
      } finally {
        x.dispose()
      }
    }
    this.asked += given.length
    return given
  }

  /** The refusal as the reason of a shortfall; undefined when there was none. */
  shortfall(next: string): Shortfall | undefined {
    if (this.refusal === undefined) return undefined
    return {
      kind: 'budget-spent',
      message: `the API refused after ${this.asked} answered rows (${this.refusal.replace(/\.$/, '')}). ${next}`,
    }
  }
}

/** How many numbers one input has. */
export const inputSize = ({ inputShape }: Pick<ClassifierInfo, 'inputShape'>): number =>
  inputShape.reduce((product, n) => product * n, 1)

/** A number within the bounds. */
export const clip = (value: number, [low, high]: readonly [number, number]): number =>
  Math.min(high, Math.max(low, value))

/** Throws `bad-input` for a victim with fewer than two classes, which has nothing to steal. */
export function checkVictim(attack: string, { numClasses }: ClassifierInfo): void {
  if (!(numClasses >= 2))
    throw new PerturbError(
      'bad-input',
      `${attack}: the victim must tell at least two classes apart; got ${numClasses}`,
    )
}
