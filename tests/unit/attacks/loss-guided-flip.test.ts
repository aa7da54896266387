import { expect, test } from 'vitest'
import { entry, lossGuidedFlip } from '../../../src/attacks/poisoning/loss-guided-flip.ts'
import type { LabelledRows } from '../../../src/data/labelled-rows.ts'
import { linearModel } from './linear.ts'
import { noiseRows, poison, poisoningContract, type RowsEntry } from './poisoning-contract.ts'

const subject = entry as RowsEntry

/** Read by z = (1 − x, x): the larger x, the surer of class 1. */
const data: LabelledRows = {
  ids: Int32Array.of(10, 11, 12, 13, 14, 15),
  x: Float32Array.of(0.1, 0.4, 0.2, 0.7, 0.95, 0.8),
  shape: [1],
  labels: Int32Array.of(0, 0, 0, 1, 1, 1),
  numClasses: 2,
}
const reader = () => linearModel(1, 2, [-1, 1], [1, 0])

poisoningContract(
  {
    entry: subject,
    quick: { share: 0.1 },
    moves: { share: { to: 0.2 }, from: { to: 2 }, to: { to: 1 }, perClass: { to: 0.05 } },
    budget: (rows) => Math.floor(0.1 * rows + 1e-9),
    changes: 'labels',
  },
  () => {
    const flip = async (options: object) => {
      const model = reader()
      try {
        return await lossGuidedFlip(data, model, options, { seed: 3 })
      } finally {
        model.dispose()
      }
    }

    test('flips the rows that the surrogate is surest of, worked by hand', async () => {
      // Gains are 2x − 1 for class 1 and 1 − 2x for class 0: 0.8, 0.2, 0.6, 0.4, 0.9, 0.6.
      expect([...(await flip({ share: 1 / 6 })).poisonedIds]).toEqual([14])
      expect([...(await flip({ share: 2 / 6 })).poisonedIds]).toEqual([10, 14])
    })

    test('of one class alone when asked', async () => {
      expect([...(await flip({ share: 2 / 6, from: 1, to: 0 })).poisonedIds]).toEqual([14, 15])
      expect([...(await flip({ share: 2 / 6, to: 1 })).poisonedIds]).toEqual([10, 12])
    })

    test('gives each row the label that the surrogate finds least likely', async () => {
      const three = linearModel(2, 3, [1, 0, 0, 0, 1, 0], [0, 0, 0.5])
      const rows = {
        ids: Int32Array.of(1, 2, 3, 4),
        x: Float32Array.of(1, 0, 0, 1, 0.2, 0.1, 0.9, 0.1),
        shape: [2],
        labels: Int32Array.of(0, 1, 2, 0),
        numClasses: 3,
      }
      const { data: after } = await lossGuidedFlip(rows, three, { share: 0.5 }, { seed: 1 })
      three.dispose()
      expect([...after.labels]).toEqual([1, 0, 2, 0])
    })

    test('refuses a surrogate of other rows or classes, and one that gives nonsense', async () => {
      const wide = linearModel(2, 2, [1, 0, 0, 1])
      await expect(lossGuidedFlip(data, wide, {}, { seed: 1 })).rejects.toThrow(
        'the surrogate reads rows of shape [2]; the data have [1]',
      )
      const three = linearModel(1, 3, [1, 0, 0])
      await expect(lossGuidedFlip(data, three, {}, { seed: 1 })).rejects.toThrow(
        'the surrogate tells 3 classes apart; the data have 2',
      )
      const broken = linearModel(1, 2, [3e38, -3e38], [3e38, 0])
      const large = { ...data, x: data.x.map(() => 3) }
      await expect(lossGuidedFlip(large, broken, {}, { seed: 1 })).rejects.toThrow(
        'logits that are not finite',
      )
      for (const model of [wide, three, broken]) model.dispose()
    })

    test.each([
      ['one class twice', { from: 1, to: 1 }, 'from and to must be two classes'],
      ['a class that does not exist', { from: 3 }, 'from must be a class from 0 to 2, or −1 for any; got 3'],
    ])('refuses %s', async (_, options, message) => {
      await expect(poison(subject, noiseRows(30, 3), options)).rejects.toThrow(message)
    })
  },
)
