import { expect, test } from 'vitest'
import { entry } from '../../../src/attacks/poisoning/random-flip.ts'
import { classCounts } from '../../../src/data/labelled-rows.ts'
import { noiseRows, poison, poisoningContract, type RowsEntry } from './poisoning-contract.ts'

const subject = entry as RowsEntry

poisoningContract(
  {
    entry: subject,
    quick: { share: 0.2 },
    moves: { share: { to: 0.4 }, perClass: { to: 0.1 } },
    budget: (rows) => Math.floor(0.2 * rows + 1e-9),
    changes: 'labels',
  },
  () => {
    test('spends its budget to the row, rounded down', async () => {
      for (const [rows, share, flips] of [
        [300, 0.01, 3],
        [99, 0.1, 9],
        // 0.29 · 100 falls just short of 29 in floating point.
        [100, 0.29, 29],
        [50, 0.01, 0],
      ] as const)
        expect((await poison(subject, noiseRows(rows, 3), { share })).poisonedIds).toHaveLength(flips)
    })

    test('with the whole of two classes exchanges them', async () => {
      const data = noiseRows(30, 2)
      const { data: after, poisonedIds } = await poison(subject, data, { share: 1 })
      expect(poisonedIds).toEqual(data.ids)
      expect([...after.labels]).toEqual(Array.from(data.labels, (label) => 1 - label))
    })

    test('gives every other class, each about as often', async () => {
      const data = { ...noiseRows(3000, 4), labels: new Int32Array(3000) }
      const counts = classCounts((await poison(subject, data, { share: 0.9 })).data)
      for (const count of counts.subarray(1)) expect(Math.abs(count - 900)).toBeLessThan(100)
      expect(counts[0]).toBe(300)
    })

    test('takes no more of a class than stealth allows', async () => {
      const data = noiseRows(60, 3)
      const { data: after } = await poison(subject, data, { share: 1, perClass: 0.1 })
      for (let k = 0; k < 3; k++)
        expect(data.labels.filter((label, i) => label === k && after.labels[i] !== k)).toHaveLength(2)
    })

    test('does not leave a class without a row', async () => {
      const data = noiseRows(4, 2)
      data.labels.set([0, 1, 1, 1])
      // Seeds that draw only the lone row of class 0 would empty it.
      const outcomes = await Promise.all(
        Array.from({ length: 40 }, (_, seed) =>
          poison(subject, data, { share: 0.25 }, { seed }).then(
            ({ data: after }) => Math.min(...classCounts(after)),
            (error: Error) => error.message,
          ),
        ),
      )
      expect(new Set(outcomes)).toEqual(
        new Set([
          2,
          'random-flip: 1 flips would leave class 0 without a row; lower share, or perClass below 1',
        ]),
      )
    })
  },
)
