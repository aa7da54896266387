/**
 * Canaries: rows whose right label is known for certain and that are never trained on. A retrained model that
 * loses more of them than chance explains does not go into service. Breck, Cai, Nielsen, Salib, Sculley 2017,
 * "The ML Test Score", Infra 6 (models are canaried before they serve); the test is McNemar's (1947) in its
 * exact form, since the same rows are read before and after.
 *
 * It sees harm, not its cause: drift alarms too. A backdoor whose trigger is on no canary goes unseen.
 */
import { PerturbError } from '../../core/errors.ts'
import { fairCoinTest } from '../../core/statistics.ts'

export interface CanaryReading {
  /** Share of canaries read rightly by the model in service and by the new one. */
  before: number
  after: number
  /** Rows that only the old one reads rightly, and that only the new one does. */
  lost: number
  gained: number
  /** How likely a split at least as uneven as this is when both are equally good. */
  pValue: number
  /** More lost than gained, and less likely than alpha. */
  alarm: boolean
}

/**
 * One label a canary in each list. Throws `bad-input` when the lists are not equally long or empty,
 * RangeError unless 0 < alpha < 1.
 */
export function readCanaries(
  truth: ArrayLike<number>,
  before: ArrayLike<number>,
  after: ArrayLike<number>,
  alpha = 0.01,
): CanaryReading {
  if (!(alpha > 0 && alpha < 1))
    throw new RangeError(`canaries: alpha must lie between 0 and 1; got ${alpha}`)
  const count = truth.length
  if (count === 0 || before.length !== count || after.length !== count)
    throw new PerturbError(
      'bad-input',
      `canaries: expected equally many labels, at least one; got ${count} true ones, ${before.length} before and ${after.length} after`,
    )
  let [rightBefore, rightAfter, lost, gained] = [0, 0, 0, 0]
  for (let i = 0; i < count; i++) {
    const [was, is] = [before[i] === truth[i], after[i] === truth[i]]
    rightBefore += Number(was)
    rightAfter += Number(is)
    lost += Number(was && !is)
    gained += Number(is && !was)
  }
  const pValue = lost + gained === 0 ? 1 : fairCoinTest(lost, lost + gained)
  return {
    before: rightBefore / count,
    after: rightAfter / count,
    lost,
    gained,
    pValue,
    alarm: lost > gained && pValue < alpha,
  }
}

export type Retraining = CanaryReading & { accepted: boolean }

/**
 * Watches one retraining after the other. Every new model is compared with the *first*, never with the last
 * accepted one: a poisoner who takes one canary a week would otherwise never be told from chance.
 */
export class RetrainingMonitor {
  readonly #truth: ArrayLike<number>
  readonly #baseline: ArrayLike<number>
  readonly #alpha: number
  readonly #history: Retraining[] = []

  /**
   * truth: the canaries' labels; baseline: how the trusted first model reads them. Throws as readCanaries
   * does.
   */
  constructor(truth: ArrayLike<number>, baseline: ArrayLike<number>, alpha = 0.01) {
    readCanaries(truth, baseline, baseline, alpha)
    this.#truth = Int32Array.from(truth)
    this.#baseline = Int32Array.from(baseline)
    this.#alpha = alpha
  }

  /** How a retrained model reads the canaries; it may serve when `accepted`. */
  see(read: ArrayLike<number>): Retraining {
    const reading = readCanaries(this.#truth, this.#baseline, read, this.#alpha)
    const result = { ...reading, accepted: !reading.alarm }
    this.#history.push(result)
    return result
  }

  get history(): readonly Retraining[] {
    return this.#history
  }
}
