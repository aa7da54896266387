import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  BoundarySlice,
  labelPlace,
  planeOf,
  readSliceSetup,
  stretchesOf,
} from '../../../src/app/boundary-slice.svelte.ts'
import type { CallOptions, LabSession } from '../../../src/app/lab-session.svelte.ts'
import type { Slice } from '../../../src/engine/methods/slice.ts'
import { runs } from '../../helpers/runs.ts'

const grid = fc
  .integer({ min: 2, max: 9 })
  .chain((size) =>
    fc
      .array(fc.integer({ min: 0, max: 3 }), { minLength: size * size, maxLength: size * size })
      .map((read) => ({ size, read: Int32Array.from(read) })),
  )

describe('regions', () => {
  test('the stretches cover every point once, with its own class', () => {
    fc.assert(
      fc.property(grid, ({ size, read }) => {
        const seen = new Int32Array(size * size).fill(-1)
        for (const { row, from, length, class: k } of stretchesOf({ size, read }))
          for (let column = from; column < from + length; column++) {
            expect(seen[row * size + column]).toBe(-1)
            seen[row * size + column] = k
          }
        expect(seen).toEqual(read)
      }),
      { numRuns: runs(100) },
    )
  })

  test('the name of a class stands inside it', () => {
    fc.assert(
      fc.property(grid, ({ size, read }) => {
        const stretches = stretchesOf({ size, read })
        for (const k of new Set(read)) {
          const { row, column } = labelPlace(stretches, k)!
          expect(read[row * size + Math.min(size - 1, Math.floor(column))]).toBe(k)
        }
        expect(labelPlace(stretches, 99)).toBeUndefined()
      }),
      { numRuns: runs(100) },
    )
  })

  test('the shares add up, largest first, and distances are from the first image', () => {
    const plane = planeOf(sliceOf([3, 3, 3, 5]), ['a', 'b', 'c'])
    expect(plane.shares).toEqual([
      { class: 3, share: 0.75 },
      { class: 5, share: 0.25 },
    ])
    expect(plane.corners.map(({ name, distance }) => [name, distance])).toEqual([
      ['a', 0],
      ['b', 2],
      ['c', 5],
    ])
  })
})

const sliceOf = (read: number[]): Slice => ({
  points: [
    [0, 0],
    [2, 0],
    [3, 4],
  ],
  readAt: [3, 5, 5],
  corner: [-1, -1],
  side: 6,
  size: Math.sqrt(read.length),
  read: Int32Array.from(read),
})

/** Three digits of one pixel, and an engine that answers at once, or when it is told to. */
function setUp(props: Record<string, string> = {}, held = false) {
  const asked: { method: string; params: Record<string, unknown> }[] = []
  const answer: (() => void)[] = []
  const call = async (method: string, params: unknown, options: CallOptions = {}) => {
    asked.push({ method, params: params as Record<string, unknown> })
    if (method === 'attacks')
      return [
        { id: 'deepfool', title: 'DeepFool' },
        { id: 'ddn', title: 'DDN' },
      ]
    if (method === 'attack-images') return { adversarial: Float32Array.of(0.5) }
    options.onProgress?.(1, 2)
    if (held)
      await new Promise<void>((resolve, reject) => {
        answer.push(resolve)
        options.signal?.addEventListener('abort', () => reject(new Error('aborted')))
      })
    return sliceOf([3, 3, 5, 5])
  }
  const session = {
    seed: 1,
    checkpoints: [{ id: 'nearest', artefact: 'adversarial-examples' }],
    task: async () => ({ dataset: 'mnist10k', split: 'test', ids: [4, 5, 6], labels: [3, 5, 7] }),
    weightsOf: () => undefined,
    engine: { call },
    referee: {
      call: async () => ({
        pixels: Float32Array.of(0.1, 0.2, 0.3),
        shape: [3, 1, 1, 1],
        labels: [3, 5, 7],
      }),
    },
  } as unknown as LabSession
  return { slice: new BoundarySlice(session, readSliceSetup(props)), asked, answer }
}

const soon = () => new Promise((resolve) => setTimeout(resolve))
const pixelsOf = (asked: { method: string; params: Record<string, unknown> }[]) =>
  [...(asked.filter(({ method }) => method === 'slice').at(-1)!.params.pixels as Float32Array)].map((value) =>
    Number(value.toFixed(2)),
  )

describe('the boundary slice', () => {
  test('draws the first digit with what two attacks make of it', async () => {
    const { slice, asked } = setUp()
    await slice.open()
    expect(pixelsOf(asked)).toEqual([0.1, 0.5, 0.5])
    expect(slice.plane?.corners.map(({ name, read }) => [name, read])).toEqual([
      ['the 3 itself', 3],
      ['DeepFool', 5],
      ['DDN', 5],
    ])
    expect(slice.running).toBe(false)
  })

  test('or with the two digits after it, around the end', async () => {
    const { slice, asked } = setUp()
    await slice.open()
    slice.through = 'digits'
    slice.choose(2)
    await soon()
    expect(pixelsOf(asked)).toEqual([0.3, 0.1, 0.2])
    expect(slice.plane?.corners[1]?.name).toBe('another digit, a 3')
  })

  test('another choice while it reads: the first one gives way and never shows', async () => {
    const { slice, answer } = setUp({}, true)
    const opening = slice.open()
    await soon()
    await soon()
    slice.choose(1)
    await opening
    expect(slice.running).toBe(true)
    expect(slice.plane).toBeUndefined()
    await soon()
    answer.at(-1)!()
    await soon()
    expect(slice.plane?.corners[0]?.name).toBe('the 5 itself')
    expect([slice.running, slice.trouble]).toEqual([false, ''])
  })

  test('an attack that does not exist is told, with those that do', async () => {
    const { slice } = setUp({ corners: 'deepfol ddn' })
    await slice.open()
    expect(slice.trouble).toContain('no attack "deepfol"; it has deepfool, ddn')
  })
})
