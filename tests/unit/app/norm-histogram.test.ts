import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CallOptions, LabSession } from '../../../src/app/lab-session.svelte.ts'
import {
  distanceWords,
  histogramOf,
  NormHistogram,
  readHistogramSetup,
  summarise,
} from '../../../src/app/norm-histogram.svelte.ts'
import { runs } from '../../helpers/runs.ts'

describe('summarise', () => {
  test('an attack that is stopped early looks better by the median of its successes, and not by that of all', () => {
    const whole = summarise('cw', 'C&W', '', [0.5, 0.9, 1.2, 1.4, 2])
    const early = summarise('cw', 'C&W', '', [0.5, 0.9, Infinity, Infinity, Infinity])
    expect(early.medianOfMisread).toBeLessThan(whole.medianOfMisread)
    expect(early.medianOfAll).toBe(Infinity)
    expect([whole.medianOfAll, whole.misread, early.misread]).toEqual([1.2, 5, 2])
  })

  test('nothing misread: there is no median of successes, and it says so', () => {
    const none = summarise('cw', 'C&W', '', [Infinity, Infinity])
    expect([none.misread, distanceWords(none.medianOfMisread), distanceWords(none.medianOfAll)]).toEqual([
      0,
      'none',
      'infinite',
    ])
  })
})

describe('histogramOf', () => {
  test('every image stands in one column, or in that of those without a distance', () => {
    const distance = fc.oneof(fc.double({ min: 0, max: 40, noNaN: true }), fc.constant(Infinity))
    fc.assert(
      fc.property(fc.array(fc.array(distance, { maxLength: 30 }), { minLength: 1, maxLength: 2 }), (all) => {
        const { counts, none, end, width, most } = histogramOf(all.map((distances) => ({ distances })))
        all.forEach((distances, i) => {
          expect(counts[i]!.reduce((a, b) => a + b, 0) + none[i]!).toBe(distances.length)
          for (const one of distances) if (one < Infinity) expect(one).toBeLessThanOrEqual(end + 1e-9)
        })
        expect(end).toBeCloseTo(12 * width)
        expect(most).toBeGreaterThanOrEqual(1)
      }),
      { numRuns: runs(100) },
    )
  })

  test('the columns have round widths', () => {
    expect(histogramOf([{ distances: [2.3] }]).width).toBe(0.2)
    expect(histogramOf([{ distances: [] }]).width).toBe(0.01)
  })
})

const attacks = [
  {
    id: 'carlini-wagner',
    title: 'Carlini–Wagner',
    defaults: { steps: 200, stepSize: 0.05 },
    parameters: [
      { kind: 'number', name: 'steps', label: 'Steps for each', min: 1, max: 1000, step: 1 },
      { kind: 'number', name: 'stepSize', label: 'Step size', min: 0.01, max: 1, step: 0.01 },
    ],
  },
  { id: 'deepfool', title: 'DeepFool', defaults: {}, parameters: [] },
]

/** A histogram on an engine that misreads the first two of three images. */
function setUp(props: Record<string, string> = {}) {
  const knobs: Record<string, unknown> = {}
  const asked: {
    model: unknown
    attack: string
    options: Record<string, unknown>
    images: { ids: number[] }
  }[] = []
  let hold: ((error: Error) => void) | undefined
  const engine = {
    async call(method: string, params: unknown, options: CallOptions = {}) {
      if (method === 'attacks') return attacks
      asked.push(params as (typeof asked)[number])
      options.onProgress?.(1, 2)
      if (props.hold) {
        await new Promise((_, reject) => {
          hold = reject
          options.signal?.addEventListener('abort', () => reject(new Error('aborted')))
        })
      }
      return {
        l2: Float32Array.of(1, 2, 3),
        readAfter: [5, 5, 7],
        labels: [1, 2, 7],
        shape: [3, 1, 1, 1],
        adversarial: Float32Array.of(0.1, 0.2, 0.3),
      }
    },
  }
  const session = {
    seed: 1,
    checkpoints: [{ id: 'nearest', artefact: 'adversarial-examples' }],
    engine,
    task: async () => ({ dataset: 'mnist10k', split: 'test', ids: [4, 5, 6, 7], labels: [1, 2, 7, 8] }),
    weightsOf: () => undefined,
    knob: (key: string, fallback: unknown) => knobs[key] ?? fallback,
    setKnob: (key: string, value: unknown) => void (knobs[key] = value),
  } as unknown as LabSession
  const setup = readHistogramSetup({
    attack: 'carlini-wagner',
    against: 'deepfool',
    knobs: 'steps',
    steps: '50',
    images: '3',
    ...props,
  })
  return {
    histogram: new NormHistogram(session, setup),
    session,
    asked,
    fail: (error: Error) => hold?.(error),
  }
}

