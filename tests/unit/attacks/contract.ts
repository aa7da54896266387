/** What every evasion attack must do, whatever its algorithm: one list, run for each of them. */
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { EvasionEntry, Options } from '../../../src/attacks/attack.ts'
import { runEvasion } from '../../../src/attacks/run-evasion.ts'
import { readStatic, repository } from '../../../src/cli/node-platform.ts'
import { Json } from '../../../src/cli/vectors/json.ts'
import { Pack, tensorFor } from '../../../src/cli/vectors/pack.ts'
import { startBackend } from '../../../src/core/backends.ts'
import type { WhiteBoxAccess } from '../../../src/core/classifier.ts'
import type { Criterion } from '../../../src/core/criteria.ts'
import { QueryLedger } from '../../../src/core/ledger.ts'
import { decisionOracle, scoreOracle } from '../../../src/core/oracle.ts'
import type { RunContext } from '../../../src/core/run.ts'
import * as tf from '../../../src/core/tf.ts'
import type { Model } from '../../../src/models/model.ts'
import { linearModel } from './linear.ts'
import { runs } from '../../helpers/runs.ts'

export const away = (...labels: number[]): Criterion => ({ kind: 'misclassification', labels })
export const towards = (...targets: number[]): Criterion => ({ kind: 'targeted', targets })

export interface Subject {
  entry: EvasionEntry
  /** Options with which a run takes a moment. */
  quick: Options
  /** For each option, a value that leads elsewhere from `quick` (or from what `beside` sets) on digits. */
  moves: Record<
    string,
    { to: Options[string]; beside?: Options; criterion?: 'targeted' } | 'in a test of its own'
  >
  /** Does it look for the smallest change? Then a row that is a success from the start stays, to this precision. */
  staysWithin?: number
  /** Does it try its luck where no gradient and no answer tells anything? */
  wanders?: true
  /** Is it done with its first step? Then there is nothing to cancel after it. */
  oneStep?: true
  /** One change for all rows of x: then a row's result depends on the others. */
  shared?: true
}

/** Numbers of which 0 is a value like any other. Of epsilon it leaves x as it is; any other number refuses it. */
const mayBeZero = new Set([
  ...['restarts', 'generations', 'decay', 'confidence', 'overshoot', 'alphaMax', 'goodEnough', 'beta'],
  'fab startRadius',
])

/** Runs the attack on plain rows and gives back plain rows. */
export async function attackRows(
  entry: EvasionEntry,
  victim: WhiteBoxAccess,
  rows: number[][],
  criterion: Criterion,
  options: Options,
  run: RunContext = { seed: 1 },
): Promise<number[][]> {
  const x = tf.tensor(rows)
  try {
    const { adversarial } = await runEvasion(entry, victim, x, criterion, options, run)
    const result = (await adversarial.array()) as number[][]
    adversarial.dispose()
    return result
  } finally {
    x.dispose()
  }
}

