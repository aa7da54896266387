import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Options, PoisoningResult } from '../../../src/attacks/attack.ts'
import { runs } from '../../helpers/runs.ts'
import { entry, shilling } from '../../../src/attacks/poisoning/shilling.ts'
import { createRng } from '../../../src/core/rng.ts'
import { checkRatings, itemStatistics, placesByUser, type Ratings } from '../../../src/data/ratings.ts'
import { aggregate, itemRatings } from '../../../src/defences/aggregation/robust-ratings.ts'
import { profileSimilarity, withoutUsers } from '../../../src/defences/sanitation/profile-similarity.ts'

/**
 * 100 shoppers, 40 items of four groups; the lower an item's number the more rate it, and item k is worth 1 +
 * k % 5 stars.
 */
function shop(seed = 1, users = 100): Ratings {
  const rng = createRng(seed, 'shop')
  const rows: [number, number, number][] = []
  for (let user = 0; user < users; user++)
    for (let item = 0; item < 40; item++)
      if (rng.uniform() < 0.5 / (1 + item / 8))
        rows.push([user, item, 1 + ((item + (rng.below(3) - 1) + 5) % 5)])
  return {
    numUsers: users,
    numItems: 40,
    users: Int32Array.from(rows, ([user]) => user),
    items: Int32Array.from(rows, ([, item]) => item),
    values: Float32Array.from(rows, ([, , value]) => value),
    scale: [1, 5],
    groups: Int32Array.from({ length: 40 }, (_, item) => item % 4),
  }
}
const shill = (options: Options, ratings = shop(), seed = 1) =>
  shilling(ratings, options, { seed }) as Promise<PoisoningResult<Ratings>>
/** Ratings of each invented user, as item → value. */
const profiles = ({ data, poisonedIds }: PoisoningResult<Ratings>) =>
  Array.from(poisonedIds, (user) => {
    const places = placesByUser(data)[user]!
    return new Map(places.map((place) => [data.items[place]!, data.values[place]!]))
  })

