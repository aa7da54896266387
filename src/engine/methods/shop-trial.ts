import { shilling, type ShillingOptions } from '../../attacks/poisoning/shilling.ts'
import { nextTask } from '../../core/platform.ts'
import { throwIfCancelled } from '../../core/run.ts'
import { profileChanges, type ChangeList } from '../../data/change-list.ts'
import { itemStatistics, placesByUser, withProfiles, type Profile, type Ratings } from '../../data/ratings.ts'
import { profileSimilarity } from '../../defences/sanitation/profile-similarity.ts'
import type { Task } from '../../grading/grader.ts'
import {
  givenRatings,
  honestShoppers,
  recommended,
  shopRatings,
  type ShopRecommender,
  type ShopSpec,
} from '../../grading/shop.ts'
import { PerturbError } from '../../core/errors.ts'
import { defineMethod } from '../method.ts'

/** What the bench's words for a recommender stand for. */
const recommenders: Readonly<Record<string, ShopRecommender>> = {
  'item-knn': { kind: 'item-knn', neighbours: 30, shrink: 5, indifferent: 2 },
  'unit-knn': { kind: 'item-knn', neighbours: 30, shrink: 5, indifferent: 2, unitProfiles: true },
  bpr: { kind: 'bpr', seed: 1, factors: 12, epochs: 60, rate: 0.05, l2: 0.01, liked: 3 },
  mean: { kind: 'best-rated', aggregation: { rule: 'mean' }, pull: 10 },
  'trimmed-mean': { kind: 'best-rated', aggregation: { rule: 'trimmed-mean', trim: 0.2 }, pull: 10 },
  median: { kind: 'best-rated', aggregation: { rule: 'median' }, pull: 10 },
}

export interface ShopTrialParams {
  task: Task
  /** A key of `recommenders`. */
  recommender: string
  /** Who is invented beside those whom the task has already; nobody when `fakes` is 0. */
  fakes: number
  profile: ShillingOptions['profile']
  selected: number
  among: number
  fillers: number
  /** Leave out so many of the most alike. */
  leaveOut: number
  seed: number
}

/** One honest shopper's list, before and after. */
export interface ShownList {
  shopper: number
  liked: number[]
  before: number[]
  after: number[]
}

export interface Suspect {
  shopper: number
  likeness: number
  ratings: number
  meanStars: number
  isInvented: boolean
  /** The items that this one gave most stars, the most popular first. */
  favourites: number[]
}

export interface ShopTrial {
  target: number
  /** How often each item was rated. */
  counts: Int32Array
  /** Without any invented shopper, with the shop's own recommender; and after all that was chosen. */
  before: { exposure: number; hitRate: number }
  after: { exposure: number; hitRate: number }
  lists: ShownList[]
  /** With other numbers of invented shoppers; empty where somebody else invented them. */
  curve: { fakes: number; exposure: number; hitRate: number }[]
  /** Everybody, the most alike first. */
  suspects: Suspect[]
  /** What to hand in: the invented profiles, or who is left out. */
  changes: ChangeList
}

const steps = [0, 5, 10, 15, 20, 25, 30, 40, 60]
const shownShoppers = 4
const neighbours = 8
const favourites = 6

