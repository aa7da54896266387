import { describe, expect, test } from 'vitest'
import { touchedPixels, withPoison } from '../../../src/attacks/poison-list.ts'
import type { Trigger } from '../../../src/attacks/trigger.ts'
import { dropped } from '../../../src/data/change-list.ts'
import type { LabelledRows } from '../../../src/data/labelled-rows.ts'

/** Three pictures of 2 × 2 grey pixels, named 5, 8 and 13. */
const pictures = (): LabelledRows => ({
  ids: Int32Array.of(5, 8, 13),
  x: new Float32Array(12).fill(0.5),
  shape: [2, 2, 1],
  labels: Int32Array.of(0, 1, 2),
  numClasses: 3,
})
const corner: Trigger = { kind: 'patch', top: 1, left: 1, height: 1, width: 1, pixels: [1], opacity: 1 }

describe('a list of poison', () => {
  test('stamps the rows it names and no others, and gives labels as any change list', () => {
    const given = pictures()
    const { x, labels } = withPoison(given, { ids: [8, 13], labels: [2, 2], trigger: corner, stamped: [8] })
    expect([...x]).toEqual([0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1, 0.5, 0.5, 0.5, 0.5])
    expect([...labels]).toEqual([0, 2, 2])
    expect(given).toEqual(pictures())
  })

  test('stamps what it has moved in place of what was there, and not what it drops', () => {
    const values = Float32Array.of(0, 0, 0, 0, 0.25, 0.25, 0.25, 0.25)
    const list = { ids: [5, 8], labels: [dropped, 1], values, trigger: corner, stamped: [5, 8] }
    const { ids, x } = withPoison(pictures(), list)
    expect([...ids]).toEqual([8, 13])
    expect([...x]).toEqual([0.25, 0.25, 0.25, 1, 0.5, 0.5, 0.5, 0.5])
  })

  test('without a trigger it is a change list', () => {
    expect([...withPoison(pictures(), { ids: [5], labels: [1] }).labels]).toEqual([1, 1, 2])
    expect(() => withPoison(pictures(), { ids: [5], labels: [1], stamped: [5] })).toThrow(
      'rows are to be stamped, and there is no trigger',
    )
  })

  test('refuses a row that is not there, and a trigger that is too large', () => {
    expect(() => withPoison(pictures(), { ids: [6], labels: [1], trigger: corner, stamped: [6] })).toThrow(
      'no row 6',
    )
    const large: Trigger = { ...corner, top: 0, left: 0, height: 3, pixels: [1, 1, 1] }
    expect(() => withPoison(pictures(), { ids: [], labels: [], trigger: large })).toThrow(
      '3 × 1 pixels, larger than the image of 2 × 2',
    )
  })
})

test.each<[string, Trigger, number]>([
  ['a patch', corner, 1],
  ['a patch with holes', { ...corner, top: 0, height: 2, pixels: [1, 1], opacity: [0, 0.5] }, 1],
  ['a patch that nobody sees', { ...corner, opacity: 0 }, 0],
  ['a blend', { kind: 'blend', pixels: [0, 0, 0, 1], opacity: 0.1 }, 4],
  ['a wave', { kind: 'wave', amplitude: 0.1, frequency: 1, along: 'width' }, 4],
  ['a wave of no height', { kind: 'wave', amplitude: 0, frequency: 1, along: 'width' }, 0],
])('%s touches so many pixels', (_, trigger, pixels) => {
  expect(touchedPixels(trigger, [2, 2, 1])).toBe(pixels)
})
