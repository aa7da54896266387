import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRng } from '../../../src/core/rng.ts'
import {
  placesByUser,
  readRatings,
  renumbered,
  withProfiles,
  type Ratings,
} from '../../../src/data/ratings.ts'
import { fitBestRated } from '../../../src/defences/aggregation/best-rated.ts'
import { fitRecommender, topLists, type RecommenderSpec } from '../../../src/models/recommender.ts'
import { runs } from '../../helpers/runs.ts'

const knn = { kind: 'item-knn', neighbours: 3, shrink: 0, indifferent: 2 } as const
const bpr = { kind: 'bpr', seed: 1, factors: 4, epochs: 30, rate: 0.1, l2: 0.01, liked: 3 } as const
const run = { seed: 0 }

const table = (rows: [user: number, item: number, value: number][], numUsers: number, numItems: number) => ({
  numUsers,
  numItems,
  scale: [1, 5] as const,
  users: Int32Array.from(rows, ([user]) => user),
  items: Int32Array.from(rows, ([, item]) => item),
  values: Float32Array.from(rows, ([, , value]) => value),
})
/** Two crowds: even users like the first half of the items, odd users the second. */
function crowds(seed = 1, users = 40): Ratings {
  const rng = createRng(seed, 'crowds')
  const rows: [number, number, number][] = []
  for (let user = 0; user < users; user++)
    for (let item = 0; item < 20; item++)
      if (rng.uniform() < 0.45) rows.push([user, item, item < 10 === (user % 2 === 0) ? 5 : 1])
  return table(rows, users, 20)
}

describe('item-knn', () => {
  // Liking (stars − 2): user 0 gives items 0 and 1 each 3, user 1 gives 0 and 2 3 and 1.
  const small = table(
    [
      [0, 0, 5],
      [0, 1, 5],
      [1, 0, 5],
      [1, 2, 3],
      [2, 1, 1],
    ],
    3,
    3,
  )

  test('worked by hand: the cosine of the columns', async () => {
    const recommender = await fitRecommender(knn, small, run)
    // |0| = √18, |1| = 3, |2| = 1: cos(0, 1) = 9/(3√18), cos(0, 2) = 3/√18.
    const scores = recommender.scores(9, [{ item: 0, value: 5 }])
    expect(scores[1]).toBeCloseTo(3 * (9 / (3 * Math.sqrt(18))), 12)
    expect(scores[2]).toBeCloseTo(3 * (3 / Math.sqrt(18)), 12)
    expect(scores[0]).toBe(0)
    expect([...recommender.scores(9, [{ item: 0, value: 2 }])]).toEqual([0, 0, 0])
  })

  test('worked by hand: profiles of length 1 make user 0 say as much as user 1', async () => {
    const { scores } = await fitRecommender({ ...knn, unitProfiles: true }, small, run)
    // User 0: (1/√2, 1/√2, 0); user 1: (3, 0, 1)/√10.
    const length = Math.sqrt(0.5 + 0.9)
    expect(scores(9, [{ item: 0, value: 3 }])[1]).toBeCloseTo(0.5 / (length * Math.sqrt(0.5)), 12)
    expect(scores(9, [{ item: 0, value: 3 }])[2]).toBeCloseTo(0.3 / (length * Math.sqrt(0.1)), 12)
  })

  test('every option moves the scores', async () => {
    const of = async (options: Partial<typeof knn> & { unitProfiles?: boolean }) =>
      (await fitRecommender({ ...knn, ...options }, crowds(), run)).scores(0, [{ item: 1, value: 5 }])
    const base = await of({})
    for (const options of [{ neighbours: 6 }, { shrink: 8 }, { indifferent: 0 }, { unitProfiles: true }])
      expect(await of(options as Partial<typeof knn>), JSON.stringify(options)).not.toEqual(base)
  })

  test('an empty table recommends by number', async () => {
    const lists = topLists(
      await fitRecommender(knn, table([], 2, 4), run),
      table([[0, 2, 5]], 2, 4),
      [0, 1],
      2,
    )
    expect(lists.map((list) => [...list])).toEqual([
      [0, 1],
      [0, 1],
    ])
  })
})