describe('shilling', () => {
  test('adds users within the budget who praise the target, and touches nobody else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('random', 'average', 'bandwagon', 'segment'),
        fc.nat(1e6),
        async (profile, seed) => {
          const ratings = shop(seed)
          const kept = structuredClone(ratings)
          const result = await shill({ profile, target: 33, share: 0.08 }, ratings, seed)
          expect(ratings).toEqual(kept)
          expect(() => checkRatings('the result', result.data)).not.toThrow()
          expect([...result.poisonedIds]).toEqual([100, 101, 102, 103, 104, 105, 106, 107])
          const n = ratings.users.length
          expect(result.data.users.subarray(0, n)).toEqual(ratings.users)
          expect(result.data.values.subarray(0, n)).toEqual(ratings.values)
          for (const one of profiles(result)) expect(one.get(33)).toBe(5)
          for (const value of result.data.values) expect(Number.isInteger(value)).toBe(true)
          expect(await shill({ profile, target: 33, share: 0.08 }, ratings, seed)).toEqual(result)
        },
      ),
      { numRuns: runs(12) },
    )
  })

  test('bandwagon praises what is popular and fills in around the overall mean', async () => {
    const { counts } = itemStatistics(shop())
    const popular = [...counts.keys()]
      .filter((item) => item !== 33)
      .sort((a, b) => counts[b]! - counts[a]! || a - b)
      .slice(0, 6)
    for (const one of profiles(
      await shill({ profile: 'bandwagon', target: 33, selected: 6, fillerShare: 0.1 }),
    )) {
      expect(one.size).toBe(1 + 6 + 4)
      for (const item of popular) expect(one.get(item)).toBe(5)
    }
  })

  test('profiles that draw their popular items from more of them are less alike', async () => {
    const { counts } = itemStatistics(shop())
    const first = [...counts.keys()].sort((a, b) => counts[b]! - counts[a]! || a - b).slice(0, 13)
    const drawn = profiles(await shill({ target: 33, selected: 6, among: 12, fillerShare: 0 }))
    for (const one of drawn) {
      expect(one.size).toBe(7)
      for (const item of one.keys()) expect(item === 33 || first.includes(item)).toBe(true)
    }
    expect(new Set(drawn.map((one) => [...one.keys()].sort().join())).size).toBeGreaterThan(3)
  })

  test('segment praises its own group and runs down the rest', async () => {
    for (const one of profiles(
      await shill({ profile: 'segment', target: 33, selected: 3, fillerShare: 0.2 }),
    )) {
      const high = [...one].filter(([, value]) => value === 5).map(([item]) => item)
      expect(high).toHaveLength(4)
      for (const item of high) expect(item % 4).toBe(1)
      expect([...one].filter(([, value]) => value === 1)).toHaveLength(8)
    }
  })

  test('average profiles agree with what items are worth, random ones do not', async () => {
    const { means } = itemStatistics(shop())
    const off = async (profile: string) => {
      const all = profiles(await shill({ profile, target: 33, share: 1, fillerShare: 0.5 }))
      const apart = all.flatMap((one) =>
        [...one].filter(([item]) => item !== 33).map(([item, value]) => Math.abs(value - means[item]!)),
      )
      return apart.reduce((sum, value) => sum + value, 0) / apart.length
    }
    expect(await off('average')).toBeLessThan((await off('random')) - 0.1)
  })

  test('every option moves the result', async () => {
    const quick = { share: 0.1, profile: 'bandwagon', target: 3, fillerShare: 0.1, selected: 4, among: 0 }
    const base = await shill(quick)
    const moves = { share: 0.2, profile: 'average', target: 5, fillerShare: 0.2, selected: 2, among: 12 }
    expect(Object.keys(moves).sort()).toEqual(entry.parameters.map(({ name }) => name).sort())
    for (const [name, to] of Object.entries(moves))
      expect(await shill({ ...quick, [name]: to }), name).not.toEqual(base)
  })

  test('a budget of 0 adds nobody', async () => {
    const result = await shill({ share: 0 })
    expect(result.data).toEqual(shop())
    expect(result.poisonedIds).toHaveLength(0)
  })

  test.each<[string, Options, (ratings: Ratings) => Ratings, RegExp]>([
    ['a target that is no item', { target: 40 }, (r) => r, /target must be an item from 0 to 39; got 40/],
    ['a share above 1', { share: 2 }, (r) => r, /share must be a share from 0 to 1/],
    [
      'an empty table',
      {},
      (r) =>
        withoutUsers(
          r,
          Array.from({ length: 100 }, (_, i) => i),
        ),
      /no ratings to imitate/,
    ],
    [
      'a segment without groups',
      { profile: 'segment' },
      (r) => ({ ...r, groups: undefined }),
      /needs the items' groups/,
    ],
    [
      'a rating outside the scale',
      {},
      (r) => ({ ...r, values: r.values.map((v, i) => (i === 3 ? 6 : v)) }),
      /rating 3 is 6; ratings go from 1 to 5/,
    ],
    [
      'a rating that is NaN',
      {},
      (r) => ({ ...r, values: r.values.map((v, i) => (i === 3 ? NaN : v)) }),
      /rating 3 is NaN/,
    ],
    [
      'an item rated twice',
      {},
      (r) => ({
        ...r,
        items: r.items.map((v, i) => (i === 1 ? r.items[0]! : v)),
        users: r.users.map((v, i) => (i === 1 ? r.users[0]! : v)),
      }),
      /twice; keep one/,
    ],
    ['an option it does not have', { size: 1 }, (r) => r, /no option "size"/],
  ])('refuses %s', async (_, options, spoil, message) => {
    await expect(shill(options, spoil(shop()))).rejects.toThrow(message)
  })

  test('stops when cancelled', async () => {
    await expect(shilling(shop(), {}, { seed: 1, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    })
  })
})

