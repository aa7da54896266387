import { describe, expect, test } from 'vitest'
import { newRecord } from '../../../src/app/lab-records.ts'
import type { CallOptions, LabSession } from '../../../src/app/lab-session.svelte.ts'
import { RunQueue } from '../../../src/app/run-queue.svelte.ts'
import {
  curveFactors,
  placementKnobs,
  readStickerSetup,
  shrunk,
  StickerBench,
} from '../../../src/app/sticker-bench.svelte.ts'
import type { Placement } from '../../../src/core/placement.ts'
import { PerturbError } from '../../../src/core/errors.ts'
import type { Artefact } from '../../../src/grading/artefact.ts'
import { attempt, verdict } from '../grading/helpers.ts'

const side = 2
const task = (target: number) => ({
  victim: { model: 'signs-cnn' },
  dataset: 'signs',
  split: 'test',
  ids: [11, 12, 13],
  labels: [1, 1, 1],
  values: { target, side, right: 3, down: -2, rotation: 20, scale: 0.15, shift: 3, light: 0.3 },
  handIn: { ids: [7], shape: [side, side, 3] },
})
type Paste = { images: { ids: number[] }; sticker: Float32Array; placements: Placement[] }

/** A bench on an engine that reads class 2 wherever a sticker lies upright, and class 1 elsewhere. */
function setUp({ attempts = [] as ReturnType<typeof attempt>[] } = {}) {
  const knobs: Record<string, unknown> = {}
  const asked: string[] = []
  const pastes: Paste[] = []
  const painted: Record<string, unknown>[] = []
  const handedIn: { checkpoint: string; artefact: Artefact }[] = []
  let broken: string | undefined
  const queue = new RunQueue()
  const engine = async (method: string, params: unknown, options: CallOptions = {}) => {
    asked.push(method)
    options.signal?.throwIfAborted()
    if (broken !== undefined) throw new PerturbError('unavailable', broken)
    if (method === 'train-sticker') {
      painted.push(params as Record<string, unknown>)
      const trace = [0, 1].map((step) => ({ step, values: { loss: 2 - step } }))
      return { adversarial: new Float32Array(side * side * 3).fill(0.25), shape: [2, 2, 3], trace }
    }
    const paste = params as Paste
    pastes.push(paste)
    const read = Int32Array.from(paste.placements, ({ rotation }) => (Math.abs(rotation) < 5 ? 2 : 1))
    const pixels = new Float32Array(paste.images.ids.length * 48).fill(0.5)
    return { pixels, logits: new Float32Array(read.length * 3), read, shape: [read.length, 4, 4, 3] }
  }
  const session = {
    queue,
    seed: 7,
    checkpoints: [{ id: 'sticker', step: 'attack', accepts: ['explore'] }],
    record: { ...newRecord('lab', '1.0.0', 'attack', 7), attempts },
    engine: { call: engine },
    referee: {
      call: async (_: string, { ids }: { ids: number[] }) => ({
        pixels: Float32Array.from({ length: ids.length * 48 }, (_, i) => ids[Math.floor(i / 48)]! / 100),
        labels: Int32Array.from(ids, (_, i) => i),
        shape: [ids.length, 4, 4, 3],
        classes: ['yield', 'stop', 'speed'],
        noun: 'sign',
      }),
    },
    weightsOf: () => undefined,
    task: async () => task(session.seed === 7 ? 2 : 0),
    knob: (name: string, fallback: unknown) => knobs[name] ?? fallback,
    setKnob: (name: string, value: unknown) => void (knobs[name] = value),
    work: (label: string, body: Parameters<RunQueue['run']>[1]) => queue.run(label, body),
    async makeAndHandIn(
      checkpoint: string,
      label: string,
      make: (context: unknown) => Promise<{ artefact: Artefact }>,
    ) {
      await queue.run(label, async (context) => {
        handedIn.push({ checkpoint, ...(await make(context)) })
      })
    },
  }
  const bench = new StickerBench(session as unknown as LabSession, readStickerSetup({}))
  return {
    bench,
    session,
    asked,
    pastes,
    painted,
    handedIn,
    knobs,
    breakDown: (why: string) => (broken = why),
  }
}
const settled = async () => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve))
}

