import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ThiefMeans } from '../../../src/attacks/attack.ts'
import { Apprentice, decisionsAsScores, schooling } from '../../../src/attacks/apprentice.ts'
import { entry as activeThief } from '../../../src/attacks/extraction/active-thief.ts'
import { entry as copycat } from '../../../src/attacks/extraction/copycat.ts'
import { entry as jacobian } from '../../../src/attacks/extraction/jacobian-augmentation.ts'
import { entry as knockoff } from '../../../src/attacks/extraction/knockoff.ts'
import { transfer } from '../../../src/attacks/evasion/transfer.ts'
import { chooseRows, drawInputs } from '../../../src/attacks/query-choice.ts'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { QueryLedger } from '../../../src/core/ledger.ts'
import { decisionOracle } from '../../../src/core/oracle.ts'
import { createRng } from '../../../src/core/rng.ts'
import * as tf from '../../../src/core/tf.ts'
import { tellingLess } from '../../../src/defences/answers.ts'
import { transferRate } from '../../../src/metrics/extraction.ts'
import type { Architecture, Model } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import {
  agreementOnNormal,
  fakeDecisions,
  fakeScores,
  refusing,
  steal,
  theftContract,
  watchTensors,
} from './theft.ts'

const size = 5
const architecture: Architecture = {
  name: 'student',
  inputShape: [size],
  numClasses: 3,
  bounds: [-4, 4],
  classes: ['a', 'b', 'c'],
  layers: [
    { type: 'dense', units: 16, activation: 'relu' },
    { type: 'dense', units: 3 },
  ],
}
const normalPool = (count: number, scale = 1) => {
  const rng = createRng(7, 'pool')
  return Float32Array.from({ length: count * size }, () => Math.max(-4, Math.min(4, scale * rng.normal())))
}
const means: ThiefMeans = { architecture, pool: normalPool(600) }
const quick = { maxQueries: 60, steps: 20 }

