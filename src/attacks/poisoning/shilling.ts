/**
 * Shilling: invented shoppers who praise one item, and rate others so that they look like the people who
 * should be offered it. random and average profiles: Lam & Riedl 2004, "Shilling Recommender Systems for Fun
 * and Profit", §3 (WWW). bandwagon and segment: Mobasher, Burke, Bhaumik, Williams 2007, "Toward Trustworthy
 * Recommender Systems", §3 (ACM TOIT 7:4); Burke, Mobasher, Williams, Bhaumik 2005.
 *
 * Threat model: adds users within a budget; knows each item's number of ratings and mean (random: only the
 * overall mean), no model. Every profile gives the target the highest rating. What else it rates:
 * - random: fillers, around the mean of all ratings;
 * - average: fillers, each around its own mean;
 * - bandwagon: the most popular items with the highest rating, and fillers as in random;
 * - segment: the most popular items of the target's own group with the highest rating, and fillers with the
 *   lowest.
 *
 * Differs from the papers: ratings are rounded to whole stars where all honest ones are, and profiles may each draw
 * their popular items from a larger number of them (`among`), so that they are less alike.
 */
import { PerturbError } from '../../core/errors.ts'
import { createRng, type Rng } from '../../core/rng.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import { checkRatings, itemStatistics, type Ratings } from '../../data/ratings.ts'
import type { PoisoningEntry, PoisoningResult } from '../attack.ts'
import { readOptions, wholeNumber } from '../check.ts'
import { checkShare, shareKnob, wholeShare } from '../flips.ts'

export type ShillingOptions = {
  /** Invented users, as a share of the honest ones, rounded down. */
  share: number
  profile: 'random' | 'average' | 'bandwagon' | 'segment'
  /** The item that is pushed. */
  target: number
  /** Items each profile fills in beside the selected ones, as a share of all items, rounded down. */
  fillerShare: number
  /** Popular items that bandwagon and segment profiles praise too. */
  selected: number
  /** Each profile draws them from so many of the most popular; from exactly the most popular when this is no more. */
  among: number
}

const defaults: ShillingOptions = {
  share: 0.05,
  profile: 'bandwagon',
  target: 0,
  fillerShare: 0.05,
  selected: 10,
  among: 0,
}

/**
 * New users come after the honest ones, whose ratings stay as they are; poisonedIds names the new users. A
 * share of 0 adds nobody. Fewer items are selected when a group has no more. Throws RangeError for shares
 * outside [0, 1], a target that is no item, and `selected` below 0; `bad-input` for ratings that do not fit,
 * none at all, and segment profiles where items have no groups.
 */
export async function shilling(
  ratings: Ratings,
  options: Partial<ShillingOptions>,
  run: RunContext,
): Promise<PoisoningResult<Ratings>> {
  const settings = readOptions(entry, options) as ShillingOptions
  const { share, profile, target, fillerShare, selected, among } = settings
  checkShare('shilling', 'share', share)
  checkShare('shilling', 'fillerShare', fillerShare)
  wholeNumber('shilling', 'selected', selected, 0)
  wholeNumber('shilling', 'among', among, 0)
  wholeNumber('shilling', 'target', target, 0)
  checkRatings('shilling', ratings)
  if (target >= ratings.numItems)
    throw new RangeError(`shilling: target must be an item from 0 to ${ratings.numItems - 1}; got ${target}`)
  if (ratings.values.length === 0)
    throw new PerturbError('bad-input', 'shilling: there are no ratings to imitate; got an empty table')
  if (profile === 'segment' && !ratings.groups)
    throw new PerturbError(
      'bad-input',
      "shilling: a segment profile needs the items' groups, and these ratings have none; take another profile",
    )
  throwIfCancelled(run)

  const fakes = wholeShare(share, ratings.numUsers)
  const rng = createRng(run.seed, 'shilling')
  const invent = profiler(ratings, settings, rng)
  const [users, items, values] = [[...ratings.users], [...ratings.items], [...ratings.values]]
  for (let fake = 0; fake < fakes; fake++)
    for (const [item, value] of invent()) {
      users.push(ratings.numUsers + fake)
      items.push(item)
      values.push(value)
    }
  return {
    data: {
      ...ratings,
      numUsers: ratings.numUsers + fakes,
      users: Int32Array.from(users),
      items: Int32Array.from(items),
      values: Float32Array.from(values),
    },
    poisonedIds: Int32Array.from({ length: fakes }, (_, i) => ratings.numUsers + i),
  }
}

