import { describe, expect, test } from 'vitest'
import {
  onePerClass,
  plantedList,
  readTriggerSetup,
  repaint,
  triggerOf,
  type Design,
  type Planting,
} from '../../../src/app/trigger-bench.svelte.ts'
import { touchedPixels } from '../../../src/attacks/poison-list.ts'
import { checkTrigger } from '../../../src/attacks/trigger.ts'

const design: Design = {
  kind: 'patch',
  side: 2,
  top: 1,
  left: 3,
  opacity: 0.5,
  painting: 'w.kg',
  frequency: 2,
  seed: 5,
}
/** Twelve rows, classes 0, 1 and 2 in turn, named from 100. */
const rows = {
  ids: Array.from({ length: 12 }, (_, i) => 100 + i),
  labels: Array.from({ length: 12 }, (_, i) => i % 3),
}
const planting: Planting = { rows: 3, source: -1, relabel: true, stamp: true, cover: 0 }
const plant = (own: Partial<Planting> = {}, seed = 1) =>
  plantedList(rows, triggerOf(design, [8, 8, 1]), { ...planting, ...own }, 2, seed)

describe('the trigger bench', () => {
  test('a painting becomes a patch, and a hole covers nothing', () => {
    const trigger = triggerOf(design, [8, 8, 1])
    expect(trigger).toEqual({
      kind: 'patch',
      top: 1,
      left: 3,
      height: 2,
      width: 2,
      pixels: [1, 1, 0, 0.5],
      opacity: [0.5, 0, 0.5, 0.5],
    })
    expect(touchedPixels(trigger, [8, 8, 1])).toBe(3)
    const yellow = triggerOf({ ...design, side: 1, painting: 'y' }, [8, 8, 3])
    expect(yellow).toMatchObject({ pixels: [1, 1, 0] })
  })

  test('a blend and a wave fit on the images, and a blend is the variant’s own', () => {
    for (const kind of ['blend', 'wave'] as const)
      expect(() => checkTrigger('test', triggerOf({ ...design, kind }, [8, 8, 3]), [8, 8, 3])).not.toThrow()
    const [one, other] = [5, 6].map((seed) => triggerOf({ ...design, kind: 'blend', seed }, [4, 4, 1]))
    expect(one).not.toEqual(other)
  })

  test('a patch that grows keeps what was painted, and one that shrinks is cut', () => {
    expect(repaint('w.kg', 2, 3, 'y')).toBe('w.ykgyyyy')
    expect(repaint('w.kg', 2, 1, 'y')).toBe('w')
    expect(repaint('', 0, 2, 'w')).toBe('wwww')
  })

  test('draws rows by the seed: more rows add to fewer, and none is of the target', () => {
    const [three, five] = [plant(), plant({ rows: 5 })]
    expect(three.ids).toHaveLength(3)
    expect(three.labels).toEqual([2, 2, 2])
    expect(three.stamped).toEqual(three.ids)
    expect(five.ids).toEqual(expect.arrayContaining(three.ids))
    expect(three.ids.every((id) => (id - 100) % 3 !== 2)).toBe(true)
    expect(plant()).toEqual(three)
    expect(plant({}, 4).ids).not.toEqual(three.ids)
  })

  test('one class alone, with others that keep their label', () => {
    const { ids, labels, stamped } = plant({ source: 0, rows: 2, cover: 3 })
    const pairs = ids.map((id, i) => [(id - 100) % 3, labels[i]])
    expect(pairs.filter(([from]) => from === 0)).toEqual([
      [0, 2],
      [0, 2],
    ])
    expect(pairs.filter(([from]) => from === 1)).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ])
    expect(stamped).toEqual(ids)
  })

  test('rows that are neither stamped nor relabelled are no change', () => {
    expect(plant({ stamp: false }).stamped).toEqual([])
    expect(plant({ stamp: false }).ids).toHaveLength(3)
    expect(plant({ stamp: false, relabel: false }).ids).toEqual([])
    expect(plant({ rows: 0 }).ids).toEqual([])
    expect(plant({ relabel: false }).labels.every((label) => label !== 2)).toBe(true)
  })

  test('cover rows of an any-class sign are never those that teach it', () => {
    const { ids } = plant({ cover: 8, rows: 4 })
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('shows one picture a class, or the source alone', () => {
    expect(onePerClass([3, 3, 1, 0, 1, 2], 0)).toEqual([0, 2, 5])
    expect(onePerClass([3, 3, 1, 0], 0, 3)).toEqual([0, 1])
  })

  test('reads its directive', () => {
    expect(
      readTriggerSetup({ checkpoint: 'a', kinds: 'wave patch', cover: 'true', side: '5', rows: '80' }),
    ).toEqual({
      checkpoint: 'a',
      kinds: ['patch', 'wave'],
      cover: true,
      side: 5,
      margin: 1,
      rows: 80,
    })
    expect(readTriggerSetup({ checkpoint: 'a' })).toMatchObject({ kinds: ['patch'], cover: false, side: 3 })
  })
})
