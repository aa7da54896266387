import { beforeAll, describe, expect, test, vi } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { caughtAmong, readShopBenchSetup, suspicionCurve } from '../../../src/app/shop-bench.svelte.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { profilesOf } from '../../../src/data/change-list.ts'
import type { DataSet } from '../../../src/data/data-set.ts'
import { loadDataSet } from '../../../src/data/load.ts'
import { method, type ShopTrialParams } from '../../../src/engine/methods/shop-trial.ts'
import type { Workshop } from '../../../src/engine/workshop.ts'
import type { Task } from '../../../src/grading/grader.ts'
import { recommended, type ShopSpec } from '../../../src/grading/shop.ts'

let dataset: DataSet
beforeAll(async () => {
  await startBackend('cpu', readStatic)
  dataset = await loadDataSet('shop', readStatic)
})
const shop: ShopSpec = {
  recommender: { kind: 'item-knn', neighbours: 30, shrink: 5, indifferent: 2 },
  target: 37,
  handIn: { kind: 'profiles', most: 60 },
}
const task: Task = {
  victim: { model: '' },
  dataset: 'shop',
  split: 'train',
  ids: [0],
  labels: [0],
  values: {},
  shop,
}
const usual: ShopTrialParams = {
  task,
  recommender: 'item-knn',
  fakes: 30,
  profile: 'bandwagon',
  selected: 16,
  among: 30,
  fillers: 0,
  leaveOut: 0,
  seed: 5,
}
const told: [number, number][] = []
const trial = (params: Partial<ShopTrialParams> = {}, signal = new AbortController().signal) =>
  method.run({ ...usual, ...params }, { signal, progress: (done, total) => void told.push([done, total]) }, {
    dataset: async () => dataset,
  } as unknown as Workshop)

describe('shop-trial', () => {
  test('measures what the referee measures, and hands in the profiles that it tried', async () => {
    told.length = 0
    const result = await trial()
    const profiles = profilesOf(result.changes)
    expect(profiles).toHaveLength(30)
    const { exposure, hitRate } = await recommended(shop, dataset, { profiles }, { seed: 0 })
    expect(result.after).toEqual({ exposure, hitRate })
    expect(result.after.exposure).toBeGreaterThan(result.before.exposure + 0.15)
    expect(result.curve.find(({ fakes }) => fakes === 30)).toMatchObject({ exposure, hitRate })
    expect(result.curve[0]).toMatchObject({ fakes: 0, exposure: result.before.exposure })
    expect(told.at(-1)![0]).toBe(told.at(-1)![1])
  })

  test('shows lists that changed, and every profile with its suspicion', async () => {
    const { lists, suspects, target } = await trial()
    expect(lists).toHaveLength(4)
    expect(lists.some(({ before, after }) => after.includes(target) && !before.includes(target))).toBe(true)
    expect(suspects).toHaveLength(630)
    expect(suspects.filter(({ isInvented }) => isInvented)).toHaveLength(30)
    for (const [i, { likeness }] of suspects.entries())
      if (i > 0) expect(likeness).toBeLessThanOrEqual(suspects[i - 1]!.likeness)
    const of = caughtAmong(suspects, 40)
    expect(of.caught + of.honest).toBe(40)
    expect(of.caught).toBeGreaterThan(25)
    const curve = suspicionCurve(suspects)
    expect(curve.at(-1)!.flagged).toBeLessThanOrEqual(120)
    expect(curve.at(-1)!.recall).toBe(1)
  })

  test('leaving the most alike out takes the attack with them', async () => {
    const numbers = Array.from({ length: 630 }, (_, user) => (user + 7) % 630)
    const profiles = profilesOf((await trial()).changes)
    const hidden: ShopSpec = { ...shop, handIn: { kind: 'shoppers' }, invented: { profiles, numbers } }
    const own = { ...task, shop: hidden }
    const [open, filtered] = [await trial({ task: own }), await trial({ task: own, leaveOut: 40 })]
    expect(open.after.exposure).toBeGreaterThan(0.2)
    expect(filtered.after.exposure).toBeLessThan(0.1)
    expect(filtered.changes.ids).toHaveLength(40)
    expect(new Set(filtered.changes.labels)).toEqual(new Set([-1]))
    expect(filtered.curve).toEqual([])
  })

  test.each(['unit-knn', 'bpr', 'mean', 'trimmed-mean', 'median'])(
    'fits %s as well, which shows other lists than the shop’s own',
    async (recommender) => {
      const result = await trial({ recommender, fakes: 0 })
      expect(result.before).toEqual((await trial({ fakes: 0 })).before)
      expect(result.after.hitRate).not.toBe(result.before.hitRate)
      expect(result.after.hitRate).toBeGreaterThan(0.02)
      expect(result.changes.ids).toEqual([])
    },
    20_000,
  )

  test('nobody invented changes nothing', async () => {
    const { before, after } = await trial({ fakes: 0 })
    expect(after).toEqual(before)
  })

  test('stops in the middle, and goes on in a tab in the background, whose timers hardly run', async () => {
    const control = new AbortController()
    let told = 0
    const progress = () => {
      if (++told === 3) control.abort()
    }
    const workshop = { dataset: async () => dataset } as unknown as Workshop
    await expect(
      method.run({ ...usual, recommender: 'bpr' }, { signal: control.signal, progress }, workshop),
    ).rejects.toMatchObject({ code: 'cancelled' })
    expect(told).toBe(3)
    vi.useFakeTimers({
      toFake: ['setTimeout', 'setInterval', 'setImmediate', 'requestAnimationFrame', 'requestIdleCallback'],
    })
    try {
      expect((await trial({ fakes: 5 })).after.hitRate).toBeGreaterThan(0.1)
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  test('with everybody left out it still answers: nobody teaches the shop anything', async () => {
    const profiles = profilesOf((await trial()).changes)
    const numbers = Array.from({ length: 630 }, (_, user) => user)
    const hidden: ShopSpec = { ...shop, handIn: { kind: 'shoppers' }, invented: { profiles, numbers } }
    const { after } = await trial({ task: { ...task, shop: hidden }, leaveOut: 630 })
    expect(Number.isFinite(after.exposure) && Number.isFinite(after.hitRate)).toBe(true)
    expect(after.hitRate).toBeLessThan(0.1)
  })

  test('refuses a recommender that it does not have and a task without a shop; hears a cancel', async () => {
    await expect(trial({ recommender: 'toString' })).rejects.toThrow(/one of the recommenders item-knn/)
    await expect(trial({ task: { ...task, shop: undefined } })).rejects.toThrow(/a task with a shop/)
    await expect(trial({}, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' })
  })
})

test('the directive says where the knobs stand, and nonsense is the usual', () => {
  const { checkpoint, knobs } = readShopBenchSetup({
    checkpoint: 'pushed',
    profile: 'random',
    fakes: '12',
    fillers: 'many',
    recommender: 'nobody',
  })
  expect(checkpoint).toBe('pushed')
  expect(knobs).toMatchObject({
    profile: 'random',
    fakes: 12,
    fillers: 0,
    recommender: 'item-knn',
    selected: 10,
  })
})
