import { PerturbError } from '../core/errors.ts'
import type { RunContext } from '../core/run.ts'
import type { DataSet } from '../data/data-set.ts'
import { renumbered, withProfiles, type Profile, type Ratings, type SplitRatings } from '../data/ratings.ts'
import { fitBestRated, type BestRatedOptions } from '../defences/aggregation/best-rated.ts'
import { profileSimilarity, withoutUsers } from '../defences/sanitation/profile-similarity.ts'
import { exposure, hitRate } from '../metrics/poisoning.ts'
import { fitRecommender, topLists, type Recommender, type RecommenderSpec } from '../models/recommender.ts'
import type { Expected } from './validate.ts'

/** A recommender of the house, or the list of the best rated. */
export type ShopRecommender = RecommenderSpec | ({ readonly kind: 'best-rated' } & BestRatedOptions)

/** A shop with a recommender, and what a hand-in may do to its ratings. */
export interface ShopSpec {
  recommender: ShopRecommender
  /** The item that somebody pushes. */
  target: number
  /** A hand-in is the profiles of invented shoppers, so many at most, or names shoppers to leave out. */
  handIn: { kind: 'profiles'; most: number } | { kind: 'shoppers' }
  /**
   * Invented shoppers who are among the others already, and the numbers that everybody has: shopper u, the invented ones
   * after the honest, goes by numbers[u].
   */
  invented?: { profiles: readonly Profile[]; numbers: readonly number[] }
  /** Shoppers whose mean likeness to so many nearest exceeds this are left out before every fit. */
  filter?: { neighbours: number; above: number }
}

/** What was changed in the ratings. */
export interface RatingsChange {
  profiles?: readonly Profile[]
  without?: readonly number[]
}

export interface Recommended {
  /** Of the honest shoppers, the share whose list of ten holds the pushed item. */
  exposure: number
  /** Of the ratings kept back from the honest shoppers, the share that their lists name. */
  hitRate: number
  /** Ten items for each honest shopper. */
  lists: Int32Array[]
  /** Whom the shop's own filter left out, by number. */
  removed: number[]
}

/** Items that a shopper is shown. */
export const listLength = 10

/** Throws `bad-input` for a data set without ratings. */
export function shopRatings({ name, ratings }: Pick<DataSet, 'name' | 'ratings'>): SplitRatings {
  if (!ratings) throw new PerturbError('bad-input', `${name}: nobody has rated its items`)
  return ratings
}

/** The ratings as a program is given them, with the invented shoppers among them. */
export function givenRatings({ invented }: ShopSpec, dataset: DataSet): Ratings {
  const { known } = shopRatings(dataset)
  return invented ? renumbered(withProfiles(known, invented.profiles), invented.numbers) : known
}

/** The numbers of the honest shoppers. */
export function honestShoppers({ invented }: ShopSpec, dataset: DataSet): number[] {
  const { numUsers } = shopRatings(dataset).known
  return Array.from({ length: numUsers }, (_, user) => invented?.numbers[user] ?? user)
}

/** Who is too much like others for the shop's filter. */
export async function tooAlike(
  ratings: Ratings,
  { neighbours, above }: NonNullable<ShopSpec['filter']>,
  run: RunContext,
): Promise<number[]> {
  const { scores } = await profileSimilarity(ratings, { neighbours, share: 0 }, run)
  return [...scores.keys()].filter((user) => scores[user]! > above)
}

/**
 * Fits the shop's recommender on the changed ratings and reads the lists of the honest shoppers. Somebody who is left out
 * teaches the recommender nothing and is served all the same. Same ratings, same lists, on every machine.
 */
export async function recommended(
  shop: ShopSpec,
  dataset: DataSet,
  { profiles = [], without = [] }: RatingsChange,
  run: RunContext,
): Promise<Recommended> {
  const all = withProfiles(givenRatings(shop, dataset), profiles)
  const listened = withoutUsers(all, without)
  const removed = shop.filter ? await tooAlike(listened, shop.filter, run) : []
  const recommender = await fit(shop.recommender, withoutUsers(listened, removed), run)
  const lists = topLists(recommender, all, honestShoppers(shop, dataset), listLength)
  return { ...readLists(lists, shop.target, shopRatings(dataset).keptBack), lists, removed }
}

async function fit(spec: ShopRecommender, ratings: Ratings, run: RunContext): Promise<Recommender> {
  return spec.kind === 'best-rated' ? fitBestRated(ratings, spec) : fitRecommender(spec, ratings, run)
}

/** Exposure of an item, and the share of what was kept back that lists name: a mean over each shopper's first, second, … */
export function readLists(
  lists: readonly Int32Array[],
  target: number,
  keptBack: readonly Int32Array[],
): { exposure: number; hitRate: number } {
  const each = Math.min(...keptBack.map((items) => items.length))
  const rates = Array.from({ length: each }, (_, k) =>
    hitRate(
      lists,
      keptBack.map((items) => items[k]!),
    ),
  )
  return {
    exposure: exposure(lists, target),
    hitRate: rates.reduce((sum, rate) => sum + rate, 0) / Math.max(1, each),
  }
}

/** What a well-formed hand-in for a shop looks like. */
export function expectedChanges(
  shop: ShopSpec,
  dataset: DataSet,
): Extract<Expected, { kind: 'change-list' }> {
  const { numUsers, numItems, scale } = givenRatings(shop, dataset)
  return shop.handIn.kind === 'profiles'
    ? { kind: 'change-list', of: 'profiles', most: shop.handIn.most, numItems, scale }
    : { kind: 'change-list', of: 'shoppers', numUsers }
}
