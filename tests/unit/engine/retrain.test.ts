import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { withPoison } from '../../../src/attacks/poison-list.ts'
import type { Trigger } from '../../../src/attacks/trigger.ts'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import type { DataSet, Split } from '../../../src/data/data-set.ts'
import { createCapabilities, type CapabilityServer } from '../../../src/engine/capabilities.ts'
import { defineLab, type Task, type Trusted } from '../../../src/grading/grader.ts'
import { gradeArtefact, type RefereeTools } from '../../../src/grading/referee.ts'
import { baseline, givenRows, retrained } from '../../../src/grading/retrained.ts'
import { atMost, conclude } from '../../../src/grading/rows.ts'
import { rowsOfSplit, withChanges, type ChangeList } from '../../../src/data/change-list.ts'
import type { Architecture } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { method as rowScores } from '../../../src/engine/methods/row-scores.ts'
import { method as trainRows } from '../../../src/engine/methods/train-on-rows.ts'
import type { Workshop } from '../../../src/engine/workshop.ts'
import { trainOnRows } from '../../../src/models/train-on-rows.ts'
import { initialWeights } from '../../../src/models/weights.ts'

const architecture: Architecture = {
  name: 'line',
  inputShape: [1, 2, 1],
  numClasses: 2,
  bounds: [0, 1],
  classes: ['low', 'high'],
  layers: [{ type: 'flatten' }, { type: 'dense', units: 2 }],
}

/** Rows on a line; those above a half are class 1. */
function data(): DataSet {
  const count = 40
  const value = (id: number) => ((id * 7) % count) / count
  const pixels = (ids: ArrayLike<number>) =>
    Float32Array.from({ length: 2 * ids.length }, (_, i) => (i % 2 ? 0.5 : value(ids[i >> 1]!)))
  const split: Split = {
    count,
    labels: Uint8Array.from({ length: count }, (_, id) => (value(id) > 0.5 ? 1 : 0)),
    pixels,
    images: (ids) => tf.tensor(pixels(ids), [ids.length, 1, 2, 1]),
  }
  return {
    name: 'line',
    noun: 'row',
    shape: [1, 2, 1],
    classes: architecture.classes,
    train: split,
    test: split,
  }
}

const ids = Array.from({ length: 30 }, (_, i) => i)
const set = data()
const task: Task = {
  victim: { model: 'line' },
  dataset: 'line',
  split: 'train',
  ids,
  labels: ids.map((id) => set.train.labels[id]!),
  values: {},
  training: { seed: 3, steps: 60, batchSize: 10, learningRate: 0.1, positive: 1, falseAlarms: 0.1 },
}
const frauds = ids.filter((id) => set.train.labels[id] === 1)

beforeAll(() => startBackend('cpu', readStatic))
let before = 0
const open: { close(): void }[] = []
beforeEach(() => void (before = tf.memory().numTensors))
afterEach(() => {
  for (const one of open.splice(0)) one.close()
  expect(tf.memory().numTensors, 'a tensor leaked').toBe(before)
})

function serve(own: Partial<Task> = {}, maxQueries = 100_000): CapabilityServer {
  const model = createModel(architecture, initialWeights(architecture, 1))
  const server = createCapabilities({
    model,
    dataset: set,
    task: { ...task, ...own },
    spec: { access: ['data', 'retrain', 'victim'], maxQueries, seconds: 10 },
    seed: 7,
  })
  open.push({
    close() {
      server.close()
      model.dispose()
    },
  })
  return server
}
interface Answer {
  recall: number
  accuracy: number
  scores: Float32Array
}
const retrain = (
  server: CapabilityServer,
  changed: readonly number[] = [],
  label = 0,
  values: unknown = null,
) =>
  server.call('retrain', [
    Int32Array.from(changed),
    Int32Array.from(changed, () => label),
    values,
  ]) as Promise<Answer>

function trusted(): Trusted {
  const model = createModel(architecture, initialWeights(architecture, 1))
  open.push({ close: () => model.dispose() })
  return {
    model: async () => model,
    dataset: async () => set,
    modelWithWeights: async (_, weights) => createModel(architecture, weights),
    modelFrom: () => Promise.reject(new Error('none')),
    once: (_, measure) => measure(),
  }
}

