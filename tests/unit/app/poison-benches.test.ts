/** The filter bench and the shop bench at the edges: nothing dropped, a run that is stopped, one that cannot be. */
import { describe, expect, test } from 'vitest'
import { CollisionBench, readCollisionSetup } from '../../../src/app/collision-bench.svelte.ts'
import { FilterBench, readFilterBenchSetup } from '../../../src/app/filter-bench.svelte.ts'
import { newRecord } from '../../../src/app/lab-records.ts'
import type { CallOptions, LabSession } from '../../../src/app/lab-session.svelte.ts'
import { RunQueue } from '../../../src/app/run-queue.svelte.ts'
import { readShopBenchSetup, ShopBench } from '../../../src/app/shop-bench.svelte.ts'
import { readTriggerSetup, TriggerBench } from '../../../src/app/trigger-bench.svelte.ts'
import { TriggerRecovery } from '../../../src/app/trigger-recovery.svelte.ts'
import { PerturbError } from '../../../src/core/errors.ts'
import { openVariant } from '../../../src/ui/widgets/parts/turns.svelte.ts'

type Answer = (params: unknown, options: CallOptions) => Promise<unknown>

/** A session whose engine answers by method, and what was handed in. */
function sessionOf(answers: Record<string, Answer>) {
  const knobs: Record<string, unknown> = {}
  const kept = new Map<string, unknown>()
  const queue = new RunQueue()
  const handedIn: unknown[] = []
  const troubles: unknown[] = []
  const session = {
    queue,
    seed: 1,
    checkpoints: [{ id: 'swept' }],
    record: newRecord('lab', '1.0.0', 'explore', 1),
    engine: {
      call: (method: string, params: unknown, options: CallOptions = {}) => answers[method]!(params, options),
    },
    task: async () => ({
      dataset: 'shop',
      split: 'train',
      ids: [10, 20, 30, 40],
      tampered: { ids: [20], labels: [0] },
      values: {},
    }),
    knob: (name: string, fallback: unknown) => knobs[name] ?? fallback,
    setKnob: (name: string, value: unknown) => void (knobs[name] = value),
    keep: (key: string, make: () => unknown) => {
      if (!kept.has(key)) kept.set(key, make())
      return kept.get(key)
    },
    work: (label: string, body: Parameters<RunQueue['run']>[1]) =>
      queue.run(label, body).catch((error: unknown) => void troubles.push(error)),
    handIn: async (_: string, artefact: unknown) => void handedIn.push(artefact),
  } as unknown as LabSession
  return { session, queue, handedIn, troubles }
}
const untilStopped: Answer = (_, { signal }) =>
  new Promise((_, reject) =>
    signal!.addEventListener('abort', () => reject(new PerturbError('cancelled', 'Stopped.'))),
  )
const diverges: Answer = () =>
  Promise.reject(
    new PerturbError('unavailable', 'the training diverged, so nothing can be said of these rows'),
  )