describe('the sticker bench', () => {
  test('reads its directive', () => {
    expect(readStickerSetup({})).toEqual({
      model: 'signs-cnn',
      checkpoint: 'sticker',
      weightsFrom: undefined,
    })
    expect(readStickerSetup({ victim: 'shipped' }).weightsFrom).toBeUndefined()
    expect(readStickerSetup({ victim: 'repaired', checkpoint: 'again', model: 'm' })).toEqual({
      model: 'm',
      checkpoint: 'again',
      weightsFrom: 'repaired',
    })
  })

  test('opens on the task: its photographs, its target, its spot and its ranges', async () => {
    const { bench } = setUp()
    await bench.open()
    expect(bench.trouble).toBe('')
    expect(bench.photographs.map((picture) => picture[0])).toEqual([0.11, 0.12, 0.13].map(Math.fround))
    expect([bench.target, bench.side, bench.spot]).toEqual([2, 2, { right: 3, down: -2 }])
    expect(bench.range).toEqual({ rotation: 20, scale: 0.15, shift: 3, light: 0.3 })
    expect(bench.placement).toEqual({ rotation: 0, scale: 1, right: 3, down: -2, light: 1 })
  })

  test('offers white, random and printed, and the others once there are any', async () => {
    const pixels = new Float32Array(12).fill(0.75)
    const own = {
      checkpoint: 'sticker',
      verdict: verdict('passed'),
      artefact: { kind: 'adversarial-examples' as const, ids: [7], shape: [1, 2, 2, 3], pixels },
    }
    const { bench } = setUp({ attempts: [attempt(own)] })
    await bench.open()
    expect(bench.kinds.map(({ value }) => value)).toEqual(['white', 'random', 'printed', 'handed-in'])
    expect([...bench.sticker]).toEqual(new Array(12).fill(1))
    bench.kind = 'random'
    const random = [...bench.sticker]
    expect(new Set(random).size).toBe(12)
    bench.kind = 'printed'
    // The picture of class 2, averaged down.
    expect([...bench.sticker].every((value) => Math.abs(value - 0.02) < 1e-6)).toBe(true)
    bench.kind = 'handed-in'
    expect(bench.sticker).toEqual(pixels)
    const other = { ...own, artefact: { ...own.artefact, shape: [1, 1, 4, 3] } }
    const elsewhere = setUp({ attempts: [attempt(other)] })
    await elsewhere.bench.open()
    expect(elsewhere.bench.kinds.map(({ value }) => value)).not.toContain('handed-in')
  })

  test('reads the photograph under the sticker and bare, and keeps the latest wish alone', async () => {
    const { bench, pastes } = setUp()
    await bench.open()
    bench.chosen = 1
    bench.place('rotation', 0)
    bench.refresh()
    for (const angle of [10, 20, 30]) {
      bench.place('rotation', angle)
      bench.refresh()
    }
    await settled()
    expect(pastes.length).toBeLessThan(4)
    const last = pastes.at(-1)!
    expect(last.images.ids).toEqual([12, 12])
    expect(last.placements.map(({ rotation }) => rotation)).toEqual([30, 30])
    // The second lies off the picture: the photograph as it is.
    expect(last.placements[1]!.right).toBeGreaterThanOrEqual(40)
    expect(bench.view).toMatchObject({ read: 1 })
    expect(bench.view!.logits).toHaveLength(3)
    expect(bench.view!.bare).toHaveLength(3)
  })

  test('a throw lies within the range of the task and on the rulers of its knobs', async () => {
    const { bench } = setUp()
    await bench.open()
    bench.throwAgain()
    const { rotation, scale, right, down, light } = bench.placement
    expect(Math.abs(rotation)).toBeLessThanOrEqual(20)
    expect(Math.abs(scale - 1)).toBeLessThanOrEqual(0.15 + 0.03)
    expect(Math.abs(right - 3)).toBeLessThanOrEqual(3.5)
    expect(Math.abs(down + 2)).toBeLessThanOrEqual(3.5)
    expect(Math.abs(light - 1)).toBeLessThanOrEqual(0.3 + 0.03)
    for (const { name, step } of placementKnobs) {
      const steps = bench.placed(name as keyof Placement) / step
      expect(Math.abs(steps - Math.round(steps))).toBeLessThan(1e-6)
    }
    bench.straighten()
    expect(bench.placement).toEqual({ rotation: 0, scale: 1, right: 3, down: -2, light: 1 })
  })

  test('the curve goes from straight to two and a half times the range, of the same views each time', async () => {
    const { bench, pastes } = setUp()
    await bench.open()
    await bench.measure()
    expect(bench.curve!.points.map(({ factor }) => factor)).toEqual([...curveFactors])
    expect(bench.curve!.points[0]).toEqual({ factor: 0, hits: 1, truth: 0 })
    const wide = bench.curve!.points.at(-1)!
    expect(wide.hits).toBeLessThan(0.5)
    expect(wide.hits + wide.truth).toBeCloseTo(1, 10)
    const turns = pastes.map(({ placements }) => Math.max(...placements.map((p) => Math.abs(p.rotation))))
    expect(turns[0]).toBe(0)
    turns.slice(1).forEach((most, i) => expect(most).toBeLessThanOrEqual(20 * curveFactors[i + 1]! + 1e-6))
    expect(turns.at(-1)).toBeGreaterThan(40)
    const first = pastes.map(({ placements }) => placements)
    pastes.length = 0
    await bench.measure()
    expect(pastes.map(({ placements }) => placements)).toEqual(first)
    expect(bench.measuring).toBe(false)
  })

  test('paints for the task, shows what was painted, and hands that in', async () => {
    const { bench, painted, handedIn, asked } = setUp()
    await bench.open()
    bench.setSteps(30)
    await bench.paint()
    await settled()
    expect(painted).toMatchObject([
      {
        target: 2,
        seed: 7,
        images: { dataset: 'signs', split: 'test', ids: [11, 12, 13] },
        options: { side: 2, steps: 30, rotation: 20, scale: 0.15, shift: 3, light: 0.3, right: 3, down: -2 },
      },
    ])
    expect(bench.kind).toBe('painted')
    expect(bench.painted!.loss).toEqual([
      [0, 2],
      [1, 1],
    ])
    expect([...bench.sticker]).toEqual(new Array(12).fill(0.25))
    expect(handedIn).toEqual([])
    await bench.handIn()
    expect(asked.filter((method) => method === 'train-sticker')).toHaveLength(1)
    expect(handedIn).toEqual([
      {
        checkpoint: 'sticker',
        artefact: { kind: 'adversarial-examples', ids: [7], shape: [1, 2, 2, 3], pixels: bench.sticker },
        files: {},
      },
    ])
  })

  test('hands in a fresh painting when there is none', async () => {
    const { bench, handedIn, asked } = setUp()
    await bench.open()
    await bench.handIn()
    expect(asked).toContain('train-sticker')
    expect(handedIn).toHaveLength(1)
  })

  test('what was painted for one variant is not handed in for another; opening the same one again keeps it', async () => {
    const { bench, session } = setUp()
    await bench.open()
    await bench.paint()
    await bench.open()
    expect(bench.painted).toBeDefined()
    session.seed = 8
    await bench.open()
    expect(bench.target).toBe(0)
    expect(bench.painted).toBeUndefined()
    expect(bench.kind).toBe('white')
  })

  test('says what went wrong in a sentence and loses nothing', async () => {
    const { bench, breakDown } = setUp()
    await bench.open()
    await bench.paint()
    await settled()
    breakDown('the engine stopped')
    bench.refresh()
    await settled()
    expect(bench.trouble).toContain('the engine stopped')
    await bench.measure()
    expect(bench.measuring).toBe(false)
    expect(bench.painted).toBeDefined()
    const closed = setUp()
    closed.session.task = () => Promise.reject(new PerturbError('missing', 'no checkpoint "sticker"'))
    await closed.bench.open()
    expect(closed.bench.trouble).toContain('no checkpoint "sticker"')
    await closed.bench.measure()
    expect(closed.asked).toEqual([])
  })

  test('a picture is averaged down, square by square and channel by channel', () => {
    const picture = Float32Array.from({ length: 4 * 4 * 2 }, (_, i) => (i % 2 ? 10 : Math.floor(i / 2)))
    expect([...shrunk(picture, [4, 4, 2], 2)]).toEqual([2.5, 10, 4.5, 10, 10.5, 10, 12.5, 10])
  })
})