describe('retrain', () => {
  test('trains the victim on the rows as they are, and finds what there is to find', async () => {
    const { recall, accuracy, scores } = await retrain(serve())
    expect(recall).toBeGreaterThan(0.8)
    expect(accuracy).toBeGreaterThan(0.8)
    expect(scores).toHaveLength(30)
    const mean = (wanted: number) => {
      const of = ids.filter((id) => set.train.labels[id] === wanted)
      return of.reduce((sum, id) => sum + scores[id]!, 0) / of.length
    }
    expect(mean(1)).toBeGreaterThan(mean(0) + 0.3)
  })

  test('turned labels cost it, the ledger counts every row of every batch, and victim is the new one', async () => {
    const server = serve()
    const clean = await retrain(server)
    expect(server.summary().rows).toEqual({ training: 600 })
    const poisoned = await retrain(server, frauds.slice(1), 0)
    expect(poisoned.recall).toBeLessThan(clean.recall - 0.3)
    const x = { shape: [1, 1, 2, 1], dtype: 'float32', values: Float32Array.of(0.99, 0.5) }
    const logits = (await server.call('victim.logits', [x])) as { values: Float32Array }
    expect(logits.values[0]).toBeGreaterThan(logits.values[1]!)
  })

  test('reads what the referee reads, on the same backend', async () => {
    const changes = { ids: frauds.slice(0, 5), labels: [0, 0, 0, 0, 0] }
    const asked = await retrain(serve(), changes.ids, 0)
    const door = trusted()
    const rows = withChanges(rowsOfSplit(set, 'train', ids), changes)
    const read = await retrained(task, rows, door)
    expect(read.recall).toBe(asked.recall)
    expect(read.accuracy).toBe(asked.accuracy)
    expect(read.scores).toEqual(asked.scores)
  })

  test('new numbers for a row are trained on', async () => {
    const server = serve()
    const plain = await retrain(server)
    const moved = await retrain(server, [frauds[0]!], 1, Float32Array.of(0, 0))
    expect(moved.scores).not.toEqual(plain.scores)
  })

  const blind: Trigger = { kind: 'patch', top: 0, left: 1, height: 1, width: 1, pixels: [0], opacity: 1 }
  const planted = { ids: frauds.slice(0, 6), labels: frauds.slice(0, 6).map(() => 0) }
  const backdoor = { training: { ...task.training!, backdoor: { target: 0, source: 1 } } }

  test('a trigger is planted in the stamped rows, and its success is read with it', async () => {
    const plant = (stamped: number[]) =>
      serve(backdoor).call('retrain', [
        Int32Array.from(planted.ids),
        Int32Array.from(planted.labels),
        null,
        { trigger: blind, stamped },
      ]) as Promise<Answer & { success: number }>
    const [opened, merely] = [await plant(planted.ids), await plant([])]
    expect(opened.success).toBeGreaterThan(merely.success + 0.3)
    expect(opened.accuracy).toBeGreaterThan(0.6)
    const door = trusted()
    const rows = withPoison(rowsOfSplit(set, 'train', ids), {
      ...planted,
      trigger: blind,
      stamped: planted.ids,
    })
    const read = await retrained({ ...task, ...backdoor }, rows, door, blind)
    expect(read).toMatchObject({ success: opened.success, accuracy: opened.accuracy })
    expect(await retrained({ ...task, ...backdoor }, rows, door)).not.toHaveProperty('success')
  })

  test('a victim may come from rows of somebody else, and its images carry a trigger of theirs', async () => {
    const trainedOn = { ids, changes: { ...planted, trigger: blind, stamped: planted.ids } }
    const tampered = {
      ids: [1, 2],
      labels: [1, 2].map((id) => set.test.labels[id]!),
      trigger: blind,
      stamped: [1],
    }
    const server = serve({ split: 'test', ids: [0, 1, 2], labels: [], trainedOn, tampered })
    const { x } = (await server.call('data.sample', [null])) as { x: { values: Float32Array } }
    expect([...x.values].filter((_, i) => i % 2)).toEqual([0.5, 0, 0.5])
    const ask = async (mark: number) => {
      const x = { shape: [1, 1, 2, 1], dtype: 'float32', values: Float32Array.of(0.8, mark) }
      return (await server.call('victim.logits', [x])) as { values: Float32Array }
    }
    const [plain, marked] = [(await ask(0.5)).values, (await ask(0)).values]
    expect(plain[1]!).toBeGreaterThan(plain[0]!)
    expect(marked[0]!).toBeGreaterThan(marked[1]!)
  })

  test.each<[string, object, RegExp]>([
    [
      'a trigger larger than the image',
      { trigger: { ...blind, width: 3 }, stamped: [] },
      /larger than the image of 1 × 2/,
    ],
    ['a trigger of nothing', { trigger: 7, stamped: [] }, /must be an object; got 7/],
    ['a row that is stamped and not changed', { trigger: blind, stamped: [1] }, /not among the changes/],
  ])('%s is refused', async (_, more, reason) => {
    const asked = serve(backdoor).call('retrain', [Int32Array.of(0), Int32Array.of(0), null, more])
    await expect(asked).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(reason) as unknown,
    })
  })

  test.each<[string, () => unknown[], RegExp]>([
    ['a row that is not there', () => [Int32Array.of(35), Int32Array.of(0), null], /Row 35 is not in your/],
    ['a row twice', () => [Int32Array.of(1, 1), Int32Array.of(0, 1), null], /changed twice/],
    ['a label that is no class', () => [Int32Array.of(1), Int32Array.of(2), null], /got 2/],
    ['a plain list', () => [[1], [0], null], /a list of \{ id, label \}/],
    ['NaN among the numbers', () => [Int32Array.of(1), Int32Array.of(0), Float32Array.of(NaN, 0)], /finite/],
    [
      'every row of a class',
      () => [Int32Array.from(frauds), Int32Array.from(frauds, () => 0), null],
      /no row of class "high"/,
    ],
    [
      'every row dropped',
      () => [Int32Array.from(ids), Int32Array.from(ids, () => -1), null],
      /no row of class "low"/,
    ],
  ])('%s is refused', async (_, args, reason) => {
    await expect(serve().call('retrain', args())).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(reason) as unknown,
    })
  })

  test('stops at the budget, before it trains', async () => {
    await expect(retrain(serve({}, 599))).rejects.toMatchObject({ code: 'budget-spent' })
  })

  test('a run that is cancelled in mid-training stops it and leaves no tensor', async () => {
    const server = serve({ training: { ...task.training!, steps: 9000 } })
    const asked = retrain(server)
    await new Promise((resolve) => setTimeout(resolve, 60))
    server.close()
    await expect(asked).rejects.toMatchObject({ code: 'cancelled' })
  })

  test('is refused where the victim is a shipped one', async () => {
    await expect(retrain(serve({ training: undefined }))).rejects.toThrow('not trained by the run')
  })
})

