import { afterAll, beforeAll, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { createCapabilities } from '../../../src/engine/capabilities.ts'
import type { WireTensor } from '../../../src/engine/capability-protocol.ts'
import { PredictionApi } from '../../../src/engine/prediction-api.ts'
import type { ApiSpec } from '../../../src/grading/grader.ts'
import type { Model } from '../../../src/models/model.ts'
import { linearModel } from '../attacks/linear.ts'
import { everything, tinyData, tinyTask } from './helpers.ts'

let model: Model
beforeAll(async () => {
  await startBackend('cpu', readStatic)
  model = linearModel(2, 2, [0, 1, 0, -1])
})
afterAll(() => model.dispose())

const serve = (api: ApiSpec, maxQueries = 10) =>
  createCapabilities({
    model,
    dataset: tinyData(),
    task: { ...tinyTask, api },
    spec: { ...everything, maxQueries },
    seed: 7,
  })
const rows = (...numbers: number[]): WireTensor => ({
  shape: [numbers.length / 2, 2],
  dtype: 'float32',
  values: Float32Array.from(numbers),
})
const malignant = (answer: unknown) => Array.from((answer as WireTensor).values).filter((_, i) => i % 2 === 1)

test('answers exactly, or in multiples of its step as a float32 has them', async () => {
  const exact = serve({})
  const [p] = malignant(await exact.call('oracle.scores', [rows(1, 0), null]))
  expect(p).toBeCloseTo(1 / (1 + Math.exp(-1)), 6)
  const rounded = serve({ answers: [{ id: 'rounding', decimals: 2 }] })
  expect(malignant(await rounded.call('oracle.scores', [rows(1, 0), null]))).toEqual([Math.fround(0.73)])
})

test('the class alone is that of what is told: whoever is misled is misled here too', async () => {
  const misled = serve({ answers: [{ id: 'misinformation', sure: 0.8 }] })
  expect(await misled.call('oracle.decide', [rows(1, 0, 5, 0), null])).toEqual(Int32Array.of(0, 1))
  expect(await serve({}).call('oracle.decide', [rows(1, 0, 5, 0), null])).toEqual(Int32Array.of(1, 1))
  expect(() => serve({ answers: [{ id: 'no-such' }] })).toThrow(/no answer format "no-such"/)
})

test('of pictures the log keeps the first as bytes', async () => {
  const api = new PredictionApi({})
  const values = Float32Array.of(0, 0.5, 1, 7, 0, 0, 0, 0)
  await api.serve('oracle.scores', { account: null, shape: [2, 2, 1], rows: 2, values }, async () => 0)
  expect(api.log().requests[0]!.picture).toEqual({
    shape: [2, 2, 1],
    pixels: Uint8Array.of(0, 128, 255, 255),
  })
})

test('a budget that is spent in the middle of a batch answers nothing and loses nothing', async () => {
  const server = serve({}, 3)
  await server.call('oracle.scores', [rows(1, 0, 0, 1), null])
  await expect(server.call('oracle.scores', [rows(1, 0, 0, 1), null])).rejects.toMatchObject({
    code: 'budget-spent',
    message: expect.stringContaining('1 of 3 is left') as string,
  })
  expect(server.figures().used).toBe(2)
  await server.call('oracle.scores', [rows(5, 0), null])
  expect(server.figures().used).toBe(3)
  expect(server.log()!.requests.map(({ outcome }) => outcome)).toEqual(['answered', 'refused', 'answered'])
})

test('a key has a quota of its own; what it is refused is neither answered nor booked, and stands in the log', async () => {
  const server = serve({ keys: 2, perKey: 2, cents: 5 })
  await server.call('oracle.decide', [rows(1, 0), 0])
  await expect(server.call('oracle.decide', [rows(1, 0, 0, 1), 0])).rejects.toThrow(
    /key 0 may ask about 2 rows and has 1 left; 2 were asked for\. Nothing was answered; .*another key/,
  )
  await server.call('oracle.decide', [rows(0, 1), 0])
  await server.call('oracle.decide', [rows(1, 0, 0, 1), 1])
  expect(server.figures().used).toBe(4)
  expect(server.summary().accounts).toEqual({ used: 2, closed: 1 })
  const { requests, cents, dropped } = server.log()!
  expect(cents).toBe(20)
  expect(dropped).toBe(0)
  expect(requests.map(({ second, key, rows: n, format }) => [second, key, n, format])).toEqual([
    [0, 0, 1, 'top-1'],
    [1, 0, 2, 'top-1'],
    [2, 0, 1, 'top-1'],
    [3, 1, 2, 'top-1'],
  ])
  expect(requests[1]).toMatchObject({ outcome: 'refused', why: expect.stringContaining('key 0') as string })
  expect(requests[3]!.asked![0]).toEqual([1, 0])
  expect(requests.map(({ asked }) => asked!.length)).toEqual([1, 2, 1, 2])
})

test.each([[2], [-1], [0.5], ['0'], [NaN]])('refuses key %s of two', async (key) => {
  await expect(serve({ keys: 2 }).call('oracle.scores', [rows(1, 0), key])).rejects.toThrow(
    /key must be a whole number from 0 to 1; got/,
  )
})

test('the log holds so many requests and counts the rest; a victim without an API has none', async () => {
  const api = new PredictionApi({})
  for (let i = 0; i < 2003; i++)
    await api.serve(
      'oracle.scores',
      { account: null, shape: [3], rows: 1, values: Float32Array.of(i) },
      async () => i,
    )
  expect([api.log().requests.length, api.log().dropped]).toEqual([2000, 3])
  const plain = createCapabilities({ model, dataset: tinyData(), task: tinyTask, spec: everything, seed: 7 })
  expect(plain.log()).toBeUndefined()
})