describe.each(['cpu', 'wasm'] as const)('thefts by example on %s', (backend) => {
  let victim: Model
  beforeAll(async () => {
    await startBackend(backend, readStatic)
    victim = createModel(
      { ...architecture, name: 'teacher' },
      // Sharper than a fresh network, so that labels and probabilities tell of the same borders.
      initialWeights(architecture, 11).map((weight) => ({
        ...weight,
        values: weight.values.map((v) => 2 * v),
      })),
    )
  })
  afterAll(() => victim.dispose())
  watchTensors()

  describe.each([
    [knockoff, quick],
    [copycat, quick],
    [activeThief, { ...quick, rounds: 3 }],
    [jacobian, { ...quick, firstInputs: 10, rounds: 2 }],
  ] as const)('$id', (entry, options) => {
    theftContract(
      entry,
      options,
      () => victim,
      () => means,
    )

    test('a budget spent in mid-batch: nothing of the batch is answered, and the copy learns from the rest', async () => {
      const wide =
        entry === jacobian
          ? { ...options, maxQueries: 400, firstInputs: 200 }
          : { ...options, maxQueries: 400 }
      const result = await steal(entry, victim, wide, { budget: 150, means })
      expect(result.queriesUsed).toBe(result.ledger.used)
      expect(result.queriesUsed).toBeGreaterThanOrEqual(128)
      expect(result.shortfall).toMatchObject({ kind: 'budget-spent' })
      expect(result.ledger.summary().refused).toBe(1)
      // Nothing more is trained for an API that no longer answers.
      expect(result.trace).toHaveLength(entry === activeThief ? 2 : 1)
      expect(result.trace.at(-1)!.values.learned).toBeGreaterThan(0.3)
    })

    test.each<[string, ThiefMeans, RegExp]>([
      ['no layers', { pool: means.pool! }, /needs layers for the surrogate; got none/],
      ['no pool', { architecture }, /needs inputs of the thief's own.*pass \{ pool \}/],
      [
        'half an input',
        { architecture, pool: new Float32Array(7) },
        /a whole number of inputs of 5 numbers; got 7/,
      ],
      [
        'a pool out of bounds',
        { architecture, pool: new Float32Array(10).fill(9) },
        /pool must lie in \[-4, 4\]; input 0 holds 9/,
      ],
      ['a pool with NaN', { architecture, pool: new Float32Array(5).fill(NaN) }, /input 0 holds NaN/],
      [
        'layers for other inputs',
        { pool: means.pool!, architecture: { ...architecture, inputShape: [6] } },
        /must read \(5\) into 3 classes like the victim; got \(6\) into 3/,
      ],
    ])('refuses %s', (_, wrong, message) =>
      expect(steal(entry, victim, options, { means: wrong })).rejects.toThrow(message),
    )
  })

  test('knockoff copies from probabilities, copycat a little less well from classes, and both better from more', async () => {
    const agreed = async (entry: typeof knockoff, maxQueries: number) =>
      agreementOnNormal(
        await steal(entry, victim, { maxQueries, steps: 200, learningRate: 0.02 }, { means }),
        victim,
      )
    const [few, many, labels] = [
      await agreed(knockoff, 30),
      await agreed(knockoff, 500),
      await agreed(copycat, 500),
    ]
    expect(many).toBeGreaterThan(few + 0.03)
    expect(many).toBeGreaterThan(0.85)
    expect(labels).toBeGreaterThan(0.8)
  })

  test('asks about no input twice, and about the whole pool when it is small', async () => {
    const small = { architecture, pool: normalPool(40) }
    const result = await steal(knockoff, victim, quick, { means: small })
    expect(result.queriesUsed).toBe(40)
    for (const entry of [activeThief]) {
      const active = await steal(entry, victim, { ...quick, rounds: 4 }, { means: small })
      expect(active.queriesUsed).toBe(40)
      expect(active.trace.map(({ values }) => values.queries)).toEqual([15, 30, 40])
    }
    const drawn = drawInputs('knockoff', 'pool', small, victim, 40, 3)
    expect(new Set(drawn.map((row) => row.join())).size).toBe(40)
  })

  test('noise needs no pool, and stays in the bounds', async () => {
    const noise = drawInputs('knockoff', 'noise', {}, victim, 50, 3)
    for (const row of noise) for (const value of row) expect(value >= -4 && value <= 4).toBe(true)
    const result = await steal(knockoff, victim, { ...quick, source: 'noise' }, { means: { architecture } })
    expect(result.queriesUsed).toBe(60)
  })

  test.each(['margin', 'uncertainty', 'k-centre', 'random'])(
    'active choice: %s asks for as many, and each for others',
    async (choice) => {
      const options = { ...quick, rounds: 3, choice }
      const { queriesUsed, trace, ledger } = await steal(activeThief, victim, options, { means })
      expect(queriesUsed).toBe(60)
      expect(trace.map(({ values }) => values.queries)).toEqual([20, 40, 60])
      const other = await steal(
        activeThief,
        victim,
        { ...options, choice: choice === 'random' ? 'margin' : 'random' },
        { means },
      )
      expect(other.ledger.summary().transcriptDigest).not.toBe(ledger.summary().transcriptDigest)
    },
  )

  test('active choice works on classes alone', async () => {
    const ledger = new QueryLedger()
    const result = await activeThief.run(
      decisionsAsScores(decisionOracle(victim, ledger)) as never,
      means,
      { ...quick, rounds: 2 },
      { seed: 1 },
    )
    expect(ledger.summary().rows).toEqual({ decisions: 60 })
    expect(result.trace.at(-1)!.values.learned).toBeGreaterThan(0.3)
  })

  test('augmentation doubles its set, stays in the bounds, and moves every number by λ along the gradient’s sign', async () => {
    const asked: number[][] = []
    const oracle = {
      ...fakeDecisions(size, () => 0, 3, [-4, 4]),
      async decide(x: tf.Tensor) {
        asked.push(...((await x.array()) as number[][]))
        return victim.predict(x)
      },
    }
    const options = { ...quick, maxQueries: 35, firstInputs: 10, rounds: 3, lambda: 0.25 }
    const { trace } = await jacobian.run(oracle as never, means, options, { seed: 1 })
    expect(trace.map(({ values }) => values.queries)).toEqual([10, 20, 35])
    for (const value of asked.flat()) expect(value >= -4 && value <= 4).toBe(true)
    for (let i = 0; i < 10; i++)
      for (let j = 0; j < size; j++) {
        const moved = Math.abs(asked[10 + i]![j]! - asked[i]![j]!)
        expect(moved < 1e-6 || Math.abs(moved - 0.25) < 1e-5 || Math.abs(asked[10 + i]![j]!) === 4).toBe(true)
      }
  })

  test('augmentation pushes an input further into the class that was named', async () => {
    const asked: number[][] = []
    const isSecond = ([x0 = 0]: number[]) => Number(x0 > 0)
    const oracle = fakeDecisions(size, (point) => (asked.push(point), isSecond(point)), 3, [-4, 4])
    const linear: Architecture = { ...architecture, layers: [{ type: 'dense', units: 3 }] }
    const options = {
      maxQueries: 200,
      firstInputs: 100,
      rounds: 1,
      lambda: 0.25,
      steps: 200,
      learningRate: 0.05,
    }
    await jacobian.run(oracle as never, { ...means, architecture: linear }, options, { seed: 1 })
    const further = asked.slice(0, 100).filter((point, i) => {
      const moved = asked[100 + i]![0]! - point[0]!
      return isSecond(point) ? moved > 0 : moved < 0
    })
    expect(further.length).toBeGreaterThan(95)
  })

  test('the copy is white-box: what fools it often fools the victim', async () => {
    const stolen = await steal(
      knockoff,
      victim,
      { maxQueries: 500, steps: 200, learningRate: 0.02 },
      { means },
    )
    const copy = createModel(stolen.surrogate.architecture, stolen.surrogate.weights)
    const x = tf.tensor(normalPool(40), [40, size])
    const labels = await victim.predict(x)
    const criterion = { kind: 'misclassification', labels } as const
    const rate = async (surrogate: Model) => {
      const { adversarial } = await transfer(
        decisionOracle(victim, new QueryLedger()),
        x,
        criterion,
        { surrogate, epsilon: 0.5, tries: 1 },
        { seed: 1 },
      )
      const read = await victim.predict(adversarial)
      adversarial.dispose()
      return transferRate(labels, read, labels)
    }
    const stranger = createModel(architecture, initialWeights(architecture, 5))
    expect(await rate(copy)).toBeGreaterThan((await rate(stranger)) + 0.15)
    stranger.dispose()
    copy.dispose()
    x.dispose()
  })

  test('answers that hide the other classes are completed, and NaN is left out', async () => {
    const through = {
      means,
      through: (oracle: Parameters<typeof tellingLess>[0]) => tellingLess(oracle, [{ id: 'top-one' }], 1),
    }
    const hidden = await steal(knockoff, victim, { maxQueries: 500, steps: 200, learningRate: 0.02 }, through)
    expect(await agreementOnNormal(hidden, victim)).toBeGreaterThan(0.85)
    const broken = await knockoff.run(
      fakeScores(
        size,
        ([x0 = 0], row) => (row % 4 === 0 ? [NaN, 0, 1] : x0 > 0 ? [1, 0, 0] : [0, 1, 0]),
        [-4, 4],
      ) as never,
      means,
      quick,
      { seed: 1 },
    )
    expect(broken.shortfall).toMatchObject({
      kind: 'not-finite',
      message: expect.stringMatching(/15 of 60/) as string,
    })
    expect(broken.surrogate.weights.every(({ values }) => values.every(Number.isFinite))).toBe(true)
  })

  test('what an answer hides is taken as spread evenly, and what is told in full stays', async () => {
    const answers = [
      [0.6, 0, 0],
      [0.5, 0.25, 0.25],
      [0, 1, 0],
      [0.2, 0.2, 0],
      [0.9, 0.3, 0],
    ]
    const apprentice = new Apprentice(
      'test',
      fakeScores(size, (_, row) => answers[row] ?? [1, 0, 0], [-4, 4]),
      { architecture },
      { ...schooling, maxQueries: 5 },
      { seed: 1 },
    )
    await apprentice.ask(Array.from({ length: 9 }, () => new Float32Array(size)))
    expect(apprentice.answers.map((row) => Array.from(row, (p) => Math.round(p * 1e4) / 1e4))).toEqual([
      [0.6, 0.2, 0.2],
      [0.5, 0.25, 0.25],
      [0, 1, 0],
      [0.2, 0.2, 0.6],
      [0.75, 0.25, 0],
    ])
    expect(apprentice.left).toBe(0)
  })

  test('an API that names one class whatever it is shown', async () => {
    const result = await copycat.run(fakeDecisions(size, () => 2, 3, [-4, 4]) as never, means, quick, {
      seed: 1,
    })
    expect(result.shortfall).toMatchObject({
      kind: 'constant',
      message: expect.stringMatching(/class 2 to all 60 rows/) as string,
    })
  })

  test('an API that begins to refuse', async () => {
    const oracle = fakeDecisions(size, ([x0 = 0]) => (x0 > 0 ? 1 : 0), 3, [-4, 4])
    const decide = oracle.decide.bind(oracle)
    let calls = 0
    const result = await copycat.run(
      {
        ...oracle,
        decide: (x: tf.Tensor) => (++calls > 2 ? Promise.reject(refusing()) : decide(x)),
      } as never,
      means,
      { ...quick, maxQueries: 500 },
      { seed: 1 },
    )
    expect(calls).toBe(3)
    expect(result).toMatchObject({ queriesUsed: 128, shortfall: { kind: 'budget-spent' } })
  })

  test.each<[typeof knockoff, Record<string, unknown>[]]>([
    [knockoff, [{ source: 'noise' }, { maxQueries: 50 }, { steps: 30 }, { learningRate: 0.01 }]],
    [copycat, [{ source: 'noise' }, { maxQueries: 50 }, { steps: 30 }, { learningRate: 0.01 }]],
    [
      activeThief,
      [{ choice: 'k-centre' }, { rounds: 2 }, { maxQueries: 50 }, { steps: 30 }, { learningRate: 0.01 }],
    ],
    [
      jacobian,
      [
        { firstInputs: 20 },
        { rounds: 1 },
        { lambda: 0.2 },
        { maxQueries: 30 },
        { steps: 30 },
        { learningRate: 0.01 },
      ],
    ],
  ])('every option of $id moves the copy', async (entry, moves) => {
    expect(moves.map((move) => Object.keys(move)[0]).sort()).toEqual(Object.keys(entry.defaults).sort())
    const start = entry === jacobian ? { ...quick, firstInputs: 10, rounds: 2 } : quick
    const usual = await steal(entry, victim, start, { means })
    for (const move of moves) {
      const { surrogate } = await steal(entry, victim, { ...start, ...move } as never, { means })
      expect(surrogate.weights, JSON.stringify(move)).not.toEqual(usual.surrogate.weights)
    }
  })
})

describe('choosing rows', () => {
  const rows = Float32Array.of(0.5, 0.49, 0.01, 0.4, 0.3, 0.3, 0.9, 0.05, 0.05, 1, 0, 0)
  const none = new Float32Array(0)

  test('by margin and by entropy, on paper', () => {
    expect(chooseRows('margin', rows, none, 3, 2)).toEqual([0, 1])
    expect(chooseRows('uncertainty', rows, none, 3, 2)).toEqual([1, 0])
    expect(chooseRows('uncertainty', rows, none, 3, 9)).toEqual([1, 0, 2, 3])
  })

  test('k-centre takes the farthest, then the farthest from that', () => {
    const line = Float32Array.of(0, 0, 0.1, 0, 1, 0, 0.5, 0)
    expect(chooseRows('k-centre', line, Float32Array.of(0, 0), 2, 2)).toEqual([2, 3])
    expect(chooseRows('k-centre', line, none, 2, 2)).toEqual([0, 2])
  })

  test('k-centre comes within twice the best radius, and takes each row once', () => {
    const points = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 9 })
    fc.assert(
      fc.property(points, (list) => {
        const line = Float32Array.from(list.flatMap((value) => [value, 0]))
        const chosen = chooseRows('k-centre', line, none, 2, 2)
        expect(new Set(chosen).size).toBe(2)
        const radius = (centres: number[]) =>
          Math.max(
            ...list.map((value) =>
              Math.min(...centres.map((c) => Math.abs(Math.fround(value) - line[2 * c]!))),
            ),
          )
        let best = Infinity
        for (let a = 0; a < list.length; a++)
          for (let b = 0; b < a; b++) best = Math.min(best, radius([a, b]))
        expect(radius(chosen)).toBeLessThanOrEqual(2 * best + 1e-6)
      }),
    )
  })
})