describe('the filter bench', () => {
  const reading = { recall: 1, accuracy: 0.9, byClass: [1, 1], success: 0.8 }
  const inspected = {
    ids: Int32Array.of(10, 20, 30, 40),
    labels: Int32Array.of(0, 1, 0, 1),
    classes: ['a', 'b'],
    scores: { spectral: Float64Array.of(0.1, 0.9, 0.5, 0.5) },
    flagged: { spectral: Int32Array.of(20) },
  }
  async function setUp() {
    const trained: number[][] = []
    const answers: Record<string, Answer> = {
      'inspect-rows': async () => inspected,
      'train-on-rows': async (params) => {
        trained.push((params as { changes: { ids: number[] } }).changes.ids)
        return { reading, history: [] }
      },
    }
    const made = sessionOf(answers)
    const bench = new FilterBench(
      made.session,
      readFilterBenchSetup({ checkpoint: 'swept', filters: 'spectral' }),
    )
    await bench.inspection.open()
    await bench.inspection.filter('spectral')
    return { ...made, bench, answers, trained }
  }

  test('trains on all rows once, then on what each cut leaves; with nothing dropped it hands in an empty list', async () => {
    const { bench, trained, handedIn } = await setUp()
    await bench.train()
    bench.setCut(0)
    await bench.train()
    expect(trained).toEqual([[], [20], []])
    expect(bench.repair?.ids).toEqual([])
    expect(bench.measure).toMatchObject({ recall: 0, honestLost: 0 })
    await bench.handIn()
    expect(handedIn).toEqual([{ kind: 'change-list', ids: [], labels: [] }])
  })

  test('keeps what it measured when the next training is stopped or diverges, and says why', async () => {
    const { bench, queue, answers, troubles } = await setUp()
    await bench.train()
    const measured = bench.repair
    bench.setCut(3)
    answers['train-on-rows'] = untilStopped
    const training = bench.train()
    queue.cancel()
    await training
    expect(bench.repair).toBe(measured)
    answers['train-on-rows'] = diverges
    await bench.train()
    expect(bench.repair).toBe(measured)
    expect(bench.fresh).toBe(false)
    expect(troubles.at(-1)).toMatchObject({ code: 'unavailable' })
  })

  test('rows that cannot be read say why, and are read when it is asked again', async () => {
    const { session } = sessionOf({ 'inspect-rows': diverges })
    const bench = new FilterBench(session, readFilterBenchSetup({ checkpoint: 'swept' }))
    await bench.inspection.open()
    expect(bench.inspection.trouble).toContain('the training diverged')
    expect(bench.isScored).toBe(false)
    session.engine.call = async () => inspected
    await bench.inspection.open()
    expect(bench.inspection.trouble).toBe('')
    expect(bench.inspection.rows?.ids).toBe(inspected.ids)
  })
})

describe('the shop bench', () => {
  const trial = (ids: number[]) => ({
    target: 3,
    before: { exposure: 0.01, hitRate: 0.2 },
    after: { exposure: 0.3, hitRate: 0.2 },
    suspects: [],
    curve: [],
    changes: { ids, labels: ids.map(() => 5) },
  })
  async function setUp() {
    const answers: Record<string, Answer> = {
      images: async () => ({ pixels: new Float32Array(8), labels: Int32Array.of(0, 0), classes: ['Dress'] }),
      'shop-trial': async (params) => trial(Array((params as { fakes: number }).fakes).fill(1)),
    }
    const made = sessionOf(answers)
    const bench = new ShopBench(made.session, readShopBenchSetup({ checkpoint: 'swept', fakes: '0' }))
    await bench.open()
    return { ...made, bench, answers }
  }

  test('with nobody invented it measures, and hands in an empty list', async () => {
    const { bench, handedIn } = await setUp()
    expect(bench.latest).toMatchObject({ asked: false, knobs: { fakes: 0 } })
    await bench.run()
    expect(bench.latest).toMatchObject({ asked: true })
    await bench.handIn()
    expect(handedIn).toEqual([{ kind: 'change-list', ids: [], labels: [] }])
  })

  test('keeps its last trial when the next fit is stopped or diverges, and says why', async () => {
    const { bench, queue, answers, troubles } = await setUp()
    const { latest } = bench
    bench.set('fakes', 2)
    answers['shop-trial'] = untilStopped
    const fit = bench.run()
    queue.cancel()
    await fit
    answers['shop-trial'] = diverges
    await bench.run()
    expect(bench.latest).toBe(latest)
    expect(bench.fresh).toBe(false)
    expect(troubles.at(-1)).toMatchObject({ code: 'unavailable' })
    answers['shop-trial'] = async () => trial([1, 2])
    await bench.run()
    expect(bench.fresh).toBe(true)
  })

  test('a shop that cannot be opened says why, and opens when it is asked again', async () => {
    const { session } = sessionOf({ images: diverges })
    const bench = new ShopBench(session, readShopBenchSetup({ checkpoint: 'swept' }))
    await bench.open()
    expect(bench.trouble).toContain('diverged')
    expect(bench.latest).toBeUndefined()
  })
})

