import { describe, expect, test } from 'vitest'
import type { CallOptions, LabSession } from '../../../src/app/lab-session.svelte.ts'
import {
  LossLandscape,
  landscapeSentence,
  readLandscapeSetup,
} from '../../../src/app/loss-landscape.svelte.ts'
import type { Landscape } from '../../../src/engine/methods/landscape.ts'

const landscape: Landscape = {
  at: Float32Array.of(-0.2, -0.1, 0, 0.1, 0.2),
  alongGradient: Float32Array.of(0.1, 0.2, 0.3, 2, 144.4),
  alongRandom: Float32Array.of(0.4, 0.3, 0.3, 0.3, 0.5),
  read: Int32Array.of(5, 3, 3, 3, 5),
  flat: 0,
  frames: { points: new Int32Array(), sent: new Float32Array(), given: new Float32Array() },
}

describe('the landscape in words', () => {
  test('tells the loss at the digit and at both ends, and where another digit is read', () => {
    expect(landscapeSentence(landscape, 3)).toBe(
      'Along the slope the loss goes from 0.30 at the digit to 144 at 0.20; along a random direction to 0.50. From 0.20 on it is no longer read as 3. The gradient is 0 at none of these points.',
    )
  })

  test('a digit that turns on the way down only is read as itself all the way up', () => {
    expect(landscapeSentence({ ...landscape, read: Int32Array.of(5, 3, 3, 3, 3) }, 3)).toContain(
      'It is read as 3 all the way.',
    )
  })

  test.each([
    [1, 'exactly 0 at every one of these points'],
    [0.4, 'exactly 0 at 40 % of these points'],
    [0.001, 'exactly 0 at 1 % of these points'],
  ])('a gradient that is 0 on a share of %d is told', (flat, words) => {
    expect(landscapeSentence({ ...landscape, flat }, 3)).toContain(words)
  })
})

test('the directive names products and what stands around each', () => {
  expect(
    readLandscapeSetup({
      products: 'The network | Both: bit-depth levels=4 + scaled-logits factor=100',
      epsilon: '0.3',
      images: '12.7',
    }),
  ).toEqual({
    model: 'digits-cnn',
    products: [
      { name: 'The network', stages: [] },
      {
        name: 'Both',
        stages: [
          { id: 'bit-depth', levels: 4 },
          { id: 'scaled-logits', factor: 100 },
        ],
      },
    ],
    epsilon: 0.3,
    images: 12,
  })
})

/** Three digits of one pixel, and an engine that answers at once, or when it is told to. */
function setUp({ held = false, broken = false } = {}) {
  const asked: { method: string; params: Record<string, unknown> }[] = []
  const answer: (() => void)[] = []
  const call = async (method: string, params: unknown, options: CallOptions = {}) => {
    asked.push({ method, params: params as Record<string, unknown> })
    if (broken) throw new Error('the engine is gone')
    options.onProgress?.(1, 4)
    if (held)
      await new Promise<void>((resolve, reject) => {
        answer.push(resolve)
        options.signal?.addEventListener('abort', () => reject(new Error('aborted')))
      })
    return method === 'landscape' ? landscape : { images: 2, clean: 2, honest: 2, knowing: 0, flags: [] }
  }
  const session = {
    seed: 1,
    checkpoints: [{ id: 'broken', artefact: 'adversarial-examples' }],
    task: async () => ({ dataset: 'mnist10k', split: 'test', ids: [4, 5, 6], labels: [3, 5, 7] }),
    work: (_: string, run: (means: object) => Promise<boolean>) =>
      run({ signal: new AbortController().signal, progress: () => undefined }),
    engine: { call },
    referee: {
      call: async () => ({
        pixels: Float32Array.of(0.25, 0.5, 0.75),
        shape: [3, 1, 1, 1],
        labels: [3, 5, 7],
      }),
    },
  } as unknown as LabSession
  const setup = readLandscapeSetup({ products: 'Bare | Rounded: bit-depth levels=4', images: '2' })
  return { view: new LossLandscape(session, setup), asked, answer }
}

const soon = () => new Promise((resolve) => setTimeout(resolve))

describe('the loss landscape', () => {
  test('draws the first digit of the bare network, which is looked at once', async () => {
    const { view, asked } = setUp()
    await view.open()
    const { model, pixels, label, looks } = asked[0]!.params
    expect({ model, pixels, label, looks }).toEqual({
      model: { model: 'digits-cnn', defence: [] },
      pixels: Float32Array.of(0.25),
      label: 3,
      looks: 1,
    })
    expect(view.drawn?.sample.label).toBe(3)
    expect([view.running, view.trouble]).toEqual([false, ''])
  })

  test('a product in front of the network is in the question, and looked at several times', async () => {
    const { view, asked } = setUp()
    await view.open()
    view.setProduct(1)
    await soon()
    const { model, looks } = asked.at(-1)!.params
    expect(model).toEqual({ model: 'digits-cnn', defence: [{ id: 'bit-depth', levels: 4 }] })
    expect(looks).toBeGreaterThan(1)
    expect(view.drawn?.product.name).toBe('Rounded')
  })

  test('another choice while it computes: the first gives way and never shows', async () => {
    const { view, answer } = setUp({ held: true })
    const opening = view.open()
    await soon()
    view.choose(2)
    await opening
    expect(view.slice).toBeUndefined()
    expect(view.running).toBe(true)
    answer.at(-1)!()
    await soon()
    expect(view.drawn?.sample.label).toBe(7)
    expect([view.running, view.trouble]).toEqual([false, ''])
  })

  test('an engine that fails is told in words, and nothing is drawn', async () => {
    const { view } = setUp({ broken: true })
    await view.open()
    expect(view.slice).toBeUndefined()
    expect(view.trouble).toContain('the engine is gone')
    expect(view.running).toBe(false)
  })

  test('an evaluation is of the product in hand, on as many digits as the directive says, and is kept by its name', async () => {
    const { view, asked } = setUp()
    await view.open()
    await view.evaluate()
    view.setProduct(1)
    await view.evaluate()
    const evaluated = asked.filter(({ method }) => method === 'evaluate-defence')
    expect(evaluated.map(({ params }) => [params.ids, params.defence])).toEqual([
      [[4, 5], []],
      [[4, 5], [{ id: 'bit-depth', levels: 4 }]],
    ])
    expect(Object.keys(view.figures)).toEqual(['Bare', 'Rounded'])
  })
})
