import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entry } from '../../../src/attacks/extraction/equation-solving.ts'
import { decimalsOf, solveSoftmax, solveTopAnswers } from '../../../src/attacks/softmax-equations.ts'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { leastSquares } from '../../../src/core/least-squares.ts'
import { createRng } from '../../../src/core/rng.ts'
import { tellingLess } from '../../../src/defences/answers.ts'
import type { Model } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import {
  agreementOnNormal,
  fakeScores,
  linearParts,
  logisticError,
  logisticVictim,
  refusing,
  softmaxModel,
  steal,
  theftContract,
  watchTensors,
} from './theft.ts'

describe.each(['cpu', 'wasm'] as const)('equation solving on %s', (backend) => {
  let victim: ReturnType<typeof logisticVictim>
  let threeWays: Model
  beforeAll(async () => {
    await startBackend(backend, readStatic)
    victim = logisticVictim(30, 3)
    threeWays = softmaxModel(4, [1, -0.5, 0.2, -1, 2, 0.3, 0.4, 0.1, -0.8, 0.6, 0.7, -0.2], [0.3, -0.4, 0.1])
  })
  afterAll(() => {
    victim.model.dispose()
    threeWays.dispose()
  })
  watchTensors()
  theftContract(entry, {}, () => victim.model)

  test('thirty-one questions about a logistic regression of thirty inputs give its weights away', async () => {
    const result = await steal(entry, victim.model, {})
    expect(result.queriesUsed).toBe(31)
    expect(result.shortfall).toBeUndefined()
    expect(logisticError(result, victim)).toBeLessThan(1e-5)
    expect(await agreementOnNormal(result, victim.model)).toBeGreaterThan(0.9999)
  })

  test('a softmax regression is stolen up to what nobody can see, and class 0 is the reference', async () => {
    const result = await steal(entry, threeWays, {})
    expect(result.queriesUsed).toBe(5)
    const { weights, bias } = linearParts(result)
    const [kernel, given] = (await threeWays.weights()).map(({ values }) => values) as [
      Float32Array,
      Float32Array,
    ]
    for (let k = 0; k < 3; k++) {
      expect(bias[k]).toBeCloseTo(given[k]! - given[0]!, 5)
      for (let j = 0; j < 4; j++) expect(weights[j]![k]).toBeCloseTo(kernel[3 * j + k]! - kernel[3 * j]!, 5)
    }
  })

  test.each([
    [5, 1e-4],
    [4, 2e-3],
    [2, 0.1],
  ])(
    'answers rounded to %d decimals cost that much precision, and more rounds win some back',
    async (decimals, worst) => {
      const through = {
        through: (oracle: Parameters<typeof tellingLess>[0]) =>
          tellingLess(oracle, [{ id: 'rounding', decimals }], 1),
      }
      const once = logisticError(await steal(entry, victim.model, {}, through), victim)
      expect(once).toBeLessThan(worst)
      expect(once).toBeGreaterThan(0.3 * 10 ** -decimals)
      expect(logisticError(await steal(entry, victim.model, { rounds: 8 }, through), victim)).toBeLessThan(
        once,
      )
    },
  )

  test('of two classes, the likeliest one with its probability is everything', async () => {
    const result = await steal(
      entry,
      victim.model,
      {},
      { through: (oracle) => tellingLess(oracle, [{ id: 'top-one' }], 1) },
    )
    expect(result.shortfall).toBeUndefined()
    expect(logisticError(result, victim)).toBeLessThan(1e-5)
  })

  test('of three classes, the likeliest one with its probability needs more questions, and suffices', async () => {
    const through = {
      through: (oracle: Parameters<typeof tellingLess>[0]) => tellingLess(oracle, [{ id: 'top-one' }], 1),
    }
    const result = await steal(entry, threeWays, { points: 'random', rounds: 8 }, through)
    const { weights, bias } = linearParts(result)
    const [kernel, given] = (await threeWays.weights()).map(({ values }) => values) as [
      Float32Array,
      Float32Array,
    ]
    for (let k = 0; k < 3; k++) {
      expect(bias[k]).toBeCloseTo(given[k]! - given[0]!, 3)
      for (let j = 0; j < 4; j++) expect(weights[j]![k]).toBeCloseTo(kernel[3 * j + k]! - kernel[3 * j]!, 3)
    }
  })

  test('of three classes, too few questions about the likeliest one are told as such', async () => {
    const { shortfall } = await steal(
      entry,
      threeWays,
      { points: 'random' },
      {
        through: (oracle) => tellingLess(oracle, [{ id: 'top-one' }], 1),
      },
    )
    expect(shortfall).toMatchObject({
      kind: 'singular',
      message: expect.stringMatching(/settle 5 of 10 unknowns; ask next about a point that moves/) as string,
    })
  })

  test('inputs that are pictures, or a table’s rows of one pixel, are flattened on the way', async () => {
    const { bias, weights } = victim
    const inputShape = [1, 1, 30]
    const table = createModel(
      {
        ...victim.model.architecture,
        inputShape,
        layers: [{ type: 'flatten' }, { type: 'dense', units: 2 }],
      },
      await victim.model.weights(),
    )
    const result = await steal(entry, table, {})
    expect(result.surrogate.architecture).toMatchObject({ inputShape, numClasses: 2, bounds: [-20, 20] })
    expect(logisticError(result, { weights, bias })).toBeLessThan(1e-5)
    expect(await agreementOnNormal(result, table)).toBeGreaterThan(0.9999)
    table.dispose()
  })

  test('the class alone has no logit: the surrogate is useless, and it is said why', async () => {
    const result = await steal(
      entry,
      victim.model,
      {},
      {
        through: (oracle) => tellingLess(oracle, [{ id: 'top-one', tell: 'label' }], 1),
      },
    )
    expect(result.shortfall).toMatchObject({
      kind: 'saturated',
      message: expect.stringMatching(/exactly 0 or 1 and have no finite logit.*smaller scale/) as string,
    })
  })

  test('a question that saturates the answer is asked again nearer by', async () => {
    const steep = softmaxModel(2, [0, 40, 0, 0.5], [0, 0.25])
    const result = await steal(entry, steep, { scale: 10 })
    steep.dispose()
    expect(result.shortfall).toBeUndefined()
    expect(result.queriesUsed).toBeGreaterThan(3)
    expect(linearParts(result).weights.map(([, w]) => w)).toEqual([
      expect.closeTo(40, 2) as number,
      expect.closeTo(0.5, 4) as number,
    ])
  })

  test('a budget spent in the middle: nothing of that batch is answered, and what was answered before is used', async () => {
    const result = await steal(entry, victim.model, { rounds: 2 }, { budget: 40 })
    expect(result.queriesUsed).toBe(31)
    expect(result.ledger.summary()).toMatchObject({ refused: 1, rows: { scores: 31 } })
    expect(result.shortfall).toMatchObject({
      kind: 'budget-spent',
      message: expect.stringMatching(
        /refused after 31 answered rows \(query budget spent.*settle 31 of 31 unknowns/,
      ) as string,
    })
    expect(logisticError(result, victim)).toBeLessThan(1e-5)
  })

  test('a system that is singular is told as such, with what to ask next', async () => {
    // Clipped to [0, 1], random points far out fall on the four corners of a square, often on too few of them.
    const boxed = softmaxModel(2, [0, 0.5, 0, -1], [0, 0.25], [0, 1])
    const options = { points: 'random', scale: 100 }
    const runs = await Promise.all(
      Array.from({ length: 30 }, (_, seed) => steal(entry, boxed, options, { run: { seed } })),
    )
    const singular = runs.findIndex(({ shortfall }) => shortfall?.kind === 'singular')
    expect(runs[singular]!.shortfall!.message).toMatch(
      /^The answers settle 2 of 3 unknowns; ask next about a point that moves/,
    )
    const more = await steal(entry, boxed, { ...options, rounds: 10 }, { run: { seed: singular } })
    boxed.dispose()
    expect(more.shortfall).toBeUndefined()
    expect(linearParts(more).weights.map(([, w]) => w)).toEqual([
      expect.closeTo(0.5, 4) as number,
      expect.closeTo(-1, 4) as number,
    ])
  })

  test('an API that gives one answer to everything', async () => {
    const result = await entry.run(fakeScores(3, () => [0.25, 0.75]) as never, {}, {}, { seed: 1 })
    expect(result.shortfall).toMatchObject({
      kind: 'constant',
      message: expect.stringMatching(/one answer to all 4 questions.*larger scale/) as string,
    })
    expect(linearParts(result).bias[1]).toBeCloseTo(Math.log(3), 5)
  })

  test('answers that are no numbers are left out and counted', async () => {
    const result = await entry.run(
      fakeScores(3, ([x0 = 0], row) => {
        const p = 1 / (1 + Math.exp(-x0))
        return row === 2 ? [NaN, NaN] : [1 - p, p]
      }) as never,
      {},
      {},
      { seed: 1 },
    )
    expect(result.shortfall).toMatchObject({
      kind: 'not-finite',
      message: expect.stringMatching(/1 of 5 answers .*settle 4 of 4/) as string,
    })
    expect(linearParts(result).weights[0]![1]).toBeCloseTo(1, 4)
  })

  test('an API that begins to refuse', async () => {
    const oracle = fakeScores(30, () => [0.5, 0.5])
    const scores = oracle.scores.bind(oracle)
    let calls = 0
    const result = await entry.run(
      {
        ...oracle,
        scores: async (x: never) => (++calls > 2 ? Promise.reject(refusing()) : scores(x)),
      } as never,
      {},
      { rounds: 5 },
      { seed: 1 },
    )
    expect(calls).toBe(3)
    expect(result).toMatchObject({
      queriesUsed: 62,
      shortfall: { kind: 'budget-spent', message: expect.stringMatching(/account 0 is closed/) as string },
    })
  })

  test('what is not a refusal is not swallowed', () =>
    expect(
      entry.run(
        { ...fakeScores(2, () => [0.5, 0.5]), scores: () => Promise.reject(new Error('gone')) } as never,
        {},
        {},
        { seed: 1 },
      ),
    ).rejects.toThrow('gone'))

  test('every option moves the questions', async () => {
    const digest = async (options: object) =>
      (await steal(entry, victim.model, options as never)).ledger.summary().transcriptDigest
    const usual = await digest({})
    for (const options of [{ points: 'random' }, { scale: 2 }, { rounds: 2 }])
      expect(await digest(options)).not.toBe(usual)
  })
})

describe('the equations', () => {
  const rng = createRng(5, 'points')
  const points = Array.from({ length: 12 }, () => Float64Array.from({ length: 3 }, () => rng.normal()))
  const theta = [
    [0, 0, 0, 0],
    [1, -0.5, 0.25, 0.5],
    [-0.75, 1.5, 0.5, -0.25],
  ]
  const answersAt = (x: ArrayLike<number>) => {
    const powers = theta.map((row) => Math.exp(row[3]! + row[0]! * x[0]! + row[1]! * x[1]! + row[2]! * x[2]!))
    const sum = powers.reduce((total, power) => total + power, 0)
    return Float64Array.from(powers, (power) => power / sum)
  }

  test('are exact in double precision', () => {
    const { weights, bias, settled } = solveSoftmax(points, points.map(answersAt), 3, 3)
    expect(settled).toBe(4)
    for (let k = 1; k < 3; k++) {
      expect(bias[k]).toBeCloseTo(theta[k]![3]!, 12)
      for (let j = 0; j < 3; j++) expect(weights[3 * j + k]).toBeCloseTo(theta[k]![j]!, 12)
    }
  })

  test('leave out a class where its probability is 0, and only there', () => {
    const answers = points.map(answersAt)
    answers[0] = Float64Array.of(answers[0]![0]! + answers[0]![2]!, answers[0]![1]!, 0)
    const { weights, settled } = solveSoftmax(points, answers, 3, 3)
    expect(settled).toBe(4)
    // Class 2 has lost one equation of twelve, which was not needed; class 1 is spoilt by the lie about class 0.
    for (let j = 0; j < 3; j++) expect(weights[3 * j + 2]).toBeCloseTo(theta[2]![j]!, 12)
  })

  test('name what is open when an input never moved', () => {
    const still = points.map((point) => Float64Array.of(point[0]!, 0, point[2]!))
    const { settled, open, weights } = solveSoftmax(still, still.map(answersAt), 3, 3)
    expect(settled).toBe(3)
    expect([...open!].map(Math.abs)).toEqual([0, 1, 0, 0])
    expect([weights[3 + 1], weights[3 + 2]]).toEqual([0, 0])
  })

  test('from the likeliest class alone are solved to a digit or two less than double precision holds', () => {
    const many = Array.from({ length: 60 }, () => Float64Array.from({ length: 3 }, () => 1.5 * rng.normal()))
    const told = many.map(answersAt).map((answer) => answer.map((p) => (p === Math.max(...answer) ? p : 0)))
    const { weights, bias } = solveTopAnswers(many, told, 3, 3)
    for (let k = 1; k < 3; k++) {
      expect(bias[k]).toBeCloseTo(theta[k]![3]!, 8)
      for (let j = 0; j < 3; j++) expect(weights[3 * j + k]).toBeCloseTo(theta[k]![j]!, 8)
    }
  })

  test('count a rounded answer by how much its rounding hides', () => {
    // Points so far out that most answers are near 0 or 1, where two decimals hide most of the logit.
    const many = Array.from({ length: 300 }, () => Float64Array.from({ length: 3 }, () => 2 * rng.normal()))
    const told = many.map((x) => {
      const z = 0.5 + x[0]! - 0.5 * x[1]! + 0.25 * x[2]!
      const p = Math.round(100 / (1 + Math.exp(-z))) / 100
      return Float64Array.of(1 - p, p)
    })
    const errorOf = ({ weights, bias }: { weights: ArrayLike<number>; bias: number }) =>
      Math.max(Math.abs(bias - 0.5), ...[1, -0.5, 0.25].map((w, j) => Math.abs(weights[j]! - w)))
    const { weights, bias } = solveSoftmax(many, told, 3, 2)
    const weighed = errorOf({ weights: weights.filter((_, i) => i % 2 === 1), bias: bias[1]! })
    const usable = many.flatMap((x, i) =>
      told[i]![1]! > 0 && told[i]![1]! < 1 ? [{ x, p: told[i]![1]! }] : [],
    )
    const plain = leastSquares(
      usable.map(({ x }) => [...x, 1]),
      [usable.map(({ p }) => Math.log(p / (1 - p)))],
      4,
    ).solutions[0]!
    expect(weighed).toBeLessThan(errorOf({ weights: plain, bias: plain[3]! }) / 2)
  })

  test('see by the look of the answers to how many decimals they are rounded', () => {
    expect(decimalsOf([Float32Array.of(0.37, 0.63), Float32Array.of(0.5, 0.5)])).toBe(2)
    expect(decimalsOf([Float32Array.of(0.3721, 0.6279)])).toBe(4)
    expect(decimalsOf([Float32Array.of(0.37214567, 0.62785433)])).toBeUndefined()
  })
})