describe.each<[string, RecommenderSpec]>([
  ['item-knn', knn],
  ['item-knn with unit profiles', { ...knn, unitProfiles: true }],
  ['bpr', bpr],
])('%s', (_, spec) => {
  test('shows each crowd what its own likes, and nothing that a user knows', async () => {
    const ratings = crowds()
    const lists = topLists(await fitRecommender(spec, ratings, run), ratings, [...Array(40).keys()], 3)
    const known = placesByUser(ratings).map((places) => places.map((place) => ratings.items[place]!))
    const right = lists.flatMap((list, user) => [...list].map((item) => item < 10 === (user % 2 === 0)))
    expect(right.filter(Boolean).length / right.length).toBeGreaterThan(0.8)
    for (const [user, list] of lists.entries()) {
      expect(list).toHaveLength(3)
      for (const item of list) expect(known[user]).not.toContain(item)
    }
  })

  test('gives the same lists twice, finite scores, and leaves the ratings as they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), async (seed) => {
        const ratings = crowds(seed, 12)
        const kept = structuredClone(ratings)
        const [a, b] = [await fitRecommender(spec, ratings, run), await fitRecommender(spec, ratings, run)]
        expect(topLists(a, ratings, [0, 5])).toEqual(topLists(b, ratings, [0, 5]))
        expect(a.scores(3, []).every(Number.isFinite)).toBe(true)
        expect(ratings).toEqual(kept)
      }),
      { numRuns: runs(6) },
    )
  })

  test('refuses ratings that do not fit', async () => {
    const bad = table([[0, 9, 5]], 1, 3)
    await expect(fitRecommender(spec, bad, run)).rejects.toThrow(/of item 9; items go from 0 to 2/)
  })
})

test('bpr: every option moves the scores, progress is told, and a cancel is heard', async () => {
  const of = async (options: object) =>
    (await fitRecommender({ ...bpr, ...options }, crowds(), run)).scores(0, [])
  const base = await of({})
  const moved = { seed: 2, factors: 5, epochs: 31, rate: 0.2, l2: 0.2, liked: 0 }
  for (const [name, value] of Object.entries(moved))
    expect(await of({ [name]: value }), name).not.toEqual(base)
  const steps: number[] = []
  await fitRecommender(bpr, crowds(), { seed: 0, onStep: (done) => void steps.push(done) })
  expect(steps).toHaveLength(30)
  await expect(fitRecommender(bpr, crowds(), { seed: 0, signal: AbortSignal.abort() })).rejects.toMatchObject(
    {
      code: 'cancelled',
    },
  )
})

test('bpr: the first step, by hand: what was liked rises above what was not seen', async () => {
  // One user, one liked item and one other: the pair of the only step is settled, only the start is drawn.
  const rng = createRng(7, 'bpr')
  const [u = 0, a = 0, b = 0] = Array.from({ length: 3 }, () => 0.1 * rng.normal())
  const options = { ...bpr, seed: 7, factors: 1, epochs: 1, rate: 0.5, l2: 0.1 }
  const scores = (await fitRecommender(options, table([[0, 0, 5]], 1, 2), run)).scores(0, [])
  const pull = 0.5 / (1 + Math.exp(u * (a - b)))
  const [user, liked, other] = [
    u + pull * (a - b) - 0.05 * u,
    a + pull * u - 0.05 * a,
    b - pull * u - 0.05 * b,
  ]
  expect(scores[0]).toBeCloseTo(pull + user * liked, 12)
  expect(scores[1]).toBeCloseTo(-pull + user * other, 12)
})

test('bpr: a training that diverges is told as such, and recommends nothing', async () => {
  await expect(fitRecommender({ ...bpr, rate: 1e6 }, crowds(), run)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('diverged') as unknown,
  })
})

