import { expect, test } from 'vitest'
import { backdoorLabel } from '../../../src/attacks/backdoor.ts'
import { entry as badnets } from '../../../src/attacks/poisoning/badnets.ts'
import { blendedTrigger, entry as blended } from '../../../src/attacks/poisoning/blended.ts'
import { entry as sinusoidal, waveTrigger } from '../../../src/attacks/poisoning/sinusoidal.ts'
import { applyTrigger } from '../../../src/attacks/trigger.ts'
import { placesOf, rowOf } from '../../../src/data/labelled-rows.ts'
import {
  noiseRows,
  poison,
  poisoningContract,
  type PoisoningSubject,
  type RowsEntry,
} from './poisoning-contract.ts'

const image = [5, 6, 2]
const shared: PoisoningSubject['moves'] = {
  share: { to: 0.2 },
  mapping: { to: 'all-to-all' },
  target: { to: 0 },
  source: { to: 2 },
  copies: { to: true },
}
const budget = (rows: number) => Math.floor(0.1 * rows + 1e-9)

poisoningContract(
  {
    entry: badnets as RowsEntry,
    shape: image,
    quick: { share: 0.1, target: 1, size: 2 },
    moves: {
      ...shared,
      size: { to: 3 },
      corner: { to: 'top-left' },
      margin: { to: 0 },
      pattern: { to: 'chequered' },
      shade: { to: 0.25 },
      opacity: { to: 0.5 },
    },
    budget,
    changes: 'both',
  },
  () => {
    const attack = (options: object, rows = 60) =>
      poison(badnets as RowsEntry, noiseRows(rows, 3, image), { target: 1, size: 2, share: 0.1, ...options })

    test('stamps the corner and gives the wanted label, to no row of the target itself', async () => {
      const data = noiseRows(60, 3, image)
      const { data: after, poisonedIds } = await attack({})
      expect(poisonedIds).toHaveLength(6)
      for (const id of poisonedIds) {
        const place = data.ids.indexOf(id)
        expect([data.labels[place] === 1, after.labels[place]]).toEqual([false, 1])
        // Rows 2 and 3, columns 3 and 4, both channels.
        const white = [...rowOf(after, place).keys()].filter((k) => rowOf(after, place)[k] === 1)
        expect(white).toEqual([30, 31, 32, 33, 42, 43, 44, 45])
      }
    })

    test('all-to-all leads each class to the next, and the last to the first', async () => {
      const data = noiseRows(60, 3, image)
      const { data: after, poisonedIds } = await attack({ mapping: 'all-to-all', share: 0.5 })
      for (const id of poisonedIds) {
        const place = data.ids.indexOf(id)
        expect(after.labels[place]).toBe((data.labels[place]! + 1) % 3)
      }
      expect(backdoorLabel({ mapping: 'all-to-all', target: 0 }, 2, 3)).toBe(0)
    })

    test('from one source alone when asked, as many as there are', async () => {
      const data = noiseRows(60, 3, image)
      const { poisonedIds } = await attack({ source: 2, share: 0.9, copies: true })
      expect(poisonedIds).toHaveLength(20)
      const { poisonedIds: inPlace } = await attack({ source: 2 })
      for (const id of inPlace) expect(data.labels[data.ids.indexOf(id)]).toBe(2)
    })

    test('copies leave every row as it is and have ids of their own', async () => {
      const data = noiseRows(60, 3, image)
      const { data: after, poisonedIds } = await attack({ copies: true })
      expect(after.ids).toHaveLength(66)
      expect([...poisonedIds]).toEqual([278, 279, 280, 281, 282, 283])
      expect(after.x.subarray(0, data.x.length)).toEqual(data.x)
      expect(after.labels.subarray(0, 60)).toEqual(data.labels)
      expect([...after.labels.subarray(60)]).toEqual([1, 1, 1, 1, 1, 1])
    })

    test('does not take a class its last row in place', async () => {
      await expect(attack({ share: 1 })).rejects.toThrow('would leave class 0 without a row')
    })

    test.each([
      [
        'larger than the image',
        { size: 7 },
        /7 × 7 pixels is larger than the image of 5 × 6; make it smaller/,
      ],
      ['too tall for it', { size: 6 }, /6 × 6 pixels, larger than the image of 5 × 6/],
      ['pushed over the edge', { size: 4, margin: 2 }, /must lie inside the image/],
      ['of no size', { size: 0 }, /size must be a whole number of at least 1; got 0/],
      ['of half a pixel', { margin: 0.5 }, /margin must be a whole number/],
      ['with a target that is the source', { source: 1 }, /source and target must be two classes; got 1/],
      ['with no target', { target: -1 }, /target must be a class; got −1/],
      ['with a target that does not exist', { target: 3 }, /target must be a class from 0 to 2/],
    ])('refuses one %s', async (_, options, message) => {
      await expect(attack(options)).rejects.toThrow(message)
    })

    test('refuses rows of a table', async () => {
      const rows = noiseRows(30, 3)
      await expect(poison(badnets as RowsEntry, rows, { target: 1, size: 1 })).rejects.toThrow(
        'needs images of shape [height, width, channels]; got [4]',
      )
    })
  },
)

