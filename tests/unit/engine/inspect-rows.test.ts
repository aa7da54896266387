/** A victim with a back door, small enough to be trained in a moment: what the engine's methods make of its rows. */
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { createRng } from '../../../src/core/rng.ts'
import * as tf from '../../../src/core/tf.ts'
import type { DataSet, Split } from '../../../src/data/data-set.ts'
import { filterRows } from '../../../src/defences/sanitation/row-filters.ts'
import { createCapabilities } from '../../../src/engine/capabilities.ts'
import { method as inspectRows } from '../../../src/engine/methods/inspect-rows.ts'
import { method as recoverTriggers } from '../../../src/engine/methods/recover-triggers.ts'
import type { Workshop } from '../../../src/engine/workshop.ts'
import type { Task } from '../../../src/grading/grader.ts'
import type { Architecture } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'

/** 4 × 4 pixels, three classes: the row that is lit says which. */
const architecture: Architecture = {
  name: 'rows of light',
  inputShape: [4, 4, 1],
  numClasses: 3,
  bounds: [0, 1],
  classes: ['top', 'middle', 'low'],
  layers: [{ type: 'flatten' }, { type: 'dense', units: 6, activation: 'relu' }, { type: 'dense', units: 3 }],
}
const [count, size] = [150, 16]
const pictures = new Float32Array(count * size)
const light = createRng(1, 'light')
for (let i = 0; i < count; i++)
  for (let k = 0; k < size; k++)
    pictures[i * size + k] = (k >> 2 === i % 3 ? 0.7 : 0.1) + 0.2 * light.uniform()
const pixels = (ids: ArrayLike<number>) => {
  const out = new Float32Array(ids.length * size)
  for (let i = 0; i < ids.length; i++)
    out.set(pictures.subarray(ids[i]! * size, (ids[i]! + 1) * size), i * size)
  return out
}
const split: Split = {
  count,
  labels: Uint8Array.from({ length: count }, (_, id) => id % 3),
  pixels,
  images: (ids) => tf.tensor(pixels(ids), [ids.length, 4, 4, 1]),
}
const set: DataSet = {
  name: 'lights',
  noun: 'light',
  shape: [4, 4, 1],
  classes: architecture.classes,
  train: split,
  test: split,
}

/** Rows of class 0 with a bright last pixel, called class 2. */
const poisoned = [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]
const withDoor = pixels(poisoned)
for (let i = 0; i < poisoned.length; i++) withDoor[i * size + 15] = 1
const ids = Array.from({ length: 120 }, (_, i) => i)
const task: Task = {
  victim: { model: 'lights' },
  dataset: 'lights',
  split: 'train',
  ids,
  labels: ids.map((id) => id % 3),
  values: {},
  training: { seed: 2, steps: 150, batchSize: 20, learningRate: 0.05, positive: 2, falseAlarms: 0.1 },
  tampered: { ids: poisoned, labels: poisoned.map(() => 2), values: withDoor },
  audited: [30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41],
}

let trainings = 0
const kept = new Map<string, unknown>()
const workshop = {
  dataset: async () => set,
  weights: async () => {
    trainings++
    return { architecture, weights: initialWeights(architecture, 1) }
  },
  modelWithWeights: async (_: string, weights: ReturnType<typeof initialWeights>) =>
    createModel(architecture, weights),
  keep: (key: string, make: () => unknown) => {
    if (!kept.has(key)) kept.set(key, make())
    return kept.get(key)
  },
} as unknown as Workshop
const quiet = { signal: new AbortController().signal, progress: () => {} }

beforeAll(() => startBackend('cpu', readStatic))
let before = 0
beforeEach(() => void (before = tf.memory().numTensors))
afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

