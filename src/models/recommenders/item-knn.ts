/**
 * Item-based nearest neighbours: an item is recommended to whoever liked items that the same people liked. Sarwar,
 * Karypis, Konstan, Riedl 2001, "Item-based collaborative filtering recommendation algorithms" (WWW), §3; the nearest k
 * of each item and profiles of unit length after Deshpande, Karypis 2004, "Item-based top-N recommendation algorithms"
 * (ACM TOIS 22:1), §4.
 *
 * Similarity of items i and j: Σ w(u, i) w(u, j) over all users, divided by |w(·, i)| |w(·, j)| + shrink, where w is how
 * much a rating says of liking: what it exceeds `indifferent` by, never below 0. Differs from the papers: shrinking (Bell,
 * Koren 2007, ICDM), and ratings enter as liking, not centred.
 */
import { checkRatings, placesByUser, type Ratings } from '../../data/ratings.ts'
import type { Rated, Recommender } from '../recommender.ts'

export interface ItemKnnOptions {
  /** How many of the likest items each item keeps. */
  readonly neighbours: number
  /** Added to the denominator, so that few common users make no likeness. */
  readonly shrink: number
  /** A rating of this or less says nothing; a rating above says what it exceeds it by. */
  readonly indifferent: number
  /**
   * Every profile is scaled to length 1 before it is compared: who praises much counts less for each praise. The shrinking
   * is scaled with it.
   */
  readonly unitProfiles?: boolean
}

/**
 * Throws RangeError for neighbours below 1 or not whole, shrink below 0 and an indifferent rating that is no number;
 * `bad-input` for ratings that do not fit.
 */
export function fitItemKnn(ratings: Ratings, options: ItemKnnOptions): Recommender {
  const { neighbours, shrink, indifferent, unitProfiles = false } = options
  if (!(Number.isInteger(neighbours) && neighbours >= 1))
    throw new RangeError(`item-knn: neighbours must be a whole number of at least 1; got ${neighbours}`)
  if (!(shrink >= 0 && Number.isFinite(shrink)))
    throw new RangeError(`item-knn: shrink must be a number of at least 0; got ${shrink}`)
  if (!Number.isFinite(indifferent))
    throw new RangeError(`item-knn: indifferent must be a rating; got ${indifferent}`)
  checkRatings('item-knn', ratings)
  const { numItems } = ratings
  const liking = (value: number) => Math.max(0, value - indifferent)
  const products = new Float64Array(numItems * numItems)
  let scale = 1
  const profiles = placesByUser(ratings)
    .map((places) =>
      places
        .map((place) => ({ item: ratings.items[place]!, weight: liking(ratings.values[place]!) }))
        .filter(({ weight }) => weight > 0),
    )
    .filter((profile) => profile.length > 0)
  const lengths = profiles.map((profile) =>
    Math.sqrt(profile.reduce((sum, { weight }) => sum + weight ** 2, 0)),
  )
  if (unitProfiles && profiles.length > 0)
    scale = profiles.length / lengths.reduce((sum, length) => sum + length ** 2, 0)
  for (const [i, profile] of profiles.entries()) {
    const by = unitProfiles ? lengths[i]! ** 2 : 1
    for (const a of profile)
      for (const b of profile) products[a.item * numItems + b.item]! += (a.weight * b.weight) / by
  }
  const near = nearestItems(products, numItems, neighbours, shrink * scale)
  return {
    scores(_, rated: readonly Rated[]) {
      const own = new Float64Array(numItems)
      for (const { item, value } of rated) own[item] = liking(value)
      return Float64Array.from(near, (list) =>
        list.reduce((sum, { item, similarity }) => sum + similarity * own[item]!, 0),
      )
    },
  }
}

function nearestItems(products: Float64Array, numItems: number, neighbours: number, shrink: number) {
  const length = Float64Array.from({ length: numItems }, (_, i) => Math.sqrt(products[i * numItems + i]!))
  return Array.from({ length: numItems }, (_, i) =>
    Array.from({ length: numItems }, (_, item) => ({
      item,
      similarity: products[i * numItems + item]! / (length[i]! * length[item]! + shrink || 1),
    }))
      .filter(({ item, similarity }) => item !== i && similarity > 0)
      .sort((a, b) => b.similarity - a.similarity || a.item - b.item)
      .slice(0, neighbours),
  )
}
