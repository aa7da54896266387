import { expect, test } from 'vitest'
import { entry } from '../../../src/attacks/poisoning/targeted-flip.ts'
import { placesOf, type LabelledRows } from '../../../src/data/labelled-rows.ts'
import { noiseRows, poison, poisoningContract, type RowsEntry } from './poisoning-contract.ts'

const subject = entry as RowsEntry

/**
 * On a line: nine rows of class 0 at 0…0.08, four of class 1 at 0.9…0.93, and one of class 1 among the zeros.
 */
const line: LabelledRows = {
  ids: Int32Array.from({ length: 14 }, (_, i) => i),
  x: Float32Array.of(0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.9, 0.91, 0.92, 0.93, 0.045),
  shape: [1],
  labels: Int32Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1),
  numClasses: 2,
}

poisoningContract(
  {
    entry: subject,
    quick: { share: 0.1 },
    moves: {
      share: { to: 0.2 },
      from: { to: 2, beside: { to: 0 } },
      to: { to: 2 },
      perClass: { to: 0.1 },
      order: { to: 'isolated' },
      neighbours: { to: 1, beside: { order: 'isolated' } },
    },
    budget: (rows) => Math.floor(0.1 * rows + 1e-9),
    changes: 'labels',
  },
  () => {
    test('flips rows of the one class into the other, and no others', async () => {
      const data = noiseRows(60, 3)
      const { data: after, poisonedIds } = await poison(subject, data, { share: 0.1, from: 2, to: 1 })
      expect(poisonedIds).toHaveLength(6)
      for (const id of poisonedIds) {
        const place = data.ids.indexOf(id)
        expect([data.labels[place], after.labels[place]]).toEqual([2, 1])
      }
    })

    test('asked for more rows than stealth lets the class give, flips what it may', async () => {
      const data = noiseRows(60, 3)
      const { data: after } = await poison(subject, data, { share: 1, from: 1, to: 0, perClass: 0.5 })
      expect(placesOf(after, 1)).toHaveLength(10)
      expect(placesOf(after, 0)).toHaveLength(30)
    })

    test('refuses to leave the class without a row', async () => {
      await expect(poison(subject, noiseRows(30, 3), { share: 1, from: 1, to: 0 })).rejects.toThrow(
        '10 flips would leave class 1 without a row',
      )
    })

    test('isolated: the row that stands alone among the others goes first', async () => {
      for (let seed = 0; seed < 5; seed++) {
        const { poisonedIds } = await poison(
          subject,
          line,
          { share: 0.08, from: 1, to: 0, order: 'isolated', neighbours: 3 },
          { seed },
        )
        expect([...poisonedIds]).toEqual([13])
      }
    })

    test.each([
      ['one class twice', { from: 1, to: 1 }, 'from and to must be two classes; got 1'],
      ['any class', { from: -1 }, 'from must be a class; got −1'],
      ['a class that does not exist', { to: 3 }, 'to must be a class from 0 to 2'],
      ['no neighbours', { neighbours: 0 }, 'neighbours must be a whole number of at least 1; got 0'],
    ])('refuses %s', async (_, options, message) => {
      await expect(poison(subject, noiseRows(30, 3), options)).rejects.toThrow(message)
    })
  },
)