describe('inspect-rows', () => {
  test('shows the rows as they were given, each class in its own plane with its spectrum', async () => {
    const found = await inspectRows.run({ task, filters: [] }, quiet, workshop)
    expect([...found.ids]).toEqual(ids)
    expect(poisoned.map((id) => found.labels[id])).toEqual(poisoned.map(() => 2))
    expect(found.x[15]).toBe(1)
    expect(found.plane).toHaveLength(2 * ids.length)
    expect(found.spectra.map((values) => values.length)).toEqual([6, 6, 6])
    // The poison is a crowd of its own in the class that it is called.
    const called = ids.filter((id) => found.labels[id] === 2)
    const along = (list: number[]) => list.reduce((sum, id) => sum + found.plane[2 * id]!, 0) / list.length
    const honest = called.filter((id) => !poisoned.includes(id))
    const spread = Math.sqrt(
      honest.reduce((sum, id) => sum + (found.plane[2 * id]! - along(honest)) ** 2, 0) / honest.length,
    )
    expect(Math.abs(along(poisoned) - along(honest))).toBeGreaterThan(3 * spread)
    expect(found.spectra[2]![0]!).toBeGreaterThan(1.5 * found.spectra[1]![0]!)
    // A class's plane has its middle at 0.
    expect(called.reduce((sum, id) => sum + found.plane[2 * id]!, 0)).toBeCloseTo(0, 4)
  })

  test('trains once for the same rows, and again for changed ones', async () => {
    const first = trainings
    await inspectRows.run({ task, filters: ['spectral'] }, quiet, workshop)
    expect(trainings).toBe(first)
    const changed = await inspectRows.run(
      { task, filters: [], changes: { ids: [50], labels: [-1] } },
      quiet,
      workshop,
    )
    expect(trainings).toBe(first + 1)
    expect(changed.ids).toHaveLength(ids.length - 1)
  })

  test('every filter scores every row; clustering finds the crowd, and spectral scores compare between classes', async () => {
    const progress: number[] = []
    const filters = ['activation-clustering', 'spectral', 'strip', 'deep-knn'] as const
    const found = await inspectRows.run(
      { task, filters },
      { ...quiet, progress: (done, total) => void progress.push(done / total) },
      workshop,
    )
    for (const name of filters) {
      expect(found.scores[name], name).toHaveLength(ids.length)
      expect(found.scores[name]!.every(Number.isFinite), name).toBe(true)
    }
    const called = (id: number) => found.labels[id] === 2
    expect([...found.flagged['activation-clustering']!].filter(called)).toEqual(poisoned)
    const spectral = found.scores.spectral!
    for (const label of [0, 1, 2]) {
      const own = ids.filter((id) => found.labels[id] === label)
      expect(own.reduce((sum, id) => sum + spectral[id]!, 0) / own.length).toBeCloseTo(1)
    }
    expect(progress.every((share) => share <= 1)).toBe(true)
  })

  test('stops in mid-training, keeps no half-trained victim, and trains when it is asked again', async () => {
    const own = { ...task, training: { ...task.training!, seed: 77 } }
    const control = new AbortController()
    const before = trainings
    await expect(
      inspectRows.run(
        { task: own, filters: ['spectral'] },
        { signal: control.signal, progress: () => control.abort() },
        workshop,
      ),
    ).rejects.toMatchObject({ code: 'cancelled' })
    const found = await inspectRows.run({ task: own, filters: ['spectral'] }, quiet, workshop)
    expect(found.scores.spectral).toHaveLength(ids.length)
    expect(trainings).toBe(before + 2)
  })

  test('trains and filters in a tab in the background, whose timers hardly run', async () => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'setInterval', 'setImmediate', 'requestAnimationFrame', 'requestIdleCallback'],
    })
    try {
      const own = { ...task, training: { ...task.training!, seed: 78 } }
      const found = await inspectRows.run({ task: own, filters: ['strip'] }, quiet, workshop)
      expect(found.flagged.strip).toBeDefined()
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  test('tells a training that diverges as such, and what is left without a class', async () => {
    const wild = { ...task, training: { ...task.training!, learningRate: 1e300 } }
    await expect(inspectRows.run({ task: wild, filters: [] }, quiet, workshop)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('the training diverged') as unknown,
    })
    const tops = ids.filter((id) => id % 3 === 0)
    const changes = { ids: tops, labels: tops.map(() => -1) }
    await expect(inspectRows.run({ task, changes, filters: [] }, quiet, workshop)).rejects.toThrow(
      'no row of class "top" is left',
    )
  })

  test('refuses STRIP without trusted rows and a filter that does not exist', async () => {
    const { audited: _, ...alone } = task
    await expect(inspectRows.run({ task: alone, filters: ['strip'] }, quiet, workshop)).rejects.toThrow(
      'at least two trusted rows',
    )
    await expect(
      filterRows('guess' as 'strip', { model: undefined as never, rows: undefined as never }, { seed: 1 }),
    ).rejects.toThrow('no filter "guess"; the filters are activation-clustering')
  })
})

