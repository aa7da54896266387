import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import { createRng } from '../../../src/core/rng.ts'
import * as tf from '../../../src/core/tf.ts'
import { createCapabilities, type CapabilityServer } from '../../../src/engine/capabilities.ts'
import type { WireTensor } from '../../../src/engine/capability-protocol.ts'
import type { Task } from '../../../src/grading/grader.ts'
import { architectureOf } from '../../../src/models/architectures.ts'
import type { Model, Weight } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { everything, tinyData, tinyTask } from './helpers.ts'

const name = 'tumour-logistic'
let victim: Model
let tensors = 0
const servers: CapabilityServer[] = []
beforeAll(async () => {
  await startBackend('cpu', readStatic)
  victim = createModel(architectureOf(name), initialWeights(architectureOf(name), 5))
})
afterAll(() => victim.dispose())
beforeEach(() => void (tensors = tf.memory().numTensors))
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
  expect(tf.memory().numTensors, 'a tensor leaked').toBe(tensors)
})

const task: Task = { ...tinyTask, victim: { model: name, seed: 5 }, copy: { model: name, seed: 9 } }
function serve(part: Partial<Task> = {}, more: { maxQueries?: number; copyWeights?: Weight[] } = {}) {
  const { maxQueries = 1000, ...rest } = more
  const server = createCapabilities({
    model: victim,
    dataset: tinyData(),
    task: { ...task, ...part },
    spec: { access: ['scores', 'decisions', 'surrogate', 'data'], maxQueries, seconds: 10 },
    seed: 7,
    ...rest,
  })
  servers.push(server)
  return server
}
const points = (rows: number, seed = 1): WireTensor => {
  const rng = createRng(seed, 'points')
  const values = Float32Array.from({ length: 30 * rows }, () => rng.normal())
  return { shape: [rows, 30], dtype: 'float32', values }
}
const tops = ({ values }: WireTensor) =>
  Array.from({ length: values.length / 2 }, (_, i) => Number(values[2 * i + 1]! > values[2 * i]!))
const read = async (server: CapabilityServer, x: WireTensor) =>
  tops((await server.call('surrogate.logits', [x])) as WireTensor)

test('a network learns from answers what the victim says; asking it costs no query', async () => {
  const server = serve()
  const [x, probes] = [points(200), points(300, 2)]
  const answers = (await server.call('oracle.scores', [x, null])) as WireTensor
  const before = await read(server, probes)
  const first = await server.call('surrogate.learn', [x, answers, 0.05])
  let last = first
  for (let step = 0; step < 60; step++) last = await server.call('surrogate.learn', [x, answers, 0.05])
  expect(last).toBeLessThan(first as number)
  const truth = tops((await serve().call('oracle.scores', [probes, null])) as WireTensor)
  const same = (reads: number[]) => reads.filter((read, i) => read === truth[i]).length / truth.length
  expect(same(await read(server, probes))).toBeGreaterThan(Math.max(0.9, same(before) + 0.1))
  await server.call('surrogate.lossAndGradient', [probes, new Int32Array(300), null])
  expect(server.summary()).toMatchObject({
    rows: { scores: 200 },
    learned: { rows: 61 * 200, unanswered: 0 },
  })
})

test('it begins as its seed says or as handed over, is never the victim, and can start anew', async () => {
  const server = serve()
  const own = initialWeights(architectureOf(name), 9)
  const x = points(4)
  const answers = (await server.call('oracle.scores', [x, null])) as WireTensor
  expect(await server.trained()).toBeUndefined()
  await server.call('surrogate.learn', [x, answers, 0.5])
  expect((await server.trained())!.weights[0]!.values).not.toEqual(own[0]!.values)
  await server.call('surrogate.restart', [])
  expect((await server.trained())!.weights).toEqual(own)
  const given = initialWeights(architectureOf(name), 11)
  const other = serve({}, { copyWeights: given })
  await other.call('surrogate.learn', [x, answers, 1e-9])
  expect((await other.trained())!.weights[0]!.values[3]).toBeCloseTo(given[0]!.values[3]!, 6)
})

test('rows that nobody answered are counted: of a refused batch, and made up ones', async () => {
  const server = serve({}, { maxQueries: 3 })
  const [asked, refused] = [points(2), points(2, 3)]
  const answers = (await server.call('oracle.scores', [asked, null])) as WireTensor
  await expect(server.call('oracle.scores', [refused, null])).rejects.toMatchObject({ code: 'budget-spent' })
  await server.call('surrogate.learn', [asked, answers, null])
  await server.call('surrogate.learn', [refused, answers, null])
  expect(server.summary().learned).toEqual({ rows: 4, unanswered: 2 })
  const nearly = { ...asked, values: asked.values.map((value, i) => (i === 59 ? value + 1e-6 : value)) }
  await server.call('surrogate.learn', [nearly, answers, null])
  expect(server.summary().learned).toEqual({ rows: 6, unanswered: 3 })
})

test('answers that are no probabilities, other shapes and a task that lends nothing are refused in words', async () => {
  const server = serve()
  const x = points(2)
  const answers = (values: number[], shape = [2, 2]): WireTensor => ({
    shape,
    dtype: 'float32',
    values: Float32Array.from(values),
  })
  await expect(server.call('surrogate.learn', [x, answers([0.5, 0.5, 2, -1]), null])).rejects.toThrow(
    /probabilities from 0 to 1; row 1 holds 2\./,
  )
  await expect(server.call('surrogate.learn', [x, answers([1, 0], [1, 2]), null])).rejects.toThrow(/shape/)
  await expect(server.call('surrogate.learn', [x, answers([1, 0, 1, 0]), 5])).rejects.toThrow(
    /surrogate.learn: rate must be/,
  )
  const { copy: _, ...bare } = task
  const none = createCapabilities({
    model: victim,
    dataset: tinyData(),
    task: bare,
    spec: { ...everything, access: ['surrogate'] },
    seed: 7,
  })
  servers.push(none)
  await expect(none.call('surrogate.logits', [x])).rejects.toThrow(/lends no network/)
})

test('without labels: images come, what they show does not', async () => {
  const plain = createCapabilities({
    model: victim,
    dataset: tinyData(),
    task: { ...tinyTask, unlabelled: true },
    spec: everything,
    seed: 7,
  })
  servers.push(plain)
  const { ids, y } = (await plain.call('data.sample', [null])) as { ids: number[]; y: Int32Array }
  expect([ids.length, y.length]).toEqual([3, 0])
})
