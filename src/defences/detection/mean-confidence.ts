/**
 * How sure the model was, on average, of what an account asked: of honest inputs nearly always, of noise, of foreign inputs and of
 * inputs pushed to the border much less. A third signal beside PRADA; in the spirit of Kesarwani et al. 2018, "Model extraction
 * warning in MLaaS paradigm" (arXiv:1711.07221), who watch what queries reveal instead of what they look like.
 *
 * Evaded by whoever asks about inputs that the model is sure of.
 */
export interface ConfidenceRule {
  /** The account is closed when the mean of its top probabilities falls below this. */
  least: number
  /** Queries that must be there before the mean says anything. */
  atLeast: number
}

/** One account. */
export class MeanConfidence {
  readonly #rule: ConfidenceRule
  #sum = 0
  #queries = 0

  /** Throws RangeError unless least lies in [0, 1] and atLeast is a whole number of at least 1. */
  constructor(rule: ConfidenceRule) {
    if (!(rule.least >= 0 && rule.least <= 1))
      throw new RangeError(`mean-confidence: least must lie between 0 and 1; got ${rule.least}`)
    if (!(Number.isInteger(rule.atLeast) && rule.atLeast >= 1))
      throw new RangeError(
        `mean-confidence: atLeast must be a whole number of at least 1; got ${rule.atLeast}`,
      )
    this.#rule = rule
  }

  /** Notes the model's probabilities for a query, before any answer format hides them. One that is not a number counts as 0. */
  see(probabilities: ArrayLike<number>): { mean: number | undefined; alarm: boolean } {
    let top = 0
    for (let k = 0; k < probabilities.length; k++) if (probabilities[k]! > top) top = probabilities[k]!
    this.#sum += top
    this.#queries++
    const mean = this.#queries < this.#rule.atLeast ? undefined : this.#sum / this.#queries
    return { mean, alarm: mean !== undefined && mean < this.#rule.least }
  }
}
