import { describe, expect, test } from 'vitest'
import { newRecord } from '../../../src/app/lab-records.ts'
import type { CallOptions, LabSession } from '../../../src/app/lab-session.svelte.ts'
import { RunQueue } from '../../../src/app/run-queue.svelte.ts'
import {
  onePerClass,
  plantedList,
  readTriggerSetup,
  repaint,
  TriggerBench,
  triggerOf,
  type Design,
  type Planting,
} from '../../../src/app/trigger-bench.svelte.ts'
import { touchedPixels } from '../../../src/attacks/poison-list.ts'
import { checkTrigger } from '../../../src/attacks/trigger.ts'
import { PerturbError } from '../../../src/core/errors.ts'

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

describe('a training of the trigger bench', () => {
  const reading = { recall: 1, accuracy: 0.9, byClass: [1, 0.8], success: 0.7 }

  async function setUp(answer: (options: CallOptions, params: object) => Promise<unknown>) {
    const queue = new RunQueue()
    const knobs: Record<string, unknown> = {}
    const pictures = {
      shape: [6, 4, 4, 1],
      pixels: new Float32Array(6 * 16),
      labels: [0, 1, 0, 1, 0, 1],
      classes: ['nought', 'one'],
      noun: 'digit',
    }
    const session = {
      queue,
      seed: 1,
      checkpoints: [{ id: 'planted' }],
      record: newRecord('lab', '1.0.0', 'explore', 1),
      referee: { call: () => Promise.resolve(pictures) },
      engine: { call: (_: string, params: object, options: CallOptions = {}) => answer(options, params) },
      task: async () => ({
        ids: [7, 8, 9, 10],
        labels: [0, 1, 0, 1],
        values: { budget: 2, pixels: 4 },
        training: { backdoor: { target: 1 } },
      }),
      knob: (name: string, fallback: unknown) => knobs[name] ?? fallback,
      setKnob: (name: string, value: unknown) => void (knobs[name] = value),
      work: (label: string, body: Parameters<RunQueue['run']>[1]) =>
        queue.run(label, body).catch(() => undefined),
    } as unknown as LabSession
    const bench = new TriggerBench(
      session,
      readTriggerSetup({ checkpoint: 'planted', side: '2', margin: '0', rows: '2' }),
    )
    await bench.open()
    expect(bench.trouble).toBe('')
    return { bench, queue }
  }

  test('draws its curve as it goes, and can be handed in when it is whole', async () => {
    const asked: object[] = []
    const { bench } = await setUp(async ({ onProgress }, params) => {
      asked.push(params)
      onProgress?.(1, 4)
      onProgress?.(2, 4, { loss: 1, accuracy: 0.5, success: 0.25 })
      expect(bench.curve('success')).toEqual([[2, 25]])
      expect(bench.fresh).toBe(false)
      const history = [
        { step: 2, loss: 1, accuracy: 0.5, success: 0.25 },
        { step: 4, loss: 0.5, accuracy: 0.9, success: 0.7 },
      ]
      return { reading, history, shown: undefined }
    })
    await bench.train()
    expect(asked).toMatchObject([{ changes: { ids: [7, 9], labels: [1, 1], stamped: [7, 9] } }])
    expect(bench.training).toMatchObject({ state: 'done', reading, total: 4 })
    expect(bench.curve('accuracy')).toEqual([
      [2, 50],
      [4, 90],
    ])
    expect(bench.fresh).toBe(true)
  })

  test('one that diverges says so, with no figure that looks like a failed attack; one that is stopped is stopped', async () => {
    const why = 'the training diverged, so nothing can be said of these rows'
    const refused = await setUp(() => Promise.reject(new PerturbError('unavailable', why)))
    await refused.bench.train()
    expect(refused.bench.training).toMatchObject({
      state: 'failed',
      why: expect.stringContaining('diverged') as unknown,
      reading: undefined,
    })
    expect(refused.bench.fresh).toBe(false)

    const stopped = await setUp(
      ({ signal }) =>
        new Promise((_, reject) =>
          signal!.addEventListener('abort', () => reject(new PerturbError('cancelled', 'Stopped.'))),
        ),
    )
    const training = stopped.bench.train()
    stopped.queue.cancel()
    await training
    expect(stopped.bench.training).toMatchObject({ state: 'stopped', reading: undefined })
    expect(stopped.bench.fresh).toBe(false)
  })
})
