import { describe, expect, test } from 'vitest'
import { newRecord } from '../../../src/app/lab-records.ts'
import type { CallOptions, LabSession } from '../../../src/app/lab-session.svelte.ts'
import {
  filterPoints,
  flagsOf,
  orderRows,
  readRowBenchSetup,
  RowBench,
  sameChanges,
  sayValue,
  surprise,
} from '../../../src/app/row-bench.svelte.ts'
import { RunQueue } from '../../../src/app/run-queue.svelte.ts'
import { PerturbError } from '../../../src/core/errors.ts'

/** Four rows; class 1 is watched. */
const rows = {
  labels: Int32Array.of(1, 0, 1, 0),
  scores: Float32Array.of(0.9, 0.8, 0.1, 0.1),
  neighbours: Float32Array.of(0.2, 0.5, 0.5, 0),
  audited: Float32Array.of(0.1, 0.2, 0.3, 0.4),
}
const order = (by: Parameters<typeof orderRows>[1]) => [...orderRows(rows, by, 1, 3)]

describe('the row bench', () => {
  test('orders rows by what is known of them, equal ones as they lie', () => {
    expect(order('sure')).toEqual([0, 1, 2, 3])
    expect(order('unsure')).toEqual([2, 3, 1, 0])
    expect(order('neighbours')).toEqual([1, 2, 0, 3])
    expect(order('alone')).toEqual([3, 0, 1, 2])
    expect(order('audited')).toEqual([3, 2, 1, 0])
    // The surprise of a label: a fraud at 0.1 first, then an honest row at 0.8.
    expect(order('loss')).toEqual([2, 1, 0, 3])
    expect(order('chance').sort()).toEqual([0, 1, 2, 3])
    expect(order('chance')).toEqual(order('chance'))
  })

  test('flags who disagrees with a label: the model, the neighbours, a second look', () => {
    const row = { label: 1, score: 0.9, neighbours: 0.6, secondLabel: undefined }
    expect(flagsOf(row, 1)).toEqual([])
    expect(flagsOf({ ...row, score: 0.4 }, 1)).toEqual(['model'])
    expect(flagsOf({ ...row, neighbours: 0.4, secondLabel: 0 }, 1)).toEqual(['neighbours', 'second look'])
    expect(flagsOf({ ...row, label: 0 }, 1)).toEqual(['model', 'neighbours'])
    expect(flagsOf({ label: 0, score: 0.1, neighbours: 0.5, secondLabel: 0 }, 1)).toEqual([])
  })

  test('a surprise is never infinite', () => {
    expect(surprise(0)).toBeCloseTo(13.8, 1)
    expect(surprise(1)).toBeCloseTo(0)
  })

  test('what an order finds, by hand: precision falls as recall grows', () => {
    const points = filterPoints([5, 1, 7, 2], (place) => place === 5 || place === 2, 4)
    expect(points).toEqual([
      { marked: 1, precision: 1, recall: 0.5 },
      { marked: 2, precision: 0.5, recall: 0.5 },
      { marked: 3, precision: 1 / 3, recall: 0.5 },
      { marked: 4, precision: 0.5, recall: 1 },
    ])
    expect(filterPoints([1, 2], () => false)).toEqual([])
  })

  test('says a value as a person reads it', () => {
    const base = { name: 'amount', title: 'Amount', low: 0, high: 8 }
    expect(sayValue({ ...base, unit: '€', scale: 'log1p' }, 0.75)).toBe('402 €')
    expect(sayValue({ ...base, scale: 'linear' }, 0.5)).toBe('4.0')
    expect(sayValue({ ...base, scale: 'flag' }, 1)).toBe('yes')
    expect(sayValue({ ...base, name: 'count-1h', scale: 'linear', high: 3 }, 1)).toBe('3')
  })

  test('knows two lists of changes apart', () => {
    expect(sameChanges(new Map([[1, 0]]), new Map([[1, 0]]))).toBe(true)
    expect(sameChanges(new Map([[1, 0]]), new Map([[1, 1]]))).toBe(false)
    expect(sameChanges(new Map([[1, 0]]), new Map([[2, 0]]))).toBe(false)
  })

  test('reads its directive, and falls back on words that it knows', () => {
    expect(readRowBenchSetup({ checkpoint: 'a', columns: 'x  y', sort: 'loss', count: '9' })).toEqual({
      checkpoint: 'a',
      columns: ['x', 'y'],
      show: 'watched',
      sort: 'loss',
      count: 9,
    })
    expect(readRowBenchSetup({ sort: 'up' }).sort).toBe('chance')
  })
})

describe('trainings on the row bench', () => {
  /** A bench whose engine answers a training with what `answer` makes. */
  async function setUp(answer: (options: CallOptions) => Promise<unknown>) {
    const knobs: Record<string, unknown> = {}
    const queue = new RunQueue()
    const reading = { recall: 0.8, accuracy: 0.98, byClass: [1, 0.6] }
    const scored = {
      ...rows,
      ids: Int32Array.of(5, 6, 7, 8),
      values: new Float32Array(4),
      features: [],
      classes: ['honest', 'fraud'],
      noun: 'payment',
      isSimulated: true,
      reading,
      canaries: { truth: new Int32Array(12).fill(1), read: new Int32Array(12).fill(1) },
    }
    const session = {
      queue,
      seed: 1,
      checkpoints: [{ id: 'poisoned' }],
      record: newRecord('lab', '1.0.0', 'explore', 1),
      engine: {
        call: (method: string, _: unknown, options: CallOptions = {}) =>
          method === 'row-scores' ? Promise.resolve(scored) : answer(options),
      },
      task: async () => ({ values: { budget: 3 }, training: { positive: 1 } }),
      knob: (name: string, fallback: unknown) => knobs[name] ?? fallback,
      setKnob: (name: string, value: unknown) => void (knobs[name] = value),
      work: (label: string, body: Parameters<RunQueue['run']>[1]) =>
        queue.run(label, body).catch(() => undefined),
    } as unknown as LabSession
    const bench = new RowBench(
      session,
      readRowBenchSetup({ checkpoint: 'poisoned', count: '1', show: 'all' }),
    )
    await bench.score()
    return { bench, queue, reading }
  }

  test('each whole one is a line of the monitor, judged against the rows as they were', async () => {
    const reads = [new Int32Array(12).fill(1), new Int32Array(12)]
    const { bench, reading } = await setUp(async () => ({ reading, history: [], canaries: reads.shift() }))
    await bench.train()
    await bench.train()
    expect(bench.mondays.map(({ lost, alarm, changed }) => ({ lost, alarm, changed }))).toEqual([
      { lost: 12, alarm: true, changed: 1 },
      { lost: 0, alarm: false, changed: 1 },
    ])
    expect(bench.budget).toBe(3)
  })

  test('one that cannot be says why, one that is stopped is no line of the monitor', async () => {
    const refused = await setUp(() =>
      Promise.reject(new PerturbError('bad-input', 'no row of class "fraud" is left')),
    )
    await refused.bench.train()
    expect(refused.bench.training).toMatchObject({
      state: 'failed',
      why: expect.stringContaining('no row of') as unknown,
    })
    expect(refused.bench.mondays).toEqual([])

    const stopped = await setUp(
      ({ signal }) =>
        new Promise((_, reject) =>
          signal!.addEventListener('abort', () => reject(new PerturbError('cancelled', 'Stopped.'))),
        ),
    )
    const training = stopped.bench.train()
    stopped.queue.cancel()
    await training
    expect(stopped.bench.training?.state).toBe('stopped')
    expect(stopped.bench.mondays).toEqual([])
  })
})