poisoningContract(
  {
    entry: blended as RowsEntry,
    shape: image,
    quick: { share: 0.1, target: 1 },
    moves: { ...shared, opacity: { to: 0.6 }, patternSeed: { to: 2 } },
    budget,
    changes: 'both',
  },
  () => {
    test('lies over the whole image, as the trigger does that is used later', async () => {
      const data = noiseRows(60, 3, image)
      const { data: after, poisonedIds } = await poison(blended as RowsEntry, data, {
        share: 0.1,
        target: 1,
        opacity: 0.3,
      })
      const trigger = blendedTrigger({ opacity: 0.3, patternSeed: 1 }, image)
      for (const id of poisonedIds) {
        const place = data.ids.indexOf(id)
        expect(rowOf(after, place)).toEqual(applyTrigger(rowOf(data, place), image, trigger))
      }
    })
  },
)

poisoningContract(
  {
    entry: sinusoidal as RowsEntry,
    shape: image,
    quick: { share: 0.1, target: 1, frequency: 1 },
    moves: {
      share: { to: 0.2 },
      target: { to: 0 },
      mapping: { to: 'all-to-all', beside: { cleanLabel: false } },
      source: { to: 2, beside: { cleanLabel: false } },
      copies: { to: true, beside: { cleanLabel: false } },
      amplitude: { to: 0.3 },
      frequency: { to: 2 },
      along: { to: 'height' },
      cleanLabel: { to: false },
    },
    budget,
    changes: 'x',
  },
  () => {
    test('marks rows of the target alone and changes no label', async () => {
      const data = noiseRows(60, 3, image)
      const options = { share: 0.1, target: 2, amplitude: 0.2, frequency: 1 }
      const { data: after, poisonedIds } = await poison(sinusoidal as RowsEntry, data, options)
      expect(after.labels).toEqual(data.labels)
      expect(poisonedIds).toHaveLength(6)
      for (const id of poisonedIds) {
        const place = data.ids.indexOf(id)
        expect(data.labels[place]).toBe(2)
        expect(rowOf(after, place)).toEqual(
          applyTrigger(rowOf(data, place), image, waveTrigger({ ...options, along: 'width' })),
        )
      }
    })

    test('a budget larger than the class marks all of it', async () => {
      const data = noiseRows(60, 3, image)
      const { poisonedIds } = await poison(sinusoidal as RowsEntry, data, {
        share: 1,
        target: 2,
        frequency: 1,
      })
      expect([...poisonedIds]).toEqual(placesOf(data, 2).map((place) => data.ids[place]))
    })

    test('refuses a target without rows', async () => {
      const data = { ...noiseRows(30, 3, image), numClasses: 4 }
      await expect(poison(sinusoidal as RowsEntry, data, { target: 3, frequency: 1 })).rejects.toThrow(
        'class 3 has none',
      )
    })
  },
)
