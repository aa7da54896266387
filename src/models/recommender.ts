/**
 * What a recommender is: something fitted on ratings that gives every item a score for a user. Plain arithmetic in double
 * precision without tensors: a table of some hundred items is too small for a device to help, and every machine gets the
 * same lists.
 */
import { PerturbError } from '../core/errors.ts'
import type { RunContext } from '../core/run.ts'
import { placesByUser, type Ratings } from '../data/ratings.ts'
import { fitBpr, type BprOptions } from './recommenders/bpr.ts'
import { fitItemKnn, type ItemKnnOptions } from './recommenders/item-knn.ts'

export interface Recommender {
  /** One score an item, larger is better, for a user by what they rated. `user` is their number in the table it was fitted on. */
  scores(user: number, rated: readonly Rated[]): Float64Array
}

export interface Rated {
  readonly item: number
  readonly value: number
}

/** Which recommender, and its settings, as data. */
export type RecommenderSpec =
  ({ readonly kind: 'item-knn' } & ItemKnnOptions) | ({ readonly kind: 'bpr' } & BprOptions)

/** Fits a recommender on ratings. Throws as the fit does; `cancelled` when asked to stop. */
export async function fitRecommender(
  spec: RecommenderSpec,
  ratings: Ratings,
  run: RunContext,
): Promise<Recommender> {
  switch (spec.kind) {
    case 'item-knn':
      return fitItemKnn(ratings, spec)
    case 'bpr':
      return fitBpr(ratings, spec, run)
  }
}

/**
 * For each of these users the items that they have not rated, best first, `length` of them or fewer; equal scores by the
 * item's number. ratings: what they rated, and what the recommender was fitted on or a part of it.
 */
export function topLists(
  recommender: Recommender,
  ratings: Ratings,
  users: readonly number[],
  length = 10,
): Int32Array[] {
  const places = placesByUser(ratings)
  return users.map((user) => {
    const rated = places[user]?.map((place) => ({
      item: ratings.items[place]!,
      value: ratings.values[place]!,
    }))
    if (!rated)
      throw new PerturbError(
        'bad-input',
        `topLists: there is no user ${user}; users go from 0 to ${ratings.numUsers - 1}`,
      )
    return best(recommender.scores(user, rated), rated, length)
  })
}

function best(scores: Float64Array, rated: readonly Rated[], length: number): Int32Array {
  const known = new Set(rated.map(({ item }) => item))
  return Int32Array.from(scores.keys())
    .filter((item) => !known.has(item))
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .slice(0, length)
}