test('bpr: a user who rated everything does not keep it from ending', async () => {
  const all = table(
    [...Array(4).keys()].map((item): [number, number, number] => [0, item, 5]),
    2,
    4,
  )
  const { scores } = await fitRecommender(bpr, all, run)
  expect(scores(0, []).every(Number.isFinite)).toBe(true)
})

test.each<[object, RegExp]>([
  [{ ...knn, neighbours: 0 }, /neighbours must be a whole number of at least 1; got 0/],
  [{ ...knn, shrink: -1 }, /shrink must be/],
  [{ ...knn, indifferent: NaN }, /indifferent must be/],
  [{ ...bpr, factors: 1.5 }, /factors must be/],
  [{ ...bpr, epochs: 0 }, /epochs must be/],
  [{ ...bpr, rate: 0 }, /rate must be above 0; got 0/],
  [{ ...bpr, l2: -1 }, /l2 must be/],
])('%o is refused', async (spec, reason) => {
  await expect(fitRecommender(spec as RecommenderSpec, crowds(), run)).rejects.toThrow(reason)
})

test('a list is refused for a user who is not there', async () => {
  const recommender = await fitRecommender(knn, crowds(), run)
  expect(() => topLists(recommender, crowds(), [40])).toThrow(/no user 40; users go from 0 to 39/)
})

test('the best rated, by hand: few ratings are drawn to the average of all', () => {
  const ratings = table(
    [
      [0, 0, 5],
      [0, 1, 4],
      [1, 1, 4],
      [2, 1, 4],
      [1, 2, 1],
    ],
    3,
    4,
  )
  const scores = fitBestRated(ratings, { aggregation: { rule: 'mean' }, pull: 2 }).scores(0, [])
  const overall = 18 / 5
  expect([...scores].map((score) => score.toFixed(9))).toEqual(
    [(5 + 2 * overall) / 3, (12 + 2 * overall) / 5, (1 + 2 * overall) / 3, overall].map((x) => x.toFixed(9)),
  )
  expect(() => fitBestRated(ratings, { aggregation: { rule: 'mean' }, pull: -1 })).toThrow(RangeError)
})

describe('ratings', () => {
  const csv = 'user,item,stars,day\n0,1,5,1\n0,2,3,2\n1,0,4,1\n0,0,1,9\n1,2,2,3\n1,1,5,4\n'
  const shape = { numUsers: 3, numItems: 3, scale: [1, 5] as [number, number] }

  test('are read in the order of time, each user’s last ones kept back', () => {
    const { known, keptBack } = readRatings('r.csv', csv, shape, 1)
    expect([[...known.users], [...known.items], [...known.values]]).toEqual([
      [0, 0, 1, 1],
      [1, 2, 0, 2],
      [5, 3, 4, 2],
    ])
    expect(keptBack.map((items) => [...items])).toEqual([[0], [1], []])
  })

  test.each([
    ['0,1', /r\.csv: line 2 must be a user, an item and a rating; got "0,1"/],
    ['0,1,six', /line 2/],
    ['0,-1,3', /line 2/],
    ['0,7,3', /of item 7/],
    ['0,1,9', /rating 0 is 9; ratings go from 1 to 5/],
  ])('the line %s is refused', (line, reason) => {
    expect(() => readRatings('r.csv', `user,item,stars\n${line}\n`, shape, 1)).toThrow(reason)
  })

  test('of invented users come after the others; users can go by other numbers', () => {
    const before = crowds()
    const after = withProfiles(before, [[{ item: 3, value: 5 }], [], [{ item: 0, value: 1 }]])
    expect(after.numUsers).toBe(43)
    expect([after.users.at(-2), after.items.at(-2), after.values.at(-1)]).toEqual([40, 3, 1])
    expect(renumbered(table([[0, 1, 2]], 2, 3), [1, 0]).users).toEqual(Int32Array.of(1))
    expect(() => withProfiles(before, [[{ item: 3, value: 0 }]])).toThrow(/ratings go from 1 to 5/)
    expect(() =>
      withProfiles(before, [
        [
          { item: 3, value: 5 },
          { item: 3, value: 5 },
        ],
      ]),
    ).toThrow(/twice/)
  })
})