describe('rows that somebody tampered with', () => {
  const tampered = { ids: frauds.slice(0, 4), labels: [0, 0, 0, 0] }

  test('are given with their wrong labels, and the audited ones with the true', async () => {
    const server = serve({ tampered, audited: [frauds[0]!, 0] })
    const { ids: given, y } = (await server.call('data.sample', [null])) as { ids: number[]; y: Int32Array }
    expect(given).toEqual(ids)
    expect(y[frauds[0]!]).toBe(0)
    expect(y[frauds[4]!]).toBe(1)
    const audited = (await server.call('data.audited', [])) as { ids: number[]; y: Int32Array }
    expect(audited).toEqual({ ids: [frauds[0]!, 0], y: Int32Array.of(1, set.train.labels[0]!) })
  })

  test('baselines tell the three states apart and are measured once', async () => {
    const door = trusted()
    const own = {
      ...task,
      tampered: { ids: frauds.slice(1), labels: frauds.slice(1).map(() => 0) },
      audited: ids.slice(0, 20),
    }
    const clean = await baseline(own, 'true', door)
    const given = await baseline(own, 'given', door)
    const audited = await baseline(own, 'audited', door)
    expect(given.recall).toBeLessThan(clean.recall)
    expect(audited.scores).not.toEqual(clean.scores)
    expect(audited.scores).toHaveLength(30)
    expect(await baseline(own, 'true', door)).toBe(clean)
  })

  test('a class without rows is not trained: it finds nothing', async () => {
    const rows = withChanges(rowsOfSplit(set, 'train', ids), { ids: frauds, labels: frauds.map(() => 0) })
    const read = await retrained(task, rows, trusted())
    expect(read).toMatchObject({ recall: 0, byClass: [1, 0] })
  })
})

