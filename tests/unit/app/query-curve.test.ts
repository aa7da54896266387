import { expect, test } from 'vitest'
import type { LabSession } from '../../../src/app/lab-session.svelte.ts'
import { curveOf, QueryCurve, readCurveSetup, runWords } from '../../../src/app/query-curve.svelte.ts'

const step = (queries: number, values: Record<string, number>) => ({
  step: 0,
  values: { queries, ...values },
})

test('a directive names attack, images and knobs; the rest are options', () => {
  const props = {
    kind: 'query-curve',
    attack: 'square',
    images: '4',
    knobs: 'epsilon, norm',
    maxQueries: '300',
  }
  expect(readCurveSetup(props)).toEqual({
    attack: 'square',
    model: 'digits-cnn',
    images: 4,
    knobs: ['epsilon', 'norm'],
    start: { maxQueries: 300 },
  })
  expect(readCurveSetup({}).knobs).toBeUndefined()
})

test('an attack that looks for a small change is drawn by its distance, from the first one on', () => {
  const trace = [
    step(1, { found: 0 }),
    step(5, { found: 1, distance: 3 }),
    step(9, { found: 1, distance: 2 }),
  ]
  expect(curveOf(trace)).toEqual({
    figure: 'distance',
    points: [
      [5, 3],
      [9, 2],
    ],
  })
})

test('one with a budget by the share that is misread, and the later of two notes counts', () => {
  const trace = [
    step(0, { found: 0 }),
    step(1, { found: 0.25 }),
    step(4, { found: 0.5 }),
    step(4, { found: 1 }),
  ]
  expect(curveOf(trace)).toEqual({
    figure: 'found',
    points: [
      [1, 25],
      [4, 100],
    ],
  })
})

test('a run in a sentence says what was reached, how near, and for how many questions', () => {
  const run = { number: 1, settings: '', images: 8, misread: 7, queries: 64.4 }
  expect(runWords({ ...run, figure: 'found', points: [] }, 'face')).toBe(
    '7 of 8 faces misread, after 64 queries a face.',
  )
  expect(runWords({ ...run, figure: 'distance', points: [[64, 1.234]], queries: 3.25 }, 'image')).toBe(
    '7 of 8 images misread, at a median distance of 1.23, after 3.3 queries an image.',
  )
})

/** A lab of two pictures of 1 × 1 pixel; the attack makes the first another class. */
function setUp() {
  const asked: { method: string; params: Record<string, unknown> }[] = []
  const images = {
    pixels: Float32Array.of(0.25, 0.5),
    shape: [2, 1, 1, 1],
    labels: [0, 1],
    classes: ['Alma', 'Bela'],
    noun: 'face',
  }
  const answers: Record<string, unknown> = {
    attacks: [{ id: 'square', title: 'Square', parameters: [], defaults: {} }],
    images,
    'attack-images': {
      trace: [step(3, { found: 0.5 })],
      readAfter: [1, 1],
      labels: [0, 1],
      shape: [2, 1, 1, 1],
      pixels: images.pixels,
      adversarial: Float32Array.of(1, 0.5),
    },
  }
  const caller = {
    call: async (method: string, params: Record<string, unknown>) => {
      asked.push({ method, params })
      return answers[method]
    },
  }
  const defence = [{ id: 'bit-depth', levels: 4 }]
  const session = {
    seed: 1,
    checkpoints: [{ id: 'dodged', artefact: 'adversarial-examples' }],
    knob: (_: string, usual: unknown) => usual,
    task: async () => ({
      dataset: 'd',
      split: 'test',
      ids: [4, 7],
      labels: [0, 1],
      victim: { model: 'm', defence },
      values: {},
    }),
    engine: caller,
    referee: caller,
  } as unknown as LabSession
  return { asked, defence, bench: new QueryCurve(session, readCurveSetup({ attack: 'square', model: 'm' })) }
}

test('the pictures are there before the first run', async () => {
  const { bench } = setUp()
  await bench.open()
  expect(bench.originals.map(({ truth, pixels }) => [truth, ...pixels])).toEqual([
    [0, 0.25],
    [1, 0.5],
  ])
  expect(bench.naming.noun).toBe('face')
  expect(bench.changed).toEqual([])
})

test('the same knobs again are the same run, and the defended victim of the task is asked', async () => {
  const { bench, asked, defence } = setUp()
  await bench.open()
  await bench.measure()
  await bench.measure()
  expect(bench.trouble).toBe('')
  expect(bench.runs.map(({ number, misread }) => [number, misread])).toEqual([[2, 1]])
  const attacks = asked.filter(({ method }) => method === 'attack-images')
  expect(attacks.map(({ params }) => params.model)).toEqual([
    { model: 'm', defence },
    { model: 'm', defence },
  ])
})
