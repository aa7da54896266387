import { expect, test } from 'vitest'
import {
  CloneBench,
  fooledWords,
  HandedInCopy,
  readCloneSetup,
  runName,
  runWords,
} from '../../../src/app/clone-bench.svelte.ts'
import type { LabSession } from '../../../src/app/lab-session.svelte.ts'

const weights = [{ name: 'dense/kernel', shape: [1], values: Float32Array.of(1) }]
const setup = readCloneSetup({ checkpoint: 'garments', digits: 'digits', epsilon: '0.1' })

/** A session whose checkpoints have pools of 4,000 garments and 2,000 digits. */
function setUp({ fail = false } = {}) {
  const knobs: Record<string, unknown> = {}
  const asked: [string, Record<string, unknown>][] = []
  const session = {
    seed: 7,
    knob: (name: string, fallback: unknown) => knobs[name] ?? fallback,
    setKnob: (name: string, value: unknown) => void (knobs[name] = value),
    weightsOf: () => weights,
    task: async (checkpoint: string) => ({
      victim: { model: 'postcode-cnn', seed: 3 },
      copy: { model: 'postcode-cnn', seed: 4 },
      dataset: checkpoint,
      split: 'train',
      ids: Array.from({ length: checkpoint === 'digits' ? 2000 : 4000 }, (_, i) => i),
      api: { cents: 0.5 },
    }),
    engine: {
      async call(method: string, params: Record<string, unknown>) {
        asked.push([method, params])
        if (fail) throw new Error('no device')
        if (method === 'compare-copy') return { shape: [6, 28, 28, 1] }
        return {
          points: (params.counts as number[]).map((queries) => ({ queries, agreement: 0.5 })),
          honest: 0.97,
          weights,
        }
      },
    },
  }
  return { session: session as unknown as LabSession, asked, knobs }
}

test('a run asks the checkpoint’s pictures in the chosen answer format, and compares the largest copy', async () => {
  const { session, asked, knobs } = setUp()
  const bench = new CloneBench(session, setup)
  knobs['clone.answers'] = 'class'
  await bench.measure()
  expect(asked.map(([method]) => method)).toEqual(['clone-curve', 'compare-copy'])
  expect(asked[0]![1]).toMatchObject({
    victim: { model: 'postcode-cnn', seed: 3 },
    pictures: { dataset: 'garments', split: 'train' },
    answers: [{ id: 'top-one', tell: 'label' }],
    counts: [100, 300, 1000, 3000],
  })
  expect(asked[1]![1]).toMatchObject({ copy: { weights }, epsilon: 0.1 })
  expect(bench.cents).toBe(0.5)
  expect(bench.runs.map(runName)).toEqual(['garments, class alone'])
})

test('no theft asks for more pictures than there are; noise never ends', async () => {
  const { session, asked, knobs } = setUp()
  const bench = new CloneBench(session, setup)
  knobs['clone.pictures'] = 'digits'
  await bench.measure()
  expect(asked[0]![1]).toMatchObject({ pictures: { dataset: 'digits' }, counts: [100, 300, 1000] })
  knobs['clone.pictures'] = 'noise'
  await bench.measure()
  expect(asked[2]![1]).toMatchObject({ pictures: 'noise', counts: [100, 300, 1000, 3000] })
})

test('earlier runs stay, the same knobs again replace their own, another variant clears all', async () => {
  const { session, knobs } = setUp()
  const bench = new CloneBench(session, setup)
  await bench.measure()
  knobs['clone.answers'] = 'rounded'
  await bench.measure()
  await bench.measure()
  expect(bench.runs.map(({ number }) => number)).toEqual([3, 1])
  ;(session as { seed: number }).seed = 8
  await bench.measure()
  expect(bench.runs.map(({ number }) => number)).toEqual([4])
})

test('what goes wrong is told, and what was measured stays', async () => {
  const { session } = setUp()
  const bench = new CloneBench(session, setup)
  await bench.measure()
  const broken = setUp({ fail: true }).session
  ;(session as { engine: unknown }).engine = broken.engine
  await bench.measure()
  expect(bench.trouble).toMatch(/no device/)
  expect(bench.runs).toHaveLength(1)
  expect(bench.running).toBe(false)
})

test('a handed-in copy is compared once', async () => {
  const { session, asked } = setUp()
  const held = new HandedInCopy(session, setup)
  await held.open()
  await held.open()
  expect(asked.map(([method]) => method)).toEqual(['compare-copy'])
  expect(held.comparison?.shape).toEqual([6, 28, 28, 1])
})

test('a run and a comparison in sentences', () => {
  const run = {
    number: 1,
    pictures: 'own',
    answers: 'exact',
    points: [{ queries: 3000, agreement: 0.776 }],
    honest: 0.974,
    weights,
    copy: { model: 'postcode-cnn', weights },
  } as const
  expect(runWords({ ...run, points: [...run.points] })).toBe(
    'After 3,000 rows the copy says what the victim says on 77.6 % of test digits; a model that nobody stole, on 97.4 % (garments, probabilities).',
  )
  const reads = (...top: number[]) => ({ top: Int32Array.from(top), sure: new Float32Array(2) })
  const after = { victim: reads(1, 5), copy: reads(4, 5) }
  expect(fooledWords({ labels: [1, 2], after } as never)).toBe(
    '2 of 2 changed pictures are misread by the copy, 1 by the victim, which was never asked about them.',
  )
})
