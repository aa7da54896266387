import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readStatic, repository } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import { loadDataSet } from '../../../src/data/load.ts'
import { defended } from '../../../src/defences/defended.ts'
import { evaluateDefence } from '../../../src/defences/evaluate.ts'
import type { StageSpec } from '../../../src/defences/stage.ts'
import { correctlyRead } from '../../../src/grading/sampling.ts'
import { loadModel } from '../../../src/models/load.ts'
import type { Model } from '../../../src/models/model.ts'

const vendor: StageSpec[] = [
  { id: 'bit-depth', levels: 4 },
  { id: 'resize-pad', smallest: 24, largest: 28 },
  { id: 'scaled-logits', factor: 100 },
]
let model: Model
beforeAll(async () => {
  await startBackend('wasm', readStatic)
  model = await loadModel('digits-cnn', readStatic)
})
afterAll(() => model.dispose())

async function evaluated(specs: StageSpec[], options: { signal?: AbortSignal } = {}) {
  const dataset = await loadDataSet('mnist10k', readStatic)
  const shell = defended(model, specs, 4)
  const { ids, labels } = await correctlyRead({ model: shell, dataset, split: 'test', seed: 2, count: 12 })
  const x = dataset.test.images(ids)
  const before = tf.memory().numTensors
  try {
    const run = { seed: 4, ...options }
    return await evaluateDefence(model, specs, x, labels, { epsilon: 0.25, steps: 10, looks: 3 }, run)
  } finally {
    expect(tf.memory().numTensors, 'a tensor leaked').toBe(before)
    x.dispose()
  }
}
const raised = (figures: Awaited<ReturnType<typeof evaluated>>) =>
  figures.flags.filter((flag) => flag.raised).map(({ id }) => id)

test('the bare network: nothing stands, and nothing is suspicious', async () => {
  const figures = await evaluated([])
  expect(figures).toMatchObject({ images: 12, clean: 12 })
  expect(figures.honest).toBeLessThanOrEqual(2)
  expect(figures.knowing).toBeLessThanOrEqual(2)
  expect(raised(figures)).toEqual([])
})

test('the vendor’s product: two figures far apart, and the very signs that the lab asks to be named', async () => {
  const figures = await evaluated(vendor)
  expect(figures.honest).toBeGreaterThanOrEqual(10)
  expect(figures.knowing).toBeLessThanOrEqual(1)
  expect(figures.transferred).toBeLessThanOrEqual(2)
  expect(raised(figures)).toEqual([
    'zero-gradient',
    'no-better-than-random',
    'black-box-wins',
    'random-output',
  ])
  const guide = readFileSync(join(repository, 'labs/evasion-masked-gradients/guide.md'), 'utf8')
  const question = guide.split(':::quiz{#flags}')[1]!.split('\n:::')[0]!
  expect(question.match(/- \[x\]/g)).toHaveLength(4)
})

test('rounding to two levels stands when it is known, and resizing by chance does not even look safe', async () => {
  const two = await evaluated([{ id: 'bit-depth', levels: 2 }])
  expect(two.knowing).toBeGreaterThanOrEqual(6)
  const resized = await evaluated([vendor[1]!])
  expect(resized.honest).toBeLessThanOrEqual(2)
  expect(raised(resized)).toEqual(['random-output'])
})

test('is cancelled between its attacks, and leaks nothing', async () => {
  await expect(evaluated([], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' })
})
