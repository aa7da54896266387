import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entry } from '../../../src/attacks/extraction/boundary-search.ts'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import type { ExtractionResult } from '../../../src/attacks/attack.ts'
import {
  agreementOnNormal,
  fakeDecisions,
  linearParts,
  logisticVictim,
  refusing,
  softmaxModel,
  steal,
  theftContract,
  watchTensors,
} from './theft.ts'

/** Cosine between the stolen (weights, bias) and the victim's: 1 is the same plane. */
function cosine(result: ExtractionResult, victim: { weights: number[]; bias: number }): number {
  const { weights, bias } = linearParts(result)
  const a = [...weights.map((row) => row[1]!), bias[1]!]
  const b = [...victim.weights, victim.bias]
  const dot = (u: number[], v: number[]) => u.reduce((sum, value, i) => sum + value * v[i]!, 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

describe.each(['cpu', 'wasm'] as const)('boundary search on %s', (backend) => {
  let victim: ReturnType<typeof logisticVictim>
  beforeAll(async () => {
    await startBackend(backend, readStatic)
    victim = logisticVictim(30, 3)
  })
  afterAll(() => victim.model.dispose())
  watchTensors()
  theftContract(entry, { maxQueries: 100 }, () => victim.model)

  test.each(['random', 'axes'] as const)(
    'finds the plane from six hundred classes, lines: %s',
    async (lines) => {
      const result = await steal(entry, victim.model, { lines })
      expect(result.shortfall).toBeUndefined()
      expect(result.queriesUsed).toBeLessThanOrEqual(600)
      expect(cosine(result, victim)).toBeGreaterThan(0.9999)
      expect(await agreementOnNormal(result, victim.model)).toBeGreaterThanOrEqual(0.995)
    },
  )

  test.each(['random', 'axes'] as const)('a plane worked by hand, lines: %s', async (lines) => {
    // Class 1 above 3x − 4y + 1 = 0: the unit normal is (0.6, −0.8), the offset 0.2.
    const plane = softmaxModel(2, [0, 3, 0, -4], [0, 1])
    const result = await steal(entry, plane, { lines, maxQueries: 200, halvings: 20 })
    plane.dispose()
    const { weights, bias } = linearParts(result)
    const length = Math.hypot(weights[0]![1]!, weights[1]![1]!)
    expect(weights[0]![1]! / length).toBeCloseTo(0.6, 3)
    expect(weights[1]![1]! / length).toBeCloseTo(-0.8, 3)
    expect(bias[1]! / length).toBeCloseTo(0.2, 3)
  })

  test('more questions find it better', async () => {
    const found = await Promise.all(
      [200, 600, 2000].map(async (maxQueries) =>
        cosine(await steal(entry, victim.model, { maxQueries }), victim),
      ),
    )
    expect(found[0]).toBeLessThan(found[1]!)
    expect(found[1]).toBeLessThan(found[2]!)
  })

  test('with hardly more questions than a plane needs, the lines still run in all directions', async () => {
    // Few points to draw lines between would leave the plane open; some seeds would then agree on 60 in 100.
    for (const seed of [1, 2, 3, 4]) {
      const tight = await steal(entry, victim.model, { maxQueries: 330, halvings: 8 }, { run: { seed } })
      expect(await agreementOnNormal(tight, victim.model), `seed ${seed}`).toBeGreaterThan(0.95)
    }
  })

  test.each(['random', 'axes'] as const)(
    'a budget spent on the way: the lines count as far as they were halved, %s',
    async (lines) => {
      const result = await steal(entry, victim.model, { lines }, { budget: 300 })
      expect(result.queriesUsed).toBeLessThanOrEqual(300)
      expect(result.shortfall).toMatchObject({ kind: 'budget-spent' })
      expect(cosine(result, victim)).toBeGreaterThan(0.9)
    },
  )

  test('too few lines for a plane', async () => {
    const result = await steal(entry, victim.model, { maxQueries: 100 })
    expect(result.shortfall).toMatchObject({
      kind: 'singular',
      message: expect.stringMatching(/6 points of the border were found where 30 settle the plane/) as string,
    })
  })

  test('an axis along which nothing changes weighs nothing, and is told', async () => {
    const result = await entry.run(
      fakeDecisions(3, ([x0 = 0, , x2 = 0]) => Number(x0 + x2 > 0.1)) as never,
      {},
      { lines: 'axes', halvings: 20 },
      { seed: 1 },
    )
    const { weights } = linearParts(result)
    expect(weights[1]![1]).toBe(0)
    expect(weights[0]![1]! / weights[2]![1]!).toBeCloseTo(1, 3)
    expect(result.shortfall).toMatchObject({
      kind: 'singular',
      message: expect.stringMatching(/2 of 3 axes/) as string,
    })
  })

  test('a border far out is found by swarming farther', async () => {
    const far = softmaxModel(2, [0, 1, 0, 0], [0, -8])
    const result = await steal(entry, far, { spread: 1 })
    far.dispose()
    expect(result.shortfall).toBeUndefined()
    const { weights, bias } = linearParts(result)
    expect(bias[1]! / weights[0]![1]!).toBeCloseTo(-8, 1)
  })

  test.each([0, 1])('an API that always answers class %d', async (always) => {
    const oracle = fakeDecisions(3, () => always)
    const result = await entry.run(oracle as never, {}, {}, { seed: 1 })
    expect(result.shortfall).toMatchObject({
      kind: 'constant',
      message: expect.stringMatching(new RegExp(`answered class ${always} to all`)) as string,
    })
    expect(oracle.rows).toBe(result.queriesUsed)
    expect(Math.sign(linearParts(result).bias[1]!)).toBe(always === 1 ? 1 : -1)
  })

  test('an API that begins to refuse', async () => {
    const oracle = fakeDecisions(5, ([x0 = 0]) => Number(x0 > 0))
    const decide = oracle.decide.bind(oracle)
    let calls = 0
    const result = await entry.run(
      { ...oracle, decide: (x: never) => (++calls > 4 ? Promise.reject(refusing()) : decide(x)) } as never,
      {},
      {},
      { seed: 1 },
    )
    expect(calls).toBe(5)
    expect(result.shortfall).toMatchObject({ kind: 'budget-spent' })
    expect(linearParts(result).weights[0]![1]).toBeGreaterThan(0.5)
  })

  test('refuses a victim of three classes, and says what to use', () =>
    expect(entry.run(fakeDecisions(2, () => 0, 3) as never, {}, {}, { seed: 1 })).rejects.toThrow(
      /between two classes; got 3.*copycat/,
    ))

  test('every option moves the questions', async () => {
    const digest = async (options: object) =>
      (await steal(entry, victim.model, options as never)).ledger.summary().transcriptDigest
    const usual = await digest({})
    for (const options of [{ lines: 'axes' }, { maxQueries: 400 }, { halvings: 8 }, { spread: 2 }])
      expect(await digest(options)).not.toBe(usual)
  })
})