/** Gives one invented user's ratings at each call. */
function profiler(
  ratings: Ratings,
  { profile, target, fillerShare, selected, among }: ShillingOptions,
  rng: Rng,
): () => [item: number, value: number][] {
  const { numItems, values, scale, groups } = ratings
  const [lowest, highest] = scale
  const { counts, means } = itemStatistics(ratings)
  const overall = values.reduce((sum, value) => sum + value, 0) / values.length
  const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - overall) ** 2, 0) / values.length)
  const isWhole = values.every(Number.isInteger)
  const around = (mean: number) => {
    const drawn = mean + spread * rng.normal()
    return Math.max(lowest, Math.min(highest, isWhole ? Math.round(drawn) : drawn))
  }
  const others = Array.from({ length: numItems }, (_, item) => item).filter((item) => item !== target)
  const popular = (from: number[]) =>
    [...from].sort((a, b) => counts[b]! - counts[a]! || a - b).slice(0, Math.max(selected, among))
  const pool =
    profile === 'bandwagon'
      ? popular(others)
      : profile === 'segment'
        ? popular(others.filter((item) => groups![item] === groups![target]))
        : []
  return () => {
    const praised = pool.length > selected ? rng.shuffle([...pool]).slice(0, selected) : pool
    const rest = others.filter((item) => !praised.includes(item))
    const fillers = Math.min(rest.length, wholeShare(fillerShare, numItems))
    const filled = rng.shuffle([...rest]).slice(0, fillers)
    return [
      [target, highest],
      ...praised.map((item): [number, number] => [item, highest]),
      ...filled.map((item): [number, number] => {
        if (profile === 'segment') return [item, lowest]
        return [item, around(profile === 'average' ? means[item]! : overall)]
      }),
    ]
  }
}

export const entry: PoisoningEntry = {
  id: 'shilling',
  title: 'Shilling profiles',
  summary:
    'Invent shoppers who praise one item, and let them like what the people like who should be offered it.',
  family: 'poisoning',
  takes: 'ratings',
  access: 'data',
  paper: { cite: 'Mobasher et al. 2007', url: 'https://doi.org/10.1145/1278366.1278372' },
  defaults,
  parameters: [
    shareKnob({ max: 0.2, unit: 'of the honest users', label: 'Invented users' }),
    {
      kind: 'choice',
      name: 'profile',
      label: 'Profile',
      help: 'Whom the invented users look like.',
      choices: [
        { value: 'random', label: 'Random' },
        { value: 'average', label: 'Average' },
        { value: 'bandwagon', label: 'Bandwagon' },
        { value: 'segment', label: 'Segment' },
      ],
    },
    {
      kind: 'number',
      name: 'target',
      label: 'Item',
      help: 'The item that is pushed.',
      min: 0,
      max: 9999,
      step: 1,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'fillerShare',
      label: 'Filled in',
      help: 'Items that an invented user rates to look busy.',
      min: 0,
      max: 0.5,
      step: 0.01,
      unit: 'of all items',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'selected',
      label: 'Praised beside it',
      help: 'Popular items that bandwagon and segment profiles praise too.',
      min: 0,
      max: 100,
      step: 1,
      unit: 'items',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'among',
      label: 'Drawn from the most popular',
      help: 'Each profile praises others of so many popular items; 0 praises exactly the most popular.',
      min: 0,
      max: 100,
      step: 1,
      unit: 'items',
      scale: 'linear',
    },
  ],
  run: shilling,
}