describe('the collision bench', () => {
  const made = (params: unknown) => ({ ids: [10, 20], values: Float32Array.of(0.5), asked: params })
  const setUp = (answer: Answer = async (params) => made(params)) => {
    const told = sessionOf({ collide: answer })
    return { ...told, bench: new CollisionBench(told.session, readCollisionSetup({ checkpoint: 'swept' })) }
  }

  test('opens with the pictures as they are: nothing is changed, and nothing is a run yet', async () => {
    const { bench } = setUp()
    await bench.open()
    expect(bench.start).toMatchObject({ asked: { epsilon: 0, count: 12, neighbours: 30 } })
    expect(bench.runs).toEqual([])
    expect(bench.fresh).toBe(false)
    await bench.collide()
    expect(bench.latest).toMatchObject({ number: 1, settings: { epsilon: 0.1, count: 12 } })
    expect(bench.fresh).toBe(true)
  })

  test('an opening that makes way for a run is no trouble, and opens again', async () => {
    const { bench, session } = setUp(untilStopped)
    const opening = bench.open()
    await Promise.resolve()
    bench.cancel()
    await opening
    expect(bench).toMatchObject({ trouble: '', opening: false, start: undefined })
    Object.assign(session.engine, { call: async (_: string, params: unknown) => made(params) })
    await bench.open()
    expect(bench.start).toBeDefined()
  })
})

describe('the trigger bench', () => {
  test('an opening that makes way for a run is no trouble, and opens again', async () => {
    const { session } = sessionOf({})
    const pictures = { labels: [0, 1], pixels: new Float32Array(2), shape: [2, 1, 1, 1], classes: ['a', 'b'] }
    let answer: Answer = untilStopped
    Object.assign(session, {
      referee: { call: (_: string, params: unknown, options: CallOptions) => answer(params, options) },
    })
    const bench = new TriggerBench(session, readTriggerSetup({ checkpoint: 'swept' }))
    const opening = bench.open()
    await Promise.resolve()
    bench.cancel()
    await opening
    expect(bench).toMatchObject({ trouble: '', task: undefined })
    answer = async () => pictures
    await bench.open()
    expect(bench.task).toBeDefined()
  })
})

describe('Neural Cleanse', () => {
  const found = { triggers: [{ l1: 4 }], indices: [1], classes: ['a'], suspects: [] }
  const setUp = () => {
    const { session } = sessionOf({ 'recover-triggers': async () => found })
    return { session, recovery: new TriggerRecovery(session, { checkpoint: 'swept', steps: 300 }) }
  }

  test('searches the suspect, then a clean model, and both anew with other steps; what was found stays', async () => {
    const { recovery } = setUp()
    for (const of of ['victim', 'control'] as const) {
      expect(recovery.next).toBe(of)
      await recovery.search(of)
    }
    expect(recovery.next).toBeUndefined()
    recovery.steps = 40
    expect(recovery).toMatchObject({ next: 'victim', found: {} })
    await recovery.search('victim')
    expect(recovery.found).toEqual({ victim: found })
    recovery.steps = 300
    expect(recovery.found).toEqual({ victim: found, control: found })
  })

  test('shows nothing of another variant', async () => {
    const { recovery, session } = setUp()
    await recovery.search('victim')
    Object.assign(session, { seed: 2 })
    const again = new TriggerRecovery(session, { checkpoint: 'swept', steps: 300 })
    await again.search('victim')
    Object.assign(session, { seed: 3 })
    await again.search('control')
    expect(Object.keys(again.found)).toEqual(['control'])
  })
})

describe('a widget that opens on its own', () => {
  test('opens again where another variant was taken under way, and not where none was or it has gone', async () => {
    const opened: number[] = []
    const session = { seed: 1 }
    const open = async () => {
      opened.push(session.seed)
      if (session.seed < 3) session.seed++
    }
    await openVariant(session, open, () => true)
    expect(opened).toEqual([1, 2, 3])
    session.seed = 1
    await openVariant(session, open, () => false)
    expect(opened).toEqual([1, 2, 3, 1])
  })
})
