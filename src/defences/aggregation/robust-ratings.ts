/**
 * Robust averages of ratings: a few invented five-star voices move a mean as far as they like, a median
 * hardly, and a trimmed mean not before they are more than are trimmed. Garcin, Faltings, Jurca, Joswig 2009,
 * "Rating Aggregation in Collaborative Filtering Systems" (RecSys); the breakdown points are Huber's (1981,
 * §1.4).
 *
 * It protects what is ranked by ratings. Profiles that work through *who rated what* (bandwagon against
 * neighbourhoods) are not stopped by it.
 */
import { PerturbError } from '../../core/errors.ts'
import { checkRatings, type Ratings } from '../../data/ratings.ts'

export type Aggregation =
  | { readonly rule: 'mean' }
  | { readonly rule: 'median' }
  /** Cuts off this share of the ratings at either end, rounded down; below one half. */
  | { readonly rule: 'trimmed-mean'; readonly trim: number }

/**
 * One number for many; a median of an even number is the mean of the middle two. NaN for none. Throws
 * RangeError unless 0 ≤ trim < ½; `bad-input` for a value that is not finite.
 */
export function aggregate(values: ArrayLike<number>, aggregation: Aggregation): number {
  if (aggregation.rule === 'trimmed-mean' && !(aggregation.trim >= 0 && aggregation.trim < 0.5))
    throw new RangeError(`aggregate: trim must lie from 0 to below 0.5; got ${aggregation.trim}`)
  const sorted = Float64Array.from(values).sort()
  const bad = sorted.find((value) => !Number.isFinite(value))
  if (bad !== undefined)
    throw new PerturbError('bad-input', `aggregate: every value must be finite; got ${bad}`)
  const count = sorted.length
  if (count === 0) return NaN
  if (aggregation.rule === 'median') {
    const half = (count - 1) / 2
    return (sorted[Math.floor(half)]! + sorted[Math.ceil(half)]!) / 2
  }
  const cut = aggregation.rule === 'mean' ? 0 : Math.floor(aggregation.trim * count + 1e-9)
  const kept = sorted.subarray(cut, count - cut)
  return kept.reduce((sum, value) => sum + value, 0) / kept.length
}

/**
 * What each item is worth by its ratings, with their number; the middle of the scale for an item that nobody
 * rated. Throws as checkRatings and aggregate do.
 */
export function itemRatings(
  ratings: Ratings,
  aggregation: Aggregation,
): { values: Float64Array; counts: Int32Array } {
  checkRatings('itemRatings', ratings)
  const own = Array.from({ length: ratings.numItems }, (): number[] => [])
  for (const [place, item] of ratings.items.entries()) own[item]!.push(ratings.values[place]!)
  const middle = (ratings.scale[0] + ratings.scale[1]) / 2
  return {
    values: Float64Array.from(own, (each) => (each.length === 0 ? middle : aggregate(each, aggregation))),
    counts: Int32Array.from(own, (each) => each.length),
  }
}
