import { beforeAll, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { createRng } from '../../../src/core/rng.ts'
import { profileChanges, profilesOf, profileStride } from '../../../src/data/change-list.ts'
import type { DataSet } from '../../../src/data/data-set.ts'
import { loadDataSet } from '../../../src/data/load.ts'
import { itemStatistics, type Profile } from '../../../src/data/ratings.ts'
import { createCapabilities } from '../../../src/engine/capabilities.ts'
import type { Task } from '../../../src/grading/grader.ts'
import {
  expectedChanges,
  givenRatings,
  honestShoppers,
  recommended,
  shopRatings,
  type ShopSpec,
} from '../../../src/grading/shop.ts'
import { parseArtefact } from '../../../src/grading/validate.ts'

let dataset: DataSet
beforeAll(async () => {
  await startBackend('cpu', readStatic)
  dataset = await loadDataSet('shop', readStatic)
})

const target = 37
const shop: ShopSpec = {
  recommender: { kind: 'item-knn', neighbours: 30, shrink: 5, indifferent: 2 },
  target,
  handIn: { kind: 'profiles', most: 60 },
}
const run = { seed: 0 }
/** Sixteen of the thirty most popular items beside the target, all with five stars. */
function bandwagon(count = 30): Profile[] {
  const { counts } = itemStatistics(shopRatings(dataset).known)
  const popular = [...counts.keys()].filter((item) => item !== target).sort((a, b) => counts[b]! - counts[a]!)
  const rng = createRng(1, 'bandwagon')
  return Array.from({ length: count }, () =>
    [target, ...rng.shuffle(popular.slice(0, 30)).slice(0, 16)].map((item) => ({ item, value: 5 })),
  )
}

test('the shop has pictures of 200 items, 600 simulated shoppers, and three ratings of each kept back', () => {
  expect(dataset).toMatchObject({ noun: 'item', isSimulated: true, shape: [28, 28, 1] })
  expect([dataset.train.count, dataset.test.count, dataset.classes.length]).toEqual([200, 0, 10])
  expect(Math.max(...dataset.train.pixels([0]))).toBeGreaterThan(0.5)
  const { known, keptBack } = shopRatings(dataset)
  expect([known.numUsers, known.numItems, [...known.scale]]).toEqual([600, 200, [1, 5]])
  expect(keptBack.every((items) => items.length === 3)).toBe(true)
  expect(known.groups![target]).toBe(dataset.train.labels[target])
})

test('thirty invented shoppers put an item into many lists, and the lists stay as good', async () => {
  const before = await recommended(shop, dataset, {}, run)
  const after = await recommended(shop, dataset, { profiles: bandwagon() }, run)
  expect(before.exposure).toBeLessThan(0.08)
  expect(after.exposure).toBeGreaterThan(0.25)
  expect(Math.abs(after.hitRate - before.hitRate)).toBeLessThan(0.025)
  expect(before.hitRate).toBeGreaterThan(0.2)
  expect(after.lists).toHaveLength(600)
})

test('who is left out teaches nothing, and is served all the same', async () => {
  const without = Array.from({ length: 30 }, (_, i) => 600 + i)
  const clean = await recommended(shop, dataset, {}, run)
  const mended = await recommended(shop, dataset, { profiles: bandwagon(), without }, run)
  expect(mended.lists).toEqual(clean.lists)
})

test('invented shoppers hide among the others under new numbers, and change no list by that', async () => {
  const numbers = createRng(3, 'numbers').shuffle(Array.from({ length: 630 }, (_, i) => i))
  const hidden: ShopSpec = { ...shop, invented: { profiles: bandwagon(), numbers } }
  expect(givenRatings(hidden, dataset).numUsers).toBe(630)
  expect(honestShoppers(hidden, dataset).slice(0, 3)).toEqual(numbers.slice(0, 3))
  const plain = await recommended(shop, dataset, { profiles: bandwagon() }, run)
  expect((await recommended(hidden, dataset, {}, run)).exposure).toBe(plain.exposure)
  const mended = await recommended(hidden, dataset, { without: numbers.slice(600) }, run)
  expect(mended.lists).toEqual((await recommended(shop, dataset, {}, run)).lists)
})

test('the shop’s own filter leaves out who is too much like others', async () => {
  const filtered = { ...shop, filter: { neighbours: 8, above: 0.33 } }
  const { removed, exposure } = await recommended(filtered, dataset, { profiles: bandwagon() }, run)
  expect(removed.filter((user) => user >= 600).length).toBe(30)
  expect(removed.filter((user) => user < 600).length).toBeLessThan(30)
  expect(exposure).toBeLessThan(0.1)
})

describe('a hand-in', () => {
  const parse = (list: object, spec = shop) =>
    parseArtefact({ kind: 'change-list', ...list }, expectedChanges(spec, dataset))

  test('of profiles comes out as it went in', () => {
    const profiles = bandwagon(3)
    const parsed = parse(profileChanges(profiles))
    expect(parsed.rejected).toBeUndefined()
    expect(parsed.artefact?.kind === 'change-list' && profilesOf(parsed.artefact)).toEqual(profiles)
    expect(parse({ ids: [], labels: [] }).artefact).toBeDefined()
  })

  test.each<[string, object, RegExp]>([
    ['an item that does not exist', { ids: [200], labels: [5] }, /rates item 200; items go from 0 to 199/],
    ['six stars', { ids: [3], labels: [6] }, /gives item 3 6 stars; ratings go from 1 to 5/],
    ['no star', { ids: [3], labels: [0] }, /0 stars/],
    ['half a star', { ids: [3], labels: [2.5] }, /whole numbers/],
    ['NaN', { ids: [3], labels: [NaN] }, /whole numbers/],
    ['an item twice', { ids: [3, 3], labels: [5, 4] }, /rates item 3 twice/],
    ['a shopper too many', { ids: [60 * profileStride], labels: [5] }, /At most 60 invented shoppers/],
    ['a shopper before the first', { ids: [-1], labels: [5] }, /invented shoppers are read/],
    ['a label too few', { ids: [3, 4], labels: [5] }, /got 2 rows and 1 labels/],
    ['values', { ids: [3], labels: [5], values: new Float32Array(1) }, /`values` too/],
  ])('with %s is rejected', (_, list, reason) => {
    expect(parse(list).rejected?.headline).toMatch(reason)
  })

  test.each<[string, object, RegExp]>([
    [
      'a shopper who does not exist',
      { ids: [600], labels: [-1] },
      /no shopper 600; shoppers go from 0 to 599/,
    ],
    ['a label', { ids: [6], labels: [1] }, /can only be dropped here; got the label 1/],
    ['a shopper twice', { ids: [6, 6], labels: [-1, -1] }, /dropped twice/],
  ])('of shoppers with %s is rejected', (_, list, reason) => {
    const spec: ShopSpec = { ...shop, handIn: { kind: 'shoppers' } }
    expect(parse(list, spec).rejected?.headline).toMatch(reason)
    expect(parse({ ids: [6], labels: [-1] }, spec).artefact).toBeDefined()
  })
})

describe('a program', () => {
  const task: Task = {
    victim: { model: '' },
    dataset: 'shop',
    split: 'train',
    ids: [0, 1],
    labels: [0, 0],
    values: {},
    shop,
  }
  const serve = (own: Partial<Task> = {}, maxQueries = 1e6) =>
    createCapabilities({
      model: () => Promise.reject(new Error('there is no network')),
      dataset,
      task: { ...task, ...own },
      spec: { access: ['data', 'recommend'], maxQueries, seconds: 10 },
      seed: 1,
    })
  const ask = (server: ReturnType<typeof serve>, profiles: Profile[], without: number[] = []) => {
    const { ids, labels } = profileChanges(profiles)
    return server.call('recommend', [Int32Array.from(ids), Int32Array.from(labels), Int32Array.from(without)])
  }

  test('reads the ratings, and is told what the referee measures; every rating is counted', async () => {
    const server = serve()
    const shown = (await server.call('data.ratings', [])) as { numUsers: number; users: Int32Array }
    expect(shown.numUsers).toBe(600)
    const { exposure, hitRate, removed } = await recommended(shop, dataset, { profiles: bandwagon() }, run)
    expect(await ask(server, bandwagon())).toEqual({ exposure, hitRate, removed: Int32Array.from(removed) })
    expect(server.summary().rows).toEqual({ training: shown.users.length + 30 * 17 })
    server.close()
  })

  test('is stopped at its budget, and told what is wrong with a profile', async () => {
    await expect(ask(serve({}, 100), [])).rejects.toMatchObject({ code: 'budget-spent' })
    await expect(ask(serve(), [[{ item: 700, value: 5 }]])).rejects.toThrow(
      /item 700; items go from 0 to 199/,
    )
    await expect(ask(serve(), [], [600])).rejects.toThrow(/no shopper 600/)
    await expect(serve().call('recommend', [[1], [5], []])).rejects.toThrow(/give profiles, without, or both/)
    await expect(ask(serve({ shop: undefined }), [])).rejects.toThrow(/has no shop/)
  })
})
