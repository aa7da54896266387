import { describe, expect, test } from 'vitest'
import { newRecord } from '../../../src/app/lab-records.ts'
import type { CallOptions, LabSession } from '../../../src/app/lab-session.svelte.ts'
import { RunQueue } from '../../../src/app/run-queue.svelte.ts'
import { readTrainingSetup, TrainingBench } from '../../../src/app/training-bench.svelte.ts'
import type { Training } from '../../../src/engine/methods/train-defence.ts'

const made: Training = { weights: [{ name: 'w', shape: [1], values: new Float32Array([1]) }], history: [] }

/** A bench on an engine whose trainings last until `tell` has told enough batches, or they are finished. */
function setUp() {
  const queue = new RunQueue()
  const asked: string[] = []
  let end: ((training: Training) => void) | undefined
  let tell: CallOptions['onProgress']
  const call = async (method: string, _: unknown, options: CallOptions = {}) => {
    asked.push(method)
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
    knob: (_: string, fallback: number) => fallback,
    work: (label: string, body: Parameters<RunQueue['run']>[1]) => queue.run(label, body),
  } as unknown as LabSession
  const bench = new TrainingBench(session, readTrainingSetup({}))
  return {
    bench,
    queue,
    asked,
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
      attacked: [
        [0, expect.closeTo(10)],
        [30, 50],
      ],
    })
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
})
