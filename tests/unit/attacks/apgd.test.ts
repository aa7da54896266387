import { expect, test } from 'vitest'
import type { Options } from '../../../src/attacks/attack.ts'
import { checkpointsOf, entry } from '../../../src/attacks/evasion/apgd.ts'
import type { WhiteBoxAccess } from '../../../src/core/classifier.ts'
import * as tf from '../../../src/core/tf.ts'
import { attackContract, attackRows, away, towards } from './contract.ts'
import { linearModel } from './linear.ts'

attackContract(
  {
    entry,
    quick: { epsilon: 0.15, norm: 'linf', steps: 5, restarts: 0, loss: 'cross-entropy' },
    moves: {
      epsilon: { to: 0.3 },
      norm: { to: 'l2', beside: { epsilon: 0.8 } },
      steps: { to: 12 },
      restarts: { to: 3, beside: { epsilon: 0.12, steps: 1, loss: 'dlr-targeted' } },
      loss: { to: 'dlr-targeted', beside: { restarts: 3 } },
    },
    staysWithin: 0,
  },
  () => {
    const options: Options = { epsilon: 0.3, norm: 'linf', steps: 10, restarts: 0, loss: 'cross-entropy' }
    const run = async (
      given: Options,
      { rows = [[0.6, 0.4]], criterion = away(0), kernel = [1, 0, 0, 1], seed = 1 } = {},
    ) => {
      const classes = kernel.length / rows[0]!.length
      const victim = linearModel(rows[0]!.length, classes, kernel)
      return attackRows(entry, victim, rows, criterion, given, { seed }).finally(() => victim.dispose())
    }
    const closeTo = (got: number[][], wanted: number[][]) =>
      got.forEach((row, i) => row.forEach((value, j) => expect(value).toBeCloseTo(wanted[i]![j]!, 5)))

    test('the step size is looked at after 22, 41, 57, 70, 80, 87 and 93 of a hundred steps, then every six', () => {
      expect([...checkpointsOf(100)]).toEqual([22, 41, 57, 70, 80, 87, 93, 99])
      expect([...checkpointsOf(1)]).toEqual([1])
    })

    test('a first step of 2ε reaches the far corner of the ball from wherever it began', async () => {
      closeTo(await run({ ...options, steps: 1 }), [[0.3, 0.7]])
      closeTo(await run({ ...options, steps: 1 }, { seed: 7 }), [[0.3, 0.7]])
      closeTo(await run(options, { criterion: towards(1) }), [[0.3, 0.7]])
    })

    test('each later step is three quarters new and one quarter the last', async () => {
      // First both pixels up, to the far corner; then both down, by 2ε to the near one.
      const asked: number[][] = []
      const slopes = [
        [1, 1],
        [-1, -1],
        [-1, -1],
      ]
      const victim: WhiteBoxAccess = {
        inputShape: [2],
        numClasses: 2,
        bounds: [0, 1],
        logits: async () => tf.tensor([[1, 0]]),
        vjp: () => Promise.reject(new Error('not asked for')),
        async lossAndGradient(x) {
          asked.push([...(await x.data())])
          return { loss: tf.tensor([asked.length]), gradient: tf.tensor([slopes[asked.length - 1]!]) }
        },
      }
      await attackRows(entry, victim, [[0.5, 0.5]], away(0), { ...options, epsilon: 0.2, steps: 2 })
      const [start, first, second] = asked as [number[], number[], number[]]
      closeTo([first], [[0.7, 0.7]])
      // 0.7 + ¾ · (0.3 − 0.7) + ¼ · (0.7 − start)
      closeTo([second], [start.map((value) => 0.7 - 0.3 + 0.25 * (0.7 - value))])
    })

    test('at a checkpoint where the loss stalled, the step is halved and it goes on from the best point', async () => {
      // The loss is highest at the first point and falls ever after; each gradient says: up.
      const asked: number[][] = []
      const victim: WhiteBoxAccess = {
        inputShape: [1],
        numClasses: 2,
        bounds: [0, 1],
        logits: async () => tf.tensor([[1, 0]]),
        vjp: () => Promise.reject(new Error('not asked for')),
        async lossAndGradient(x) {
          asked.push([...(await x.data())])
          return { loss: tf.tensor([-asked.length]), gradient: tf.tensor([[asked.length === 1 ? -1 : 1]]) }
        },
      }
      // Of ten steps, checkpoints are after the 2nd, 3rd, ...: the third step leaves from the start again.
      await attackRows(entry, victim, [[0.5]], away(0), { ...options, epsilon: 0.2, steps: 10 })
      const [start, first, second, third] = asked.map(([value]) => value!) as [number, number, number, number]
      expect(first).toBeCloseTo(0.3, 5)
      expect(second).toBeGreaterThan(first)
      // Back at the start, by its gradient (down), with half a step, and a quarter of the last move.
      const ahead = Math.max(0.3, start - 0.2)
      const moved = Math.min(0.7, Math.max(0.3, start + 0.75 * (ahead - start) + 0.25 * (start - first)))
      expect(third).toBeCloseTo(moved, 5)
    })

    test('in L2 it goes along the diagonal to the edge of the ball', async () => {
      const [row] = await run({ ...options, norm: 'l2', steps: 40 })
      expect(row![0]).toBeCloseTo(0.6 - 0.3 / Math.SQRT2, 2)
      expect(row![1]).toBeCloseTo(0.4 + 0.3 / Math.SQRT2, 2)
      expect(Math.hypot(row![0]! - 0.6, row![1]! - 0.4)).toBeLessThanOrEqual(0.3 + 1e-6)
    })

    test('gives a row back as it came when no run gets it misread', async () => {
      expect(await run({ ...options, epsilon: 0.05, restarts: 2 })).toEqual([[...Float32Array.of(0.6, 0.4)]])
    })

    test('DLR finds its way where logits are so large that cross-entropy has no gradient', async () => {
      const huge = [300, 0, 0, 0, 300, 0, 0, 0, 300]
      const rows = [[0.9, 0.2, 0.1]]
      const given = { ...options, epsilon: 0.4 }
      expect(await run(given, { rows, kernel: huge })).toEqual([[...Float32Array.of(0.9, 0.2, 0.1)]])
      const [row] = await run({ ...given, loss: 'dlr' }, { rows, kernel: huge })
      expect(row![1]!).toBeGreaterThan(row![0]!)
    })

    test('targeted DLR tries one class a run: the runner-up first, then the next', async () => {
      // Scores (0.5, 0.45, 0.05 + mean of x₁ to x₄, −1): the runner-up cannot be reached, the third can, once it is
      // aimed at: it wants nearly all of four pixels, which no random start has.
      const third = [0, ...new Array<number>(4).fill(0.25)].flatMap((weight) => [0, 0, weight, 0])
      const victim = linearModel(5, 4, third, [0.5, 0.45, 0.05, -1])
      const from = [0.5, 0.2, 0.2, 0.2, 0.2]
      const aimed = (restarts: number) =>
        attackRows(entry, victim, [from], away(0), { ...options, loss: 'dlr-targeted', restarts })
      expect(await aimed(0)).toEqual([[...Float32Array.from(from)]])
      const [row] = await aimed(1)
      for (const value of row!.slice(1)) expect(value).toBeGreaterThan(0.3)
      victim.dispose()
    })

    test.each<[string, Options, number[], RegExp]>([
      [
        'DLR on two classes',
        { loss: 'dlr' },
        [1, 0, 0, 1],
        /dlr needs at least 3 classes, and the victim has 2/,
      ],
      [
        'targeted DLR on three',
        { loss: 'dlr-targeted' },
        [1, 0, 0, 0, 1, 0],
        /dlr-targeted needs at least 4 classes, and the victim has 3/,
      ],
    ])('refuses %s', async (_, given, kernel, message) => {
      await expect(run({ ...options, ...given }, { kernel })).rejects.toThrow(message)
    })

    test('refuses targeted DLR towards a target', async () => {
      await expect(
        run(
          { ...options, loss: 'dlr-targeted' },
          { kernel: [1, 0, 0, 0, 0, 1, 0, 0], criterion: towards(1) },
        ),
      ).rejects.toThrow(/towards a target take dlr or cross-entropy/)
    })

    test.each<[Options, RegExp]>([
      [{ epsilon: -0.1 }, /apgd: epsilon must be at least 0; got -0\.1/],
      [{ steps: 0 }, /apgd: steps must be a whole number of at least 1; got 0/],
      [{ restarts: -1 }, /apgd: restarts must be a whole number of at least 0; got -1/],
    ])('refuses %o', async (given, message) => {
      await expect(run({ ...options, ...given })).rejects.toThrow(message)
    })
  },
)