describe('the norm histogram', () => {
  test('measures both attacks on the images of the checkpoint, and the second one only once', async () => {
    const { histogram, asked } = setUp()
    await histogram.open()
    await histogram.measure()
    await histogram.measure()
    expect(asked.map(({ attack }) => attack)).toEqual(['carlini-wagner', 'deepfool', 'carlini-wagner'])
    expect(asked[0]!.images.ids).toEqual([4, 5, 6])
    // Drawn from the same seed with the same knobs, the second measurement is the first.
    expect(histogram.measured).toHaveLength(1)
    expect(histogram.measured[0]!.looks!.map(({ truth, read }) => [truth, read])).toEqual([
      [1, 5],
      [2, 5],
      [7, 7],
    ])
    expect(histogram.shown.map(({ title, distances }) => [title, distances])).toEqual([
      ['Carlini–Wagner', [1, 2, Infinity]],
      ['DeepFool', [1, 2, Infinity]],
    ])
    expect(histogram.running).toBe(false)
  })

  test('a knob begins where the directive says, moves the next measurement, and is told with it', async () => {
    const { histogram, asked } = setUp()
    await histogram.open()
    expect(histogram.parameters.map(({ name }) => name)).toEqual(['steps'])
    await histogram.measure()
    histogram.set(histogram.parameters[0]!, 20)
    expect(asked[0]!.options).toEqual({ steps: 50, stepSize: 0.05 })
    expect(histogram.measured[0]!.settings).toBe('steps for each 50')
    await histogram.measure()
    expect(histogram.measured.map(({ settings }) => settings)).toEqual([
      'steps for each 20',
      'steps for each 50',
    ])
  })

  test('another variant has other images: what was measured on the old ones goes', async () => {
    const { histogram, session } = setUp()
    await histogram.open()
    await histogram.measure()
    session.seed = 2
    await histogram.measure()
    expect(histogram.measured).toHaveLength(1)
  })

  test('cancelled: it stops, and complains about nothing', async () => {
    const { histogram } = setUp({ hold: 'yes' })
    await histogram.open()
    const running = histogram.measure()
    expect(histogram.running).toBe(true)
    await new Promise((resolve) => setTimeout(resolve))
    histogram.cancel()
    await running
    expect([histogram.running, histogram.trouble, histogram.measured.length]).toEqual([false, '', 0])
  })

  test('measures once by itself; stopped, it does not begin again by itself', async () => {
    const { histogram, asked } = setUp({ hold: 'yes' })
    await histogram.open()
    const running = histogram.measureOnce()
    await new Promise((resolve) => setTimeout(resolve))
    histogram.cancel()
    await running
    await histogram.measureOnce()
    expect(asked).toHaveLength(1)
  })

  test('an attack that does not exist is told, with those that do', async () => {
    const { histogram } = setUp({ attack: 'deepfol' })
    await histogram.open()
    expect(histogram.trouble).toContain('no attack "deepfol"; it has carlini-wagner, deepfool')
  })

  test('scores=100 puts the scaled scores around the model, and nothing else does', async () => {
    const models = async (props: Record<string, string>) => {
      const { histogram, asked } = setUp(props)
      await histogram.open()
      await histogram.measure()
      return asked.map(({ model }) => model)
    }
    const scaled = { model: 'digits-cnn', defence: [{ id: 'scaled-logits', factor: 100 }] }
    expect(await models({ scores: '100' })).toEqual([scaled, scaled])
    expect(await models({})).toEqual([{ model: 'digits-cnn' }, { model: 'digits-cnn' }])
  })

  test('a model that is not repaired yet is waited for', () => {
    expect(setUp({ victim: 'farther' }).histogram.ready).toBe(false)
    expect(setUp().histogram.ready).toBe(true)
  })
})
