/**
 * Bayesian personalised ranking: users and items as vectors, trained so that what a user liked scores above what they
 * have not seen. Rendle, Freudenthaler, Gantner, Schmidt-Thieme 2009, "BPR: Bayesian personalized ranking from implicit
 * feedback" (UAI, arXiv:1205.2618), §4.2 (LearnBPR) and §4.3.1 (matrix factorisation).
 *
 * Differs from the paper: an item has a bias as well, an epoch goes through all liked ratings in random order instead of
 * drawing them with replacement, and biases and vectors share one regularisation.
 */
import { PerturbError } from '../../core/errors.ts'
import { nextTask } from '../../core/platform.ts'
import { exp } from '../../core/portable-math.ts'
import { createRng, type Rng } from '../../core/rng.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import { checkRatings, placesByUser, type Ratings } from '../../data/ratings.ts'
import type { Recommender } from '../recommender.ts'

export interface BprOptions {
  readonly seed: number
  /** Length of the vectors. */
  readonly factors: number
  readonly epochs: number
  readonly rate: number
  readonly l2: number
  /** Ratings of at least this count as liked. */
  readonly liked: number
}

/** Spread of the first vectors. */
const start = 0.1

/**
 * Throws RangeError for factors or epochs below 1 or not whole, a rate that is not above 0 and an l2 below 0; `bad-input`
 * for ratings that do not fit; `unavailable` when the training diverges; `cancelled` when asked to stop.
 */
export async function fitBpr(ratings: Ratings, options: BprOptions, run: RunContext): Promise<Recommender> {
  const { seed, factors, epochs, rate, l2, liked } = options
  for (const [name, value] of Object.entries({ factors, epochs }))
    if (!(Number.isInteger(value) && value >= 1))
      throw new RangeError(`bpr: ${name} must be a whole number of at least 1; got ${value}`)
  if (!(rate > 0 && Number.isFinite(rate))) throw new RangeError(`bpr: rate must be above 0; got ${rate}`)
  if (!(l2 >= 0 && Number.isFinite(l2))) throw new RangeError(`bpr: l2 must be at least 0; got ${l2}`)
  checkRatings('bpr', ratings)
  const { numUsers, numItems, users, items, values } = ratings
  const rng = createRng(seed, 'bpr')
  const [ofUsers, ofItems] = [vectors(numUsers * factors, rng), vectors(numItems * factors, rng)]
  const bias = new Float64Array(numItems)
  const seen = placesByUser(ratings).map((places) => new Set(places.map((place) => items[place]!)))
  // A user who rated everything has no item that they have not seen.
  const pairs = Int32Array.from(values.keys()).filter(
    (place) => values[place]! >= liked && seen[users[place]!]!.size < numItems,
  )
  for (let epoch = 0; epoch < epochs; epoch++) {
    await nextTask()
    throwIfCancelled(run)
    for (const place of rng.shuffle(pairs)) {
      const [user, liked] = [users[place]!, items[place]!]
      let other = rng.below(numItems)
      while (seen[user]!.has(other)) other = rng.below(numItems)
      step(user * factors, liked, other)
    }
    if (![bias, ofUsers, ofItems].every((numbers) => numbers.every(Number.isFinite)))
      throw new PerturbError(
        'unavailable',
        `bpr: the training diverged in epoch ${epoch + 1} at a rate of ${rate}, so nothing can be said of these ratings; take a smaller rate`,
      )
    run.onStep?.(epoch + 1, epochs)
  }

  /** One step up the log-likelihood of "liked above other". */
  function step(user: number, liked: number, other: number): void {
    const [above, below] = [liked * factors, other * factors]
    let margin = bias[liked]! - bias[other]!
    for (let d = 0; d < factors; d++)
      margin += ofUsers[user + d]! * (ofItems[above + d]! - ofItems[below + d]!)
    const pull = rate / (1 + exp(margin))
    const decay = rate * l2
    bias[liked]! += pull - decay * bias[liked]!
    bias[other]! -= pull + decay * bias[other]!
    for (let d = 0; d < factors; d++) {
      const [u, a, b] = [ofUsers[user + d]!, ofItems[above + d]!, ofItems[below + d]!]
      ofUsers[user + d]! += pull * (a - b) - decay * u
      ofItems[above + d]! += pull * u - decay * a
      ofItems[below + d]! -= pull * u + decay * b
    }
  }

  return {
    scores(user) {
      const scores = Float64Array.from(bias)
      for (let item = 0; item < numItems; item++)
        for (let d = 0; d < factors; d++)
          scores[item]! += ofUsers[user * factors + d]! * ofItems[item * factors + d]!
      return scores
    },
  }
}

const vectors = (length: number, rng: Rng) => Float64Array.from({ length }, () => start * rng.normal())
