import { beforeAll, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { createWorkshop } from '../../../src/engine/workshop.ts'
import type { DataSet } from '../../../src/data/data-set.ts'
import { loadDataSet } from '../../../src/data/load.ts'
import { logisticVictim, tableRows } from '../../../src/grading/surrogate.ts'
import { logOdds, sigmoid, trainLogistic } from '../../../src/models/logistic.ts'
import { seededModel } from '../../../src/models/seeded.ts'

let data: DataSet
beforeAll(async () => {
  data = await loadDataSet('breast-cancer', readStatic)
})

test('the optimum of a regression on paper: four points, symmetric, so that the slope of the loss is 0 there', () => {
  const x = [[-2], [-1], [1], [2]]
  const y = [0, 1, 0, 1]
  const { weights, bias } = trainLogistic(x, y, 0.5)
  expect(bias).toBeCloseTo(0, 12)
  const slope = x.reduce((sum, [value], i) => sum + (sigmoid(weights[0]! * value!) - y[i]!) * value!, 0)
  expect(slope + 0.5 * weights[0]!).toBeCloseTo(0, 10)
  expect(weights[0]).toBeGreaterThan(0)
})

test('refuses a penalty of 0 and a label too few', () => {
  expect(() => trainLogistic([[1]], [1], 0)).toThrow(/lambda must be above 0; got 0/)
  expect(() => trainLogistic([[1]], [], 1)).toThrow(/one label a row/)
})

test('the hospital’s model: one seed, one model; another seed, another; each right about 96 in 100', async () => {
  const { train } = seededModel('tumour-logistic')
  expect(await train(data, 1)).toEqual(await train(data, 1))
  const kernel = async (seed: number) => (await train(data, seed))[0]!.values
  const [one, other] = [await kernel(1), await kernel(2)]
  expect(Math.max(...one.map((value, i) => Math.abs(value - other[i]!)))).toBeGreaterThan(0.05)
  for (const seed of [1, 2, 3]) {
    const [weights, bias] = await train(data, seed)
    const model = {
      weights: Array.from(weights!.values).filter((_, i) => i % 2 === 1),
      bias: bias!.values[1]!,
    }
    const right = tableRows(data, 'test').filter(
      (x, i) => logOdds(model, x) > 0 === (data.test.labels[i] === 1),
    )
    expect(right.length / data.test.count).toBeGreaterThan(0.94)
  }
})

test('two workshops train the same victim from a seed, and keep it', async () => {
  const open = async () => {
    const workshop = createWorkshop({ role: 'referee', fetchBytes: readStatic, emit: () => undefined })
    await workshop.start('wasm')
    return workshop
  }
  const [a, b] = [await open(), await open()]
  const [ofA, ofB] = [await a.model('tumour-logistic', 77), await b.model('tumour-logistic', 77)]
  expect(await logisticVictim(ofA)).toEqual(await logisticVictim(ofB))
  expect(await a.model('tumour-logistic', 77)).toBe(ofA)
  await expect(a.model('no-such', 1)).rejects.toThrow(/no model "no-such" is trained from a seed/)
})