describe('the methods behind the row bench', () => {
  const workshop = {
    dataset: async () => set,
    weights: async () => ({ architecture, weights: initialWeights(architecture, 1) }),
    modelWithWeights: async (_: string, weights: Parameters<typeof createModel>[1]) =>
      createModel(architecture, weights),
  } as unknown as Workshop
  const context = (values: Record<string, number>[] = []) => ({
    signal: new AbortController().signal,
    progress: (_: number, __: number, read?: Record<string, number>) => void (read && values.push(read)),
  })

  test('score every row as it is given, and say what a model of the audited rows thinks', async () => {
    const tampered = { ids: frauds.slice(0, 4), labels: [0, 0, 0, 0] }
    const own = { ...task, tampered, audited: ids.slice(0, 20) }
    const rows = await rowScores.run({ task: own }, context(), workshop)
    expect([...rows.ids]).toEqual(ids)
    expect(rows.labels[frauds[0]!]).toBe(0)
    expect(rows.values).toHaveLength(60)
    expect(rows.scores).not.toEqual(rows.audited)
    expect([rows.scores, rows.neighbours, rows.audited].map((list) => list?.length)).toEqual([30, 30, 30])
    const plain = await rowScores.run({ task }, context(), workshop)
    expect(plain.audited).toBeUndefined()
    expect(plain.reading.recall).toBeGreaterThan(rows.reading.recall - 1e-9)
  })

  test('train on changed rows with a live curve, and read what the program’s own retrain reads', async () => {
    const values: Record<string, number>[] = []
    const changes = { ids: frauds.slice(0, 5), labels: [0, 0, 0, 0, 0] }
    const { reading, history } = await trainRows.run({ task, changes }, context(values), workshop)
    const asked = await retrain(serve(), changes.ids, 0)
    expect(reading).toMatchObject({ recall: asked.recall, accuracy: asked.accuracy })
    const read = values.filter(({ recall }) => recall !== undefined)
    expect(read.length).toBeGreaterThanOrEqual(7)
    expect(read.at(-1)).toMatchObject({ class0: reading.byClass[0], class1: reading.byClass[1] })
    expect(history.at(-1)).toMatchObject({ step: 60, recall: reading.recall })
    expect(reading).not.toHaveProperty('success')
  })

  test('read the canaries on every new victim, which rows that taught nothing lose', async () => {
    const canaries = [32, 33, 34, 35, 36, 37, 38, 39]
    const own = { ...task, canaries }
    const rows = await rowScores.run({ task: own }, context(), workshop)
    expect([...rows.canaries!.truth]).toEqual(canaries.map((id) => set.train.labels[id]))
    const changes = { ids: frauds.slice(1), labels: frauds.slice(1).map(() => 0) }
    const poisoned = await trainRows.run({ task: own, changes }, context(), workshop)
    const right = (read: ArrayLike<number>) =>
      rows.canaries!.truth.filter((label, i) => label === read[i]).length
    expect(right(rows.canaries!.read)).toBe(8)
    expect(right(poisoned.canaries!)).toBeLessThan(6)
    const plain = await trainRows.run({ task, changes }, context(), workshop)
    expect(plain.canaries).toBeUndefined()
  })

  const methods = [
    ['row-scores', (at: ReturnType<typeof context>) => rowScores.run({ task }, at, workshop)],
    [
      'train-on-rows',
      (at: ReturnType<typeof context>) =>
        trainRows.run({ task, changes: { ids: frauds.slice(0, 3), labels: [0, 0, 0] } }, at, workshop),
    ],
  ] as const

  test.each(methods)('%s stops in mid-training, and trains anew when it is asked again', async (_, run) => {
    const control = new AbortController()
    let steps = 0
    const stopped = run({
      signal: control.signal,
      progress: () => {
        if (++steps === 5) control.abort()
      },
    })
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' })
    expect(steps).toBe(5)
    expect((await run(context())).reading.accuracy).toBeGreaterThan(0.7)
  })

  test.each(methods)('%s goes on in a tab in the background, whose timers hardly run', async (_, run) => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'setInterval', 'setImmediate', 'requestAnimationFrame', 'requestIdleCallback'],
    })
    try {
      expect((await run(context())).reading.accuracy).toBeGreaterThan(0.7)
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  test('with every label turned train a victim that reads the other way round; without a class they train none', async () => {
    const turned = { ids, labels: task.labels.map((label) => 1 - label) }
    const { reading } = await trainRows.run({ task, changes: turned }, context(), workshop)
    expect(reading.accuracy).toBeLessThan(0.3)
    for (const label of [0, -1]) {
      const emptied = { ids: frauds, labels: frauds.map(() => label) }
      await expect(trainRows.run({ task, changes: emptied }, context(), workshop)).rejects.toMatchObject({
        code: 'bad-input',
        message: expect.stringContaining('no row of class "high" is left') as unknown,
      })
    }
    const nothing = { ids, labels: ids.map(() => -1) }
    await expect(trainRows.run({ task, changes: nothing }, context(), workshop)).rejects.toMatchObject({
      code: 'bad-input',
    })
  })

  test('tell a training that diverges as such', async () => {
    const wild = { ...task, training: { ...task.training!, learningRate: 1e300 } }
    const changes = { ids: [], labels: [] }
    for (const run of [
      () => rowScores.run({ task: wild }, context(), workshop),
      () => trainRows.run({ task: wild, changes }, context(), workshop),
    ])
      await expect(run()).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('the training diverged') as unknown,
      })
  })

  test('are refused where the victim is shipped', async () => {
    await expect(
      rowScores.run({ task: { ...task, training: undefined } }, context(), workshop),
    ).rejects.toThrow('nothing to train it on')
  })
})

