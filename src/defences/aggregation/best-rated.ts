/**
 * The list of the best rated: everybody is shown the items with the best average, whoever they are. Few ratings are drawn
 * towards the average of all (a Bayesian mean: `pull` ratings of that value are added). With a median or a trimmed mean in
 * place of the mean it is the robust aggregation of `robust-ratings.ts` at work.
 */
import type { Ratings } from '../../data/ratings.ts'
import type { Recommender } from '../../models/recommender.ts'
import { aggregate, itemRatings, type Aggregation } from './robust-ratings.ts'

export interface BestRatedOptions {
  readonly aggregation: Aggregation
  /** Ratings of the average value that every item is given beside its own. */
  readonly pull: number
}

/** Throws RangeError for a negative pull; otherwise as itemRatings does. */
export function fitBestRated(ratings: Ratings, { aggregation, pull }: BestRatedOptions): Recommender {
  if (!(pull >= 0 && Number.isFinite(pull)))
    throw new RangeError(`best-rated: pull must be a number of at least 0; got ${pull}`)
  const { values, counts } = itemRatings(ratings, aggregation)
  const overall = ratings.values.length ? aggregate(ratings.values, aggregation) : 0
  const scores = values.map((value, item) =>
    counts[item]! + pull === 0 ? value : (counts[item]! * value + pull * overall) / (counts[item]! + pull),
  )
  return { scores: () => scores.slice() }
}
