import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import { loadDataSet } from '../../../src/data/load.ts'
import type { DataSet } from '../../../src/data/data-set.ts'
import { createCapabilities } from '../../../src/engine/capabilities.ts'
import type { LogSpec } from '../../../src/grading/account-log.ts'
import type { Task } from '../../../src/grading/grader.ts'
import { loadModel } from '../../../src/models/load.ts'
import type { Model } from '../../../src/models/model.ts'

let model: Model
let data: DataSet
beforeAll(async () => {
  await startBackend('wasm', readStatic)
  model = await loadModel('digits-cnn', readStatic)
  data = await loadDataSet('mnist10k', readStatic)
})
let before = 0
beforeEach(() => void (before = tf.memory().numTensors))
afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))

const log: LogSpec = {
  accounts: [
    { kind: 'customer', seed: 1 },
    { kind: 'noise', seed: 2 },
    { kind: 'foreign', seed: 3 },
  ],
  rows: 20,
  foreign: 'fashion4k',
  known: [0],
  today: [2],
}
const task: Task = {
  victim: { model: 'digits-cnn' },
  dataset: 'mnist10k',
  split: 'test',
  ids: [2],
  labels: [0],
  values: {},
  log,
}

const serve = (own: Partial<Task> = {}, access = ['log']) =>
  createCapabilities({
    model,
    dataset: data,
    datasets: (name) => loadDataSet(name, readStatic),
    task: { ...task, ...own },
    spec: { access, maxQueries: 10, seconds: 10 },
    seed: 1,
  })

describe('the provider’s log', () => {
  test('tells which accounts are known and which are not, and nothing of who they are', async () => {
    const told = await serve().call('log.accounts', [])
    expect(told).toEqual({ honest: [0], today: [2] })
    expect(JSON.stringify(told)).not.toMatch(/foreign|customer|seed/)
  })

  test('gives an account’s entries, of its own data set, and spends no query', async () => {
    const server = serve()
    const entries = (await server.call('log.entries', [2])) as {
      answers: Int32Array
      confidences: Float32Array
      distances: Float32Array
    }
    expect(entries.answers).toHaveLength(20)
    expect(entries.confidences).toHaveLength(20)
    expect(entries.distances).toHaveLength(400)
    expect(Object.keys(entries)).toEqual(['answers', 'confidences', 'distances'])
    expect(server.figures().used).toBe(0)
    // A program's own copy: what it does to it is not in the next one's.
    entries.answers.fill(99)
    const again = (await server.call('log.entries', [2])) as { answers: Int32Array }
    expect(again.answers.includes(99)).toBe(false)
  })

  test('tells when an account asked', async () => {
    const times = (await serve().call('log.times', [0])) as Float64Array
    expect(times).toHaveLength(20)
    expect(times[0]).toBe(0)
  })

  test('refuses accounts that are not in it, whatever the task hides behind them', async () => {
    for (const account of [1, 3, -1, 0.5, '0', null])
      await expect(serve().call('log.entries', [account])).rejects.toMatchObject({ code: 'bad-input' })
    await expect(serve().call('log.times', [1])).rejects.toThrow('there is no account 1 in the log')
  })

  test('is not there without the grant, nor without a log', async () => {
    await expect(serve({}, ['data']).call('log.accounts', [])).rejects.toThrow('threat model')
    const { log: _, ...without } = task
    const server = createCapabilities({
      model,
      dataset: data,
      task: without,
      spec: { access: ['log'], maxQueries: 10, seconds: 10 },
      seed: 1,
    })
    await expect(server.call('log.accounts', [])).rejects.toThrow('keeps no log')
  })
})