/** Invents shoppers, leaves some out, and reads what the recommender shows before and after. Cancel is heard between fits. */
export const method = defineMethod<ShopTrialParams, ShopTrial>({
  name: 'shop-trial',
  runsOn: ['engine'],
  async run(params, { signal, progress }, workshop) {
    const { task, fakes, seed } = params
    const { shop } = task
    const recommender = Object.hasOwn(recommenders, params.recommender)
      ? recommenders[params.recommender]
      : undefined
    if (!shop || !recommender)
      throw new PerturbError(
        'bad-input',
        `shop-trial: needs a task with a shop and one of the recommenders ${Object.keys(recommenders).join(', ')}; got "${params.recommender}"`,
      )
    const dataset = await workshop.dataset(task.dataset)
    const run = { seed, signal }
    const attacks = shop.handIn.kind === 'profiles'
    const points = attacks ? steps : []
    let done = 0
    const told = async <T>(work: Promise<T>): Promise<T> => {
      const result = await work
      progress(++done, points.length + 3)
      await nextTask()
      throwIfCancelled(run)
      return result
    }
    const chosen: ShopSpec = { ...shop, recommender }
    const before = await told(recommended({ ...shop, invented: undefined }, dataset, {}, run))
    const profiles = attacks ? await invent(shopRatings(dataset).known, params, shop.target, fakes) : []
    const given = withProfiles(givenRatings(shop, dataset), profiles)
    const { scores } = await told(profileSimilarity(given, { neighbours, share: 0 }, run))
    const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b)
    const without = order.slice(0, params.leaveOut)
    const honest = honestShoppers(shop, dataset)
    const after = await told(recommended(chosen, dataset, { profiles, without }, run))
    const curve: ShopTrial['curve'] = []
    for (const count of points) {
      const some = await invent(shopRatings(dataset).known, params, shop.target, count)
      const { exposure, hitRate } = await told(recommended(chosen, dataset, { profiles: some }, run))
      curve.push({ fakes: count, exposure, hitRate })
    }
    return {
      target: shop.target,
      counts: itemStatistics(shopRatings(dataset).known).counts,
      before: { exposure: before.exposure, hitRate: before.hitRate },
      after: { exposure: after.exposure, hitRate: after.hitRate },
      lists: chooseShoppers(after.lists, before.lists, shop.target).map((place) => ({
        shopper: honest[place]!,
        liked: favouritesOf(given, [honest[place]!])[0]!,
        before: [...before.lists[place]!],
        after: [...after.lists[place]!],
      })),
      curve,
      suspects: suspectsIn(given, order, scores, new Set(honest)),
      changes: attacks ? profileChanges(profiles) : { ids: without, labels: without.map(() => -1) },
    }
  },
})

/** The library's shilling attack, with a count of shoppers and of fillers in place of shares. */
async function invent(
  ratings: Ratings,
  { profile, selected, among, fillers, seed }: ShopTrialParams,
  target: number,
  count: number,
): Promise<Profile[]> {
  if (count === 0) return []
  const options = {
    profile,
    target,
    selected,
    among,
    share: count / ratings.numUsers,
    fillerShare: fillers / ratings.numItems,
  }
  const { data, poisonedIds } = await shilling(ratings, options, { seed })
  const places = placesByUser(data)
  return Array.from(poisonedIds, (user) =>
    places[user]!.map((place) => ({ item: data.items[place]!, value: data.values[place]! })),
  )
}

/** Half of them are shown the item afterwards where there are such, half are not: places among the honest. */
function chooseShoppers(
  after: readonly Int32Array[],
  before: readonly Int32Array[],
  target: number,
): number[] {
  const places = [...after.keys()]
  const newly = places.filter((place) => after[place]!.includes(target) !== before[place]!.includes(target))
  const others = places.filter((place) => !newly.includes(place))
  const first = newly.slice(0, shownShoppers - 1)
  return [...first, ...others.slice(0, shownShoppers - first.length)]
}

function favouritesOf(ratings: Ratings, users: readonly number[]): number[][] {
  const { counts } = itemStatistics(ratings)
  const places = placesByUser(ratings)
  return users.map((user) =>
    [...places[user]!]
      .sort(
        (a, b) =>
          ratings.values[b]! - ratings.values[a]! ||
          counts[ratings.items[b]!]! - counts[ratings.items[a]!]! ||
          a - b,
      )
      .slice(0, favourites)
      .map((place) => ratings.items[place]!),
  )
}

function suspectsIn(
  ratings: Ratings,
  order: readonly number[],
  scores: Float64Array,
  honest: ReadonlySet<number>,
): Suspect[] {
  const places = placesByUser(ratings)
  const liked = favouritesOf(ratings, order)
  return order.map((shopper, i) => {
    const own = places[shopper]!
    const stars = own.reduce((sum, place) => sum + ratings.values[place]!, 0)
    return {
      shopper,
      likeness: scores[shopper]!,
      ratings: own.length,
      meanStars: own.length === 0 ? 0 : stars / own.length,
      isInvented: !honest.has(shopper),
      favourites: liked[i]!,
    }
  })
}
