import { describe, expect, test } from 'vitest'
import { newRecord } from '../../../src/app/lab-records.ts'
import type { CallOptions, LabSession } from '../../../src/app/lab-session.svelte.ts'
import { RunQueue } from '../../../src/app/run-queue.svelte.ts'
import { readTrainingSetup, TrainingBench } from '../../../src/app/training-bench.svelte.ts'
import type { RecipeInfo } from '../../../src/defences/training/registry.ts'
import type { Training } from '../../../src/engine/methods/train-defence.ts'

const made: Training = { weights: [{ name: 'w', shape: [1], values: new Float32Array([1]) }], history: [] }

const recipe = (id: string, knobs: Record<string, number>): RecipeInfo => ({
  id,
  title: id,
  summary: '',
  paper: { cite: '', url: '' },
  defaults: { epsilon: 0.2, ramp: 0, ...knobs },
  parameters: ['epsilon', 'ramp', ...Object.keys(knobs)].map((name) => ({
    kind: 'number',
    name,
    label: name,
    help: '',
    min: 0,
    max: 9,
    step: 0.1,
    unit: '',
    scale: 'linear',
  })),
})
const known = [recipe('fgsm-training', { share: 0.5 }), recipe('pgd-training', { steps: 3 })]

/** A bench on an engine whose trainings last until `tell` has told enough batches, or they are finished. */
function setUp(props: Record<string, string> = {}) {
  const turned: Record<string, unknown> = {}
  const params: Record<string, unknown>[] = []
  const queue = new RunQueue()
  const asked: string[] = []
  let end: ((training: Training) => void) | undefined
  let tell: CallOptions['onProgress']
  const call = async (method: string, given: unknown, options: CallOptions = {}) => {
    if (method === 'train-defence') params.push(given as Record<string, unknown>)
    if (method !== 'recipes' && method !== 'images') asked.push(method)
    if (method === 'recipes') return known
    if (method === 'images') return { noun: 'digit', classes: ['0', '1'] }
    if (method === 'sweep') return { points: [{ share: 0.02 }, { share: 0.9 }] }
    if (method === 'finish-training') {
      tell?.(30, 100, { loss: 0.4, cleanAccuracy: 0.97, fgsmAccuracy: 0.5 })
      return void end?.(made)
    }
    tell = options.onProgress
    return new Promise((resolve) => (end = resolve))
  }
  const session = {
    queue,
    seed: 7,
    checkpoints: [],
    record: newRecord('lab', '1.0.0', 'defend', 7),
    engine: { call },
    knob: (name: string, fallback: unknown) => turned[name] ?? fallback,
    setKnob: (name: string, value: unknown) => void (turned[name] = value),
    work: (label: string, body: Parameters<RunQueue['run']>[1]) => queue.run(label, body),
  } as unknown as LabSession
  const bench = new TrainingBench(session, readTrainingSetup(props))
  return {
    bench,
    queue,
    asked,
    params,
    tell: (done: number, loss: number) => tell?.(done, 100, { loss }),
    end: () => end?.(made),
  }
}

const soon = () => new Promise((resolve) => setTimeout(resolve))

describe('the training bench', () => {
  test('a training that is cancelled keeps its weights and its last reading, ready to hand in', async () => {
    const { bench, queue, asked, tell } = setUp()
    const training = bench.train()
    await soon()
    tell(20, 0.9)
    queue.cancel()
    await training
    expect(asked).toEqual(['sweep', 'train-defence', 'finish-training'])
    expect(bench.run).toMatchObject({
      state: 'stopped',
      weights: made.weights,
    })
    expect(bench.curve('fgsmAccuracy')).toEqual([
      [0, expect.closeTo(10)],
      [30, 50],
    ])
    expect(bench.fresh).toBe(true)
    expect(queue.phase).toBe('cancelled')
  })

  test('shows that it works from the press on, also while the unrepaired model is measured', async () => {
    const { bench, queue, end } = setUp()
    const training = bench.train()
    expect(queue.running).toBe(true)
    await soon()
    end()
    await training
    expect(queue.running).toBe(false)
  })

  test('a whole training is done, and its pace foretells the next one', async () => {
    const { bench, tell, end } = setUp()
    expect(bench.estimate).toBeUndefined()
    const training = bench.train()
    await soon()
    tell(100, 0.2)
    end()
    await training
    expect(bench.run?.state).toBe('done')
    expect(bench.estimate?.batches).toBe(100)
    expect(bench.estimate?.seconds).toBeCloseTo(bench.run!.seconds)
  })

  test('offers recipes, draws their knobs and trains as they stand', async () => {
    const setup = { recipes: 'pgd-training fgsm-training', knobs: 'epsilon steps', epochs: '1', batch: '16' }
    const { bench, params, end } = setUp({ ...setup, rate: '0.01', pgd: '10', epsilon: '0.1' })
    await bench.learn()
    expect(bench.recipes.map(({ id }) => id)).toEqual(['pgd-training', 'fgsm-training'])
    expect(bench.parameters.map(({ name }) => name)).toEqual(['epsilon', 'steps', 'epochs'])
    bench.set('steps', 5)
    expect(bench.noun).toBe('digit')
    const training = bench.train()
    await soon()
    end()
    await training
    expect(params[0]).toMatchObject({
      recipe: 'pgd-training',
      options: { epsilon: 0.1, ramp: 0, steps: 5 },
      epochs: 1,
      batchSize: 16,
      learningRate: 0.01,
      pgdSteps: 10,
      fromScratch: false,
    })
  })

  test('a recipe that does not exist is told on the bench', async () => {
    const { bench } = setUp({ recipes: 'pgd-training free' })
    await bench.learn()
    expect(bench.trouble).toMatch(/no training recipe "free"; the recipes are fgsm-training, pgd-training/)
  })

  test('a training that ends in a collapse says which', async () => {
    const { bench, tell, end } = setUp()
    const training = bench.train()
    await soon()
    for (const done of [10, 20, 30, 40]) tell(done, Math.log(2))
    expect(bench.collapse).toBeUndefined()
    end()
    await training
    expect(bench.collapse?.kind).toBe('stuck')
  })
})
