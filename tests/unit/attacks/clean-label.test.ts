import { expect, test } from 'vitest'
import {
  cleanLabelTrigger,
  entry as adversarial,
} from '../../../src/attacks/poisoning/adversarial-clean-label.ts'
import { entry as collision, featureCollision } from '../../../src/attacks/poisoning/feature-collision.ts'
import { stamp } from '../../../src/attacks/trigger.ts'
import { rowOf, type LabelledRows } from '../../../src/data/labelled-rows.ts'
import { linearModel } from './linear.ts'
import { noiseRows, poison, poisoningContract, type RowsEntry } from './poisoning-contract.ts'

const image = [4, 4, 1]
const budget = (rows: number) => Math.floor(0.1 * rows + 1e-9)

poisoningContract(
  {
    entry: collision as RowsEntry,
    shape: image,
    quick: { share: 0.1, steps: 4, stepSize: 0.2 },
    moves: {
      share: { to: 0.2 },
      epsilon: { to: 0.01 },
      steps: { to: 2 },
      stepSize: { to: 0.05 },
      pull: { to: 1 },
      watermark: { to: 0.3 },
    },
    budget,
    changes: 'x',
  },
  () => {
    /** Features are the first two of four numbers. */
    const eyes = () => linearModel(4, 2, [1, 0, 0, 1, 0, 0, 0, 0])
    const rows: LabelledRows = {
      ids: Int32Array.of(5, 6, 7, 8),
      x: Float32Array.of(0.5, 0.5, 0.5, 0.5, 0.2, 0.2, 0.2, 0.2, 0.9, 0.9, 0.9, 0.9, 0.4, 0.6, 0.1, 0),
      shape: [4],
      labels: Int32Array.of(0, 1, 0, 1),
      numClasses: 2,
    }
    const target = Float32Array.of(0.7, 0.4, 0, 1)
    const collide = async (options: object, baseClass = 0) => {
      const features = eyes()
      const left: number[] = []
      try {
        const result = await featureCollision(
          rows,
          { features, target, baseClass },
          { share: 0.5, ...options },
          { seed: 1, onStep: (_, __, values) => values && left.push(values.featureDistance!) },
        )
        return { ...result, left }
      } finally {
        features.dispose()
      }
    }

    test('brings the features to the target and leaves what they do not see', async () => {
      const { data, poisonedIds, left } = await collide({ epsilon: 0.6, steps: 80, stepSize: 0.1, pull: 0 })
      expect([...poisonedIds]).toEqual([5, 7])
      for (const place of [0, 2]) {
        const row = rowOf(data, place)
        expect(Math.abs(row[0]! - 0.7)).toBeLessThan(0.03)
        expect(Math.abs(row[1]! - 0.4)).toBeLessThan(0.03)
        expect([row[2], row[3]]).toEqual([...rowOf(rows, place).subarray(2)])
      }
      expect(left.at(-1)!).toBeLessThan(0.1)
    })

    test('stays within epsilon, in bounds, and nearer to the base the harder it is pulled', async () => {
      const moved = async (options: object) => {
        const { data } = await collide({ epsilon: 0.1, steps: 40, stepSize: 0.1, ...options })
        const changes = data.x.map((value, k) => Math.abs(value - rows.x[k]!))
        expect(Math.max(...changes)).toBeLessThanOrEqual(0.1 + 1e-6)
        return changes.reduce((sum, change) => sum + change, 0)
      }
      expect(await moved({ pull: 5 })).toBeLessThan(await moved({ pull: 0 }))
    })

    test('a share larger than the base class takes all of it, and never another', async () => {
      expect([...(await collide({ share: 1, steps: 1 }, 1)).poisonedIds]).toEqual([6, 8])
    })

    test('refuses a target of another size or with NaN, and a base class without rows', async () => {
      const features = eyes()
      const go = (wrong: Float32Array, baseClass = 0) =>
        featureCollision(rows, { features, target: wrong, baseClass }, {}, { seed: 1 })
      await expect(go(new Float32Array(3))).rejects.toThrow(
        'the target must be 4 finite numbers, as a row is; got 3',
      )
      await expect(go(new Float32Array(4).fill(NaN))).rejects.toThrow('some not finite')
      await expect(go(target, -1)).rejects.toThrow('class -1 has none')
      await expect(go(target, 2)).rejects.toThrow('baseClass must be a class from 0 to 1')
      features.dispose()
    })

    test.each([
      ['steps of no length', { stepSize: 0 }, 'stepSize must be positive'],
      ['a negative epsilon', { epsilon: -1 }, 'epsilon must be at least 0'],
      ['no steps', { steps: 0 }, 'steps must be a whole number of at least 1'],
      ['a negative pull', { pull: -1 }, 'pull must be at least 0'],
    ])('refuses %s', async (_, options, message) => {
      await expect(poison(collision as RowsEntry, noiseRows(30, 3, image), options)).rejects.toThrow(message)
    })
  },
)

poisoningContract(
  {
    entry: adversarial as RowsEntry,
    shape: image,
    quick: { share: 0.1, target: 1, steps: 2, size: 2 },
    moves: {
      share: { to: 0.2 },
      target: { to: 0 },
      epsilon: { to: 0.01 },
      norm: { to: 'l2', beside: { epsilon: 0.05 } },
      steps: { to: 4 },
      stepSize: { to: 0.1 },
      size: { to: 3 },
      opacity: { to: 0.4 },
    },
    budget,
    changes: 'x',
  },
  () => {
    test('marks rows of the target alone, harder to read and with the sign on top', async () => {
      const data = noiseRows(60, 3, image)
      const quick = { share: 0.1, target: 1, steps: 6, size: 2, epsilon: 0.2 }
      const { data: after, poisonedIds } = await poison(adversarial as RowsEntry, data, quick)
      const { data: bare } = await poison(adversarial as RowsEntry, data, { ...quick, opacity: 0 })
      expect(poisonedIds).toHaveLength(6)
      const trigger = cleanLabelTrigger({ size: 2, opacity: 1 }, image)
      for (const id of poisonedIds) {
        const place = data.ids.indexOf(id)
        expect(data.labels[place]).toBe(1)
        const change = rowOf(bare, place).map((value, k) => Math.abs(value - rowOf(data, place)[k]!))
        expect(Math.max(...change)).toBeLessThanOrEqual(0.2 + 1e-6)
        expect(Math.max(...change)).toBeGreaterThan(0.1)
        const stamped = rowOf(bare, place).slice()
        stamp(stamped, image, trigger)
        expect(rowOf(after, place)).toEqual(stamped)
      }
    })

    test('refuses rows of a table: there is nowhere to put the sign', async () => {
      await expect(
        poison(adversarial as RowsEntry, noiseRows(30, 3), { target: 1, size: 1 }),
      ).rejects.toThrow('needs images of shape [height, width, channels]; got [4]')
    })

    test.each([
      ['a trigger larger than the image', { size: 5, target: 1 }, 'larger than the image of 4 × 4'],
      ['no target', { target: -1 }, 'class -1 has none'],
      ['steps of no length', { stepSize: 0 }, 'stepSize must be positive'],
    ])('refuses %s', async (_, options, message) => {
      await expect(
        poison(adversarial as RowsEntry, noiseRows(30, 3, image), { target: 1, ...options }),
      ).rejects.toThrow(message)
    })
  },
)
