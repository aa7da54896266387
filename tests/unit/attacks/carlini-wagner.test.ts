import { expect, test } from 'vitest'
import { entry } from '../../../src/attacks/evasion/carlini-wagner.ts'
import type { Options } from '../../../src/attacks/attack.ts'
import { ConstantSearch } from '../../../src/core/constant-search.ts'
import { attackContract, attackRows, away, towards } from './contract.ts'
import { linearModel } from './linear.ts'

attackContract(
  {
    entry,
    quick: { searchSteps: 3, steps: 15, stepSize: 0.1, initialConst: 1 },
    moves: {
      confidence: { to: 1, beside: { steps: 40, initialConst: 10 } },
      searchSteps: { to: 1 },
      steps: { to: 40 },
      stepSize: { to: 0.2 },
      initialConst: { to: 5 },
    },
    // The start is x drawn in by a millionth of the range.
    staysWithin: 1e-6,
  },
  () => {
    // Logits (x₀, x₁) at (0.6, 0.4): the border x₀ = x₁ is 0.2/√2 away.
    const thorough = { searchSteps: 4, steps: 60, stepSize: 0.05, initialConst: 1 }
    const run = async (options: Options, criterion = away(0), rows = [[0.6, 0.4]]) => {
      const victim = linearModel(2, 2, [1, 0, 0, 1])
      return attackRows(entry, victim, rows, criterion, options).finally(() => victim.dispose())
    }
    const lengthOf = ([row]: number[][]) => Math.hypot(row![0]! - 0.6, row![1]! - 0.4)

    test('finds the nearest misread point, to within three hundredths', async () => {
      const found = await run(thorough)
      expect(found[0]![1]! - found[0]![0]!).toBeGreaterThan(0)
      expect(lengthOf(found)).toBeGreaterThan(0.2 / Math.SQRT2)
      expect(lengthOf(found)).toBeLessThan((0.2 / Math.SQRT2) * 1.03)
      expect(await run(thorough, towards(1))).toEqual(found)
    })

    test('with confidence it goes on until the score leads by as much', async () => {
      const found = await run({ ...thorough, confidence: 0.2 })
      expect(found[0]![1]! - found[0]![0]!).toBeGreaterThan(0.2)
      expect(lengthOf(found)).toBeLessThan((0.4 / Math.SQRT2) * 1.03)
    })

    test('keeps the nearest of all it met: looking on never makes it worse', async () => {
      // One weight far too heavy, so that Adam runs across the border and far beyond.
      let last = Infinity
      for (const steps of [3, 4, 5, 6, 8, 12]) {
        const length = lengthOf(await run({ searchSteps: 1, steps, stepSize: 0.1, initialConst: 50 }))
        if (length > 1e-3) expect(length).toBeLessThanOrEqual(last)
        if (length > 1e-3) last = length
      }
      expect(last).toBeLessThan(0.3)
    })

    test('a weight that won is made lighter, and that brings it nearer', async () => {
      const options = { steps: 40, stepSize: 0.1, initialConst: 2 }
      const [one, five] = [
        await run({ ...options, searchSteps: 1 }),
        await run({ ...options, searchSteps: 5 }),
      ]
      expect(lengthOf(five)).toBeLessThan(lengthOf(one))
    })

    test('pixels at exactly 0 and 1 move', async () => {
      const [row] = await run({ searchSteps: 1, steps: 120, stepSize: 0.1, initialConst: 10 }, away(0), [
        [1, 0],
      ])
      expect(row![0]!).toBeLessThan(0.6)
      expect(row![1]!).toBeGreaterThan(0.4)
    })

    test('gives back the image itself where no weight was heavy enough', async () => {
      expect(await run({ searchSteps: 1, steps: 20, initialConst: 1e-6 })).toEqual([
        [...Float32Array.of(0.6, 0.4)],
      ])
    })

    test('the weight is tenfold until it wins, then halfway, row by row', () => {
      const search = new ConstantSearch(2, 0.01)
      const seen = [[...search.values]]
      for (const won of [
        [0, 1],
        [0, 0],
        [1, 1],
      ]) {
        search.next(won)
        seen.push([...search.values])
      }
      // Row 0 fails, fails, wins at 1. Row 1 wins at 0.01, fails at 0.005, wins at 0.0075.
      const wanted = [
        [0.01, 0.01],
        [0.1, 0.005],
        [1, 0.0075],
        [0.55, 0.00625],
      ]
      seen.forEach((values, i) => values.forEach((value, j) => expect(value).toBeCloseTo(wanted[i]![j]!, 10)))
      for (let i = 0; i < 40; i++) search.next([0, 0])
      expect(Math.max(...search.values)).toBeLessThanOrEqual(1e10)
    })

    test.each<[string, Options, RegExp]>([
      [
        'no weights',
        { searchSteps: 0 },
        /carlini-wagner: searchSteps must be a whole number of at least 1; got 0/,
      ],
      ['half a step', { steps: 1.5 }, /carlini-wagner: steps must be a whole number of at least 1; got 1.5/],
      ['a step size of 0', { stepSize: 0 }, /carlini-wagner: stepSize must be positive; got 0/],
      ['a weight of 0', { initialConst: 0 }, /carlini-wagner: initialConst must be positive; got 0/],
    ])('refuses %s', async (_, wrong, message) => {
      await expect(run(wrong)).rejects.toThrow(message)
    })
  },
)