/** Declares the tests of the contract, on both backends, and of `more`, with a leak check around each. */
export function attackContract(subject: Subject, more: () => void): void {
  const { entry, quick, moves, staysWithin, wanders, oneStep, shared } = subject
  const untargeted = !entry.targeted
  const run = (
    victim: WhiteBoxAccess,
    x: tf.Tensor,
    criterion: Criterion,
    options: Options,
    context: RunContext,
  ) => runEvasion(entry, victim, x, criterion, options, context)

  describe.each(['cpu', 'wasm'] as const)(`${entry.id} on %s`, (backend) => {
    /** Logits z = (x₀, x₁): a row is read as its larger number. */
    let identity: Model
    let pack: Pack
    let digits: Model
    let before = 0
    beforeAll(async () => {
      await startBackend(backend, readStatic)
      identity = linearModel(2, 2, [1, 0, 0, 1])
      pack = await Pack.open(join(repository, 'tests/reference/data'))
      digits = await pack.model('M2')
    })
    afterAll(() => {
      identity.dispose()
      pack.dispose()
    })
    beforeEach(() => void (before = tf.memory().numTensors))
    afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

    const attack = (
      rows: number[][],
      criterion: Criterion,
      options: Options = quick,
      victim: WhiteBoxAccess = identity,
      context?: RunContext,
    ) => attackRows(entry, victim, rows, criterion, options, context)
    const closeTo = (got: number[][], wanted: number[][], digitsThatAgree = 5) =>
      got.forEach((row, i) =>
        row.forEach((value, j) => expect(value).toBeCloseTo(wanted[i]![j]!, digitsThatAgree)),
      )

    more()

    test('stays inside the bounds, finite, and gives the same bytes twice', async () => {
      const unit = fc.float({ min: 0, max: 1, noNaN: true })
      const weight = fc.float({ min: -4, max: 4, noNaN: true })
      await fc.assert(
        fc.asyncProperty(
          fc.array(weight, { minLength: 12, maxLength: 12 }),
          fc.array(fc.array(unit, { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
          fc.boolean(),
          async (kernel, rows, aimed) => {
            const victim = linearModel(4, 3, kernel)
            const classes = rows.map((_, i) => i % 3)
            const criterion = aimed && !untargeted ? towards(...classes) : away(...classes)
            const got = await attack(rows, criterion, quick, victim)
            const again = await attack(rows, criterion, quick, victim)
            victim.dispose()
            expect(again).toEqual(got)
            for (const value of got.flat()) expect(value >= 0 && value <= 1, `${value}`).toBe(true)
          },
        ),
        { numRuns: runs(8) },
      )
    })

    test.each([
      ['black', 0],
      ['grey', 0.5],
      ['white', 1],
    ])('comes through a constant %s image', async (_, shade) => {
      const got = await attack([[shade, shade]], away(0))
      for (const value of got.flat()) expect(value >= 0 && value <= 1).toBe(true)
    })

    const numbers = entry.parameters.filter((parameter) => parameter.kind === 'number')
    const norms = entry.parameters
      .filter((parameter) => parameter.kind === 'choice')
      .flatMap(({ name, choices }) =>
        name === 'norm' ? choices.map(({ value }): Options => ({ norm: value })) : [],
      )
    const everyNorm = norms.length > 0 ? norms : [{}]

    if (numbers.some(({ name }) => name === 'epsilon')) {
      test('with a budget of 0 every row comes back as it is, in each norm', async () => {
        const rows = [
          [0.6, 0.4],
          [0.3, 0.7],
          [0, 1],
          [0.5, 0.5],
        ]
        for (const norm of everyNorm)
          expect(await attack(rows, away(0, 0, 1, 1), { ...quick, ...norm, epsilon: 0 })).toEqual(
            rows.map((row) => [...Float32Array.from(row)]),
          )
      })

      test('no change is longer than the budget, in each norm', async () => {
        const unit = fc.float({ min: 0, max: 1, noNaN: true })
        const weight = fc.float({ min: -4, max: 4, noNaN: true })
        await fc.assert(
          fc.asyncProperty(
            fc.array(weight, { minLength: 12, maxLength: 12 }),
            fc.array(fc.array(unit, { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
            unit,
            fc.constantFrom(...everyNorm),
            async (kernel, rows, epsilon, norm) => {
              const victim = linearModel(4, 3, kernel)
              const criterion = away(...rows.map((_, i) => i % 3))
              const got = await attack(rows, criterion, { ...quick, ...norm, epsilon }, victim)
              victim.dispose()
              for (const [i, row] of got.entries()) {
                const delta = row.map((value, j) => value - rows[i]![j]!)
                const size = norm.norm === 'l2' ? Math.hypot(...delta) : Math.max(...delta.map(Math.abs))
                expect(size).toBeLessThanOrEqual(epsilon + 1e-6)
              }
            },
          ),
          { numRuns: runs(8) },
        )
      })
    }

    test.each(numbers.map(({ name }) => name).filter((name) => name !== 'epsilon'))(
      '%s 0 is refused by its name, or a value like any other',
      async (name) => {
        const outcome = attack([[0.6, 0.4]], away(0), { ...quick, [name]: 0 })
        if (mayBeZero.has(name) || mayBeZero.has(`${entry.id} ${name}`)) {
          for (const value of (await outcome).flat()) expect(value >= 0 && value <= 1).toBe(true)
          return
        }
        await expect(outcome).rejects.toThrow(RangeError)
        await expect(outcome).rejects.toThrow(`${entry.id}: ${name} must`)
      },
    )

    test.each(numbers.map(({ name, min }): [string, number] => [name, min]))(
      'works with %s at the lower end of its knob, %d',
      async (name, min) => {
        const got = await attack([[0.6, 0.4]], away(0), { ...quick, [name]: min })
        for (const value of got.flat()) expect(value >= 0 && value <= 1).toBe(true)
      },
    )

    test('an image that is misread already, or read as its target, is not led back', async () => {
      const rows = [
        [0.3, 0.7],
        [0.9, 0.2],
      ]
      for (const criterion of untargeted ? [away(0, 0)] : [away(0, 0), towards(1, 1)]) {
        const [row] = await attack(rows, criterion)
        expect(row![1]!, criterion.kind).toBeGreaterThan(row![0]!)
      }
    })

    if (entry.access !== 'white-box') {
      const rows = [
        [0.6, 0.4],
        [0.9, 0.2],
      ]
      const ask = async (options: Options, allowed?: number) => {
        const ledger = new QueryLedger(allowed)
        const x = tf.tensor(rows)
        try {
          const { adversarial, queries } =
            entry.access === 'score'
              ? await entry.run(scoreOracle(identity, ledger), x, away(0, 0), options, { seed: 1 })
              : await entry.run(decisionOracle(identity, ledger), x, away(0, 0), options, { seed: 1 })
          const got = (await adversarial.array()) as number[][]
          adversarial.dispose()
          return { got, queries: [...queries!], used: ledger.used }
        } finally {
          x.dispose()
        }
      }

      test.each([0, 1])(
        'with %d answers for two rows, x comes back as it is and nothing is thrown',
        async (allowed) => {
          const { got, used, queries } = await ask(quick, allowed)
          expect(got).toEqual(rows.map((row) => [...Float32Array.from(row)]))
          expect(used).toBeLessThanOrEqual(allowed)
          expect(queries.reduce((sum, asked) => sum + asked, 0)).toBe(used)
        },
      )

      if (numbers.some(({ name }) => name === 'maxQueries'))
        test.each([1, 2, 3])('asks about no row more than %d times when that is its budget', async (most) => {
          const { got, used, queries } = await ask({ ...quick, maxQueries: most })
          for (const asked of queries) expect(asked).toBeLessThanOrEqual(most)
          expect(queries.reduce((sum, asked) => sum + asked, 0)).toBe(used)
          for (const value of got.flat()) expect(value >= 0 && value <= 1).toBe(true)
        })
    }

    test.skipIf(shared)(
      'every row is attacked as if it were alone, and pixels at exactly 0 and 1 are no matter',
      async () => {
        const rows = [
          [0.6, 0.4],
          [0, 1],
          [1, 0],
          [0.55, 0.5],
        ]
        const labels = [0, 1, 0, 0]
        const together = await attack(rows, away(...labels))
        for (const [i, label] of labels.entries())
          closeTo(await attack([rows[i]!], away(label)), [together[i]!])
      },
    )

    test('takes a batch of a thousand', async () => {
      const rows = Array.from({ length: 1000 }, (_, i) => [0.6 + (i % 7) / 100, 0.4])
      const got = await attack(rows, away(...rows.map(() => 0)))
      expect(got).toHaveLength(1000)
      closeTo([got[7]!, got[993]!], [got[0]!, got[6]!])
    })

    test('leaves a row without a gradient where it is, or at least in bounds', async () => {
      const flat = linearModel(2, 2, [0, 0, 0, 0])
      const rows = [
        [0.3, 0.7],
        [0, 1],
      ]
      const got = await attack(rows, away(0, 0), quick, flat)
      if (!wanders) closeTo(got, rows)
      for (const value of got.flat()) expect(value >= 0 && value <= 1, `${value}`).toBe(true)
      flat.dispose()
    })

    if (staysWithin !== undefined) {
      const farthest = (row: number[]) =>
        Math.max(Math.abs(row[0]! - Math.fround(0.3)), Math.abs(row[1]! - Math.fround(0.7)))
      test('gives an image that is misread already back as it is', async () => {
        const [row] = await attack(
          [
            [0.3, 0.7],
            [0.9, 0.2],
          ],
          away(0, 0),
        )
        expect(farthest(row!)).toBeLessThanOrEqual(staysWithin)
      })
      if (!untargeted)
        test('and one whose target is its own label', async () => {
          const [row] = await attack(
            [
              [0.3, 0.7],
              [0.9, 0.2],
            ],
            towards(1, 1),
          )
          expect(farthest(row!)).toBeLessThanOrEqual(staysWithin)
        })
    }

    if (untargeted)
      test('refuses targets', async () => {
        await expect(attack([[0.6, 0.4]], towards(1))).rejects.toMatchObject({
          code: 'bad-input',
          message: expect.stringContaining('knows no target') as string,
        })
      })

    test('leaves x untouched and reports its steps in order', async () => {
      const x = tf.tensor([
        [0.6, 0.4],
        [0.9, 0.2],
      ])
      const steps: [number, number][] = []
      const { adversarial } = await run(identity, x, away(0, 0), quick, {
        seed: 1,
        onStep: (done, total) => steps.push([done, total]),
      })
      expect([...(await x.data())]).toEqual([...Float32Array.of(0.6, 0.4, 0.9, 0.2)])
      expect(steps.length).toBeGreaterThan(0)
      for (const [i, [done, total]] of steps.entries()) {
        expect(done).toBeLessThanOrEqual(total)
        expect(done).toBeGreaterThanOrEqual(i === 0 ? 1 : steps[i - 1]![0])
      }
      tf.dispose([x, adversarial])
    })

    test('runs the same through a port, where every answer takes a turn of the loop and is a copy', async () => {
      const turn = () => new Promise((resolve) => setTimeout(resolve, 0))
      const far: WhiteBoxAccess = {
        inputShape: identity.inputShape,
        numClasses: identity.numClasses,
        bounds: identity.bounds,
        logits: async (x) => (await turn(), identity.logits(x)),
        lossAndGradient: async (x, y, loss) => (
          await turn(),
          identity.lossAndGradient(x, y, structuredClone(loss))
        ),
        vjp: async (x, cotangent) => (await turn(), identity.vjp(x, cotangent)),
      }
      expect(await attack([[0.6, 0.4]], away(0), quick, far)).toEqual(await attack([[0.6, 0.4]], away(0)))
    })

    test('stops before it begins when it is cancelled', async () => {
      await expect(
        attack([[0.6, 0.4]], away(0), quick, identity, { seed: 1, signal: AbortSignal.abort() }),
      ).rejects.toMatchObject({ code: 'cancelled' })
    })

    test.skipIf(oneStep)('stops between steps when it is cancelled, and leaks nothing', async () => {
      const control = new AbortController()
      await expect(
        attack([[0.9, 0.1]], away(0), quick, identity, {
          seed: 1,
          signal: control.signal,
          onStep: () => control.abort(),
        }),
      ).rejects.toMatchObject({ code: 'cancelled' })
    })

    test.each(['logits', 'lossAndGradient', 'vjp'] as const)(
      'leaks nothing when the victim fails at its second %s',
      async (method) => {
        let calls = 0
        const failing = { ...identity, inputShape: [2], numClasses: 2, bounds: [0, 1] } as unknown as Record<
          string,
          unknown
        >
        for (const name of ['logits', 'lossAndGradient', 'vjp'] as const)
          failing[name] = (...given: unknown[]) => {
            if (name === method && ++calls === 2) return Promise.reject(new Error('gone'))
            return (identity[name] as (...given: unknown[]) => unknown)(...given)
          }
        const outcome = await attack([[0.9, 0.1]], away(0), quick, failing as unknown as WhiteBoxAccess).then(
          () => 'done',
          (error: Error) => error.message,
        )
        expect(outcome).toBe(calls >= 2 ? 'gone' : 'done')
      },
    )

    const number = entry.parameters.find(({ kind }) => kind === 'number')!.name
    const parameterNames = entry.parameters.map(({ name }) => name).join(', ')
    test.each<[string, Options, string]>([
      ...entry.parameters
        .filter(({ kind }) => kind === 'number')
        .flatMap(({ name }): [string, Options, string][] => [
          [`${name} NaN`, { [name]: NaN }, `${entry.id}: ${name} must be a finite number; got NaN`],
          [`${name} infinite`, { [name]: Infinity }, `${entry.id}: ${name} must be a finite number`],
          [`${name} below its sense`, { [name]: -2.5 }, `${entry.id}: ${name} must`],
        ])
        .filter(([words]) => !(entry.id === 'jsma' && words.startsWith('theta below'))),
      ...entry.parameters
        .filter(({ kind }) => kind === 'choice')
        .map(({ name }): [string, Options, string] => [
          `an unknown ${name}`,
          { [name]: 'l7' },
          `${entry.id}: ${name} must be one of`,
        ]),
      ['text for a number', { [number]: '1' }, `${entry.id}: ${number} must be a finite number; got "1"`],
      [
        'an option it does not have',
        { strength: 3 },
        `no option "strength", so it would have no effect; the options are ${parameterNames}`,
      ],
    ])('refuses %s', async (_, options, message) => {
      await expect(attack([[0.6, 0.4]], away(0), options)).rejects.toThrow(message)
    })

    test.each<[string, number[][], Criterion, RegExp]>([
      [
        'too few labels',
        [
          [0.6, 0.4],
          [0, 1],
        ],
        away(0),
        /one class for each of the 2 rows of x; got 1/,
      ],
      [
        'a label that is no class',
        [[0.6, 0.4]],
        away(2),
        /labels\[0\] must be a whole number from 0 to 1; got 2/,
      ],
      ...(untargeted
        ? []
        : [
            ['a target that is no class', [[0.6, 0.4]], towards(-1), /targets\[0\] must be/] as [
              string,
              number[][],
              Criterion,
              RegExp,
            ],
          ]),
      ['rows of another width', [[0.6, 0.4, 0.2]], away(0), /x must have shape \(N, 2\); got \(1, 3\)/],
    ])('refuses %s', async (_, rows, criterion, message) => {
      await expect(attack(rows, criterion)).rejects.toThrow(message)
    })

    test('refuses a victim of one class', async () => {
      const one = { ...identity, inputShape: [2], numClasses: 1, bounds: [0, 1] } as unknown as WhiteBoxAccess
      await expect(attack([[0.6, 0.4]], away(0), quick, one)).rejects.toThrow(
        /at least two classes apart; got 1/,
      )
    })

    test('every option moves the result', async () => {
      expect(Object.keys(moves).sort()).toEqual(entry.parameters.map(({ name }) => name).sort())
      const said = new Json('contract.ts', 'inputs', 'inputs_digits.json first 6 of x32 with y32')
      const rows = await pack.rows(said)
      const x = tensorFor(digits, rows, said)
      before = tf.memory().numTensors
      const labels = [...rows.labels!]
      const read = async (options: Options, aimed: boolean) => {
        const criterion = aimed ? towards(...labels.map((label) => (label + 1) % 10)) : away(...labels)
        const { adversarial } = await run(digits, x, criterion, options, { seed: 1 })
        const values = [...(await adversarial.data())]
        adversarial.dispose()
        return values
      }
      for (const [name, move] of Object.entries(moves)) {
        if (move === 'in a test of its own') continue
        const { to, beside = {}, criterion } = move
        const base = { ...quick, ...beside }
        expect(await read({ ...base, [name]: to }, criterion === 'targeted'), name).not.toEqual(
          await read(base, criterion === 'targeted'),
        )
      }
      expect(tf.memory().numTensors, 'a tensor leaked').toBe(before)
      x.dispose()
      before = tf.memory().numTensors
    })

    test('what is not said is as in its defaults', async () => {
      expect(await attack([[0.6, 0.4]], away(0), quick)).toEqual(
        await attack([[0.6, 0.4]], away(0), { ...entry.defaults, ...quick }),
      )
    })
  })
}