describe('robust ratings', () => {
  test('worked by hand', () => {
    const stars = [1, 2, 2, 3, 5, 5, 5, 5, 5, 5]
    expect(aggregate(stars, { rule: 'mean' })).toBe(3.8)
    expect(aggregate([1, 2, 4, 5], { rule: 'median' })).toBe(3)
    expect(aggregate([5, 1, 2], { rule: 'median' })).toBe(2)
    expect(aggregate([1, 2, 3, 4, 100], { rule: 'trimmed-mean', trim: 0.2 })).toBe(3)
    expect(aggregate([], { rule: 'median' })).toBeNaN()
  })

  test('fewer fakes than it can bear cannot take it out of the honest range', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 3, maxLength: 40 }),
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: 0.05, max: 0.45, noNaN: true }),
        (honest, fake, trim) => {
          const bearable = Math.floor(((trim * honest.length) / (1 - trim)) * 0.99)
          const all = [...honest, ...new Array<number>(bearable).fill(fake)]
          for (const rule of [{ rule: 'median' }, { rule: 'trimmed-mean', trim }] as const) {
            const got = aggregate(all, rule)
            // The trim is rounded down to whole ratings, so no more than that many fakes are borne.
            if (rule.rule === 'trimmed-mean' && bearable > Math.floor(trim * all.length + 1e-9)) continue
            expect(got).toBeGreaterThanOrEqual(Math.min(...honest))
            expect(got).toBeLessThanOrEqual(Math.max(...honest))
          }
        },
      ),
    )
  })

  test('fakes lift an item by its mean and not by its median', async () => {
    const { data } = await shill({ target: 36, share: 0.03, profile: 'random', fillerShare: 0 })
    const worth = (rule: 'mean' | 'median', of: Ratings) => itemRatings(of, { rule }).values[36]!
    expect(worth('mean', data)).toBeGreaterThan(worth('mean', shop()) + 0.3)
    expect(Math.abs(worth('median', data) - worth('median', shop()))).toBeLessThanOrEqual(0.5)
  })

  test('an item that nobody rated is worth the middle of the scale', () => {
    const none = withoutUsers(
      shop(),
      Array.from({ length: 100 }, (_, i) => i),
    )
    const { values, counts } = itemRatings(none, { rule: 'median' })
    expect([values[0], counts[0]]).toEqual([3, 0])
  })

  test('refuses a trim of one half and NaN', () => {
    expect(() => aggregate([1], { rule: 'trimmed-mean', trim: 0.5 })).toThrow(RangeError)
    expect(() => aggregate([1, NaN], { rule: 'median' })).toThrow('every value must be finite; got NaN')
  })
})

describe('profile similarity', () => {
  test('popular-only profiles are all alike and stand out; with them gone, the table is as before', async () => {
    const { data, poisonedIds } = await shill({ target: 33, fillerShare: 0, selected: 12 })
    const { flaggedUsers, scores } = await profileSimilarity(
      data,
      { neighbours: 4, share: 5 / 105 },
      { seed: 1 },
    )
    expect(flaggedUsers).toEqual(poisonedIds)
    for (const user of poisonedIds) expect(scores[user]).toBe(1)
    expect(withoutUsers(data, flaggedUsers)).toEqual({ ...shop(), numUsers: 105 })
  })

  test('worked by hand, a user without ratings included', async () => {
    const ratings: Ratings = {
      numUsers: 4,
      numItems: 3,
      users: Int32Array.of(0, 0, 1, 1, 2),
      items: Int32Array.of(0, 1, 1, 2, 1),
      values: Float32Array.of(1, 1, 1, 1, 1),
      scale: [1, 5],
    }
    const { scores } = await profileSimilarity(ratings, { neighbours: 2, share: 0 }, { seed: 1 })
    // 0 and 1 share one of three items; 2 shares its only one with either, of two.
    expect([...scores]).toEqual([(1 / 3 + 1 / 2) / 2, (1 / 3 + 1 / 2) / 2, 1 / 2, 0])
  })

  test('refuses options that make no sense', async () => {
    await expect(profileSimilarity(shop(), { neighbours: 0, share: 0 }, { seed: 1 })).rejects.toThrow(
      RangeError,
    )
    await expect(profileSimilarity(shop(), { neighbours: 1, share: 2 }, { seed: 1 })).rejects.toThrow(
      RangeError,
    )
  })
})