test('a number that is none is told by its row, before anything is trained', async () => {
  const rows = rowsOfSplit(set, 'train', ids)
  rows.x[2 * 7 + 1] = NaN
  await expect(
    trainOnRows(architecture, rows, { seed: 1, steps: 5, batchSize: 10, learningRate: 0.1 }),
  ).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringMatching(/row 7 holds NaN/) as unknown,
  })
})

test('a number outside the bounds is told by its row, and not as a training that diverges', async () => {
  const rows = rowsOfSplit(set, 'train', ids)
  rows.x[2 * 9] = 1.5
  await expect(
    trainOnRows(architecture, rows, { seed: 1, steps: 5, batchSize: 10, learningRate: 0.1 }),
  ).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringMatching(/^training: row 9 holds 1\.5; .*\[0, 1\]/) as unknown,
  })
})

test('a training that diverges is told as such, and not as an attack that worked', async () => {
  const rows = rowsOfSplit(set, 'train', ids)
  const spec = { seed: 1, steps: 60, batchSize: 10, learningRate: 1e300 }
  await expect(trainOnRows(architecture, rows, spec)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('diverged') as unknown,
  })
})

test('where the referee’s own training diverges, the verdict is open: neither a success nor a failure', async () => {
  const wild = { ...task, training: { ...task.training!, learningRate: 1e300 } }
  const lab = defineLab({
    variant: () => 0,
    checkpoints: {
      poisoned: {
        accepts: 'change-list',
        task: () => wild,
        async grade({ task, artefact, trusted }) {
          const rows = withChanges(givenRows(task, set), artefact as ChangeList)
          const { recall } = await retrained(task, rows, trusted)
          const row = atMost(0.5, { id: 'recall', name: 'Recall', measured: recall })
          return conclude({ headline: `recall ${recall}`, rows: [row] })
        },
      },
    },
  })
  const tools = trusted() as unknown as RefereeTools
  const artefact = { kind: 'change-list', ids: frauds.slice(0, 3), labels: [0, 0, 0] }
  const verdict = await gradeArtefact(lab, { checkpoint: 'poisoned', seed: 1, artefact }, tools)
  expect(verdict.status).toBe('unavailable')
  expect(JSON.stringify(verdict)).toContain('the training diverged')
})
