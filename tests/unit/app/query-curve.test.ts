import { expect, test } from 'vitest'
import { curveOf, readCurveSetup, runWords } from '../../../src/app/query-curve.svelte.ts'

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