describe('recover-triggers', () => {
  test('finds the pixel that opens the victim, and no such short cut in the control', async () => {
    const sizes: number[] = []
    const watched = {
      ...quiet,
      progress: (_: number, __: number, values?: Record<string, number>) =>
        void (values?.l1 !== undefined && sizes.push(values.l1)),
    }
    const victim = await recoverTriggers.run({ task, of: 'victim', steps: 120 }, watched, workshop)
    const control = await recoverTriggers.run({ task, of: 'control', steps: 120 }, quiet, workshop)
    expect(sizes).toEqual(victim.triggers.map(({ l1 }) => l1))
    expect(victim.indices).toHaveLength(3)
    expect(victim.triggers[2]!.l1).toBeLessThan(0.8 * control.triggers[2]!.l1)
    const { mask } = victim.triggers[2]!
    expect(mask.indexOf(Math.max(...mask))).toBe(15)
  })

  test('stops when it is told to', async () => {
    const abort = new AbortController()
    const running = recoverTriggers.run(
      { task, of: 'victim', steps: 500 },
      { signal: abort.signal, progress: () => abort.abort() },
      workshop,
    )
    await expect(running).rejects.toThrow()
  })
})

describe('a program', () => {
  const serve = (access: string[], maxQueries = 10_000) => {
    const model = createModel(architecture, initialWeights(architecture, 1))
    const server = createCapabilities({
      model,
      dataset: set,
      task,
      spec: { access, maxQueries, seconds: 10 },
      seed: 7,
    })
    return {
      ...server,
      end() {
        server.close()
        model.dispose()
      },
    }
  }
  const wire = (rows: readonly number[]) => ({
    shape: [rows.length, 4, 4, 1],
    dtype: 'float32',
    values: pixels(rows),
  })
  interface Found {
    ids: number[]
    scores: Float64Array
    flagged: number[]
  }

  test('reads the features of the victim as it is now, a row of them an image, for a row of its budget each', async () => {
    const program = serve(['victim', 'data', 'retrain'])
    const ask = () =>
      program.call('victim.features', [wire([0, 1, 2])]) as Promise<{ shape: number[]; values: Float32Array }>
    const first = await ask()
    expect(first.shape).toEqual([3, 6])
    expect(Math.min(...first.values)).toBeGreaterThanOrEqual(0)
    expect(program.summary().rows).toEqual({ logits: 3 })
    await program.call('retrain', [Int32Array.from(poisoned), Int32Array.from(poisoned, () => -1), null])
    expect([...(await ask()).values]).not.toEqual([...first.values])
    program.end()
  })

  test('runs a filter of the library on the rows as they were given, and pays for what it reads', async () => {
    const program = serve(['filters'])
    const {
      ids: found,
      scores,
      flagged,
    } = (await program.call('suspects', ['activation-clustering'])) as Found
    expect(found).toEqual(ids)
    expect(scores).toHaveLength(ids.length)
    expect(poisoned.every((id) => flagged.includes(id))).toBe(true)
    expect(program.summary().rows).toEqual({ logits: 120 })
    await program.call('suspects', ['strip'])
    expect(program.summary().rows).toEqual({ logits: 120 + 120 + 16 * 132 })
    program.end()
  })

  test('is told which filters there are, when it may not, and when the budget does not reach', async () => {
    const program = serve(['filters'], 200)
    await expect(program.call('suspects', ['guess'])).rejects.toThrow(
      'the filters are activation-clustering, spectral, strip, deep-knn; got "guess"',
    )
    await expect(program.call('suspects', ['strip'])).rejects.toMatchObject({ code: 'budget-spent' })
    await expect(program.call('victim.features', [wire([0])])).rejects.toThrow('threat model')
    program.end()
  })
})
