import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import { createCapabilities, type CapabilityServer } from '../../../src/engine/capabilities.ts'
import type { Model } from '../../../src/models/model.ts'
import { runTrusted } from '../../../src/sandbox/run-in-node.ts'
import { checkSubmission } from '../../../src/sandbox/submission.ts'
import { linearModel } from '../attacks/linear.ts'
import { everything, tinyData, tinyTask } from '../engine/helpers.ts'

let model: Model
let server: CapabilityServer
let tensors = 0
beforeAll(async () => {
  await startBackend('cpu', readStatic)
  model = linearModel(2, 2, [1, 0, 0, 1])
})
afterAll(() => model.dispose())
beforeEach(() => {
  tensors = tf.memory().numTensors
  server = createCapabilities({ model, dataset: tinyData(), task: tinyTask, spec: everything, seed: 7 })
})
afterEach(() => {
  server.close()
  expect(tf.memory().numTensors, 'a tensor leaked').toBe(tensors)
})

/** A program of the house, with a word to tell the test how many tensors are alive. */
const run = (lines: string, access: readonly string[] = everything.access) =>
  runTrusted({
    files: { 'main.ts': `import { attacks, data, submit, tf, trainer, victim } from 'lab'\n${lines}` },
    main: 'main.ts',
    task: tinyTask,
    seed: 5,
    access,
    capabilities: (name, args) => server.call(name, args),
  })
const printed = async (lines: string) => (await run(lines)).console.map(({ text }) => text)
const errorOf = async (lines: string, access?: readonly string[]) => {
  const { outcome } = await run(lines, access)
  if (outcome.status !== 'failed') throw new Error(`expected a failure, got ${outcome.status}`)
  return outcome.error
}

describe('a program that trains', () => {
  test('attacks the model in training, steps, and hands it in; the weights stay outside', async () => {
    const { outcome, console } = await run(`
for await (const { x, y, step, steps } of data.batches({ size: 2, epochs: 2 })) {
  const adversarial = await attacks.fgsm(victim, x, y, { epsilon: 0.1 })
  const loss = await trainer.step(adversarial, y, 0.1)
  console.log(step, 'of', steps, x.shape, y.length, loss > 0)
}
await submit(trainer)`)
    expect(outcome).toMatchObject({ status: 'finished', artefact: { kind: 'trained-model' } })
    expect(Object.keys((outcome as { artefact: object }).artefact)).toEqual(['kind'])
    expect(console.map(({ text }) => text)).toEqual([
      '0 of 6 [2, 2] 2 true',
      '1 of 6 [2, 2] 2 true',
      '2 of 6 [1, 2] 1 true',
      '3 of 6 [2, 2] 2 true',
      '4 of 6 [2, 2] 2 true',
      '5 of 6 [1, 2] 1 true',
    ])
    expect(await server.trained()).toMatchObject({ steps: 6 })
    expect(server.summary().rows).toEqual({ gradient: 10, training: 10 })
  })

  test('the victim is the model in training from its first step on', async () => {
    const [before, same, after] = await printed(`
const x = tf.tensor([[0.5, 0.25]])
const show = async () => console.log(...(await (await victim.logits(x)).data()))
await show()
await victim.lossAndGradient(x, [1])
await show()
await trainer.step(x, [1], 0.1)
await show()`)
    expect(same).toBe(before)
    expect(after).not.toBe(before)
  })

  test('frees what was made with a batch when the next comes, but for what is kept', async () => {
    let most = 0
    const { outcome } = await runTrusted({
      files: {
        'main.ts': `import { data, tf, trainer, victim } from 'lab'
const first = tf.ones([1])
let sum = tf.keep(tf.zeros([1]))
for await (const { x, y } of data.batches({ size: 1, epochs: 10 })) {
  for (let i = 0; i < 20; i++) tf.add(x, i)
  await victim.lossAndGradient(x, y)
  sum = tf.keep(tf.add(sum, first))
  await trainer.step(x, y)
}
console.log(...(await sum.data()))`,
      },
      main: 'main.ts',
      task: tinyTask,
      seed: 5,
      access: everything.access,
      capabilities: (name, args) => {
        if (name === 'data.batch') most = Math.max(most, tf.memory().numTensors - tensors)
        return server.call(name, args)
      },
    })
    expect(outcome.status).toBe('finished')
    // Fifty batches: one kept sum each, the trainer's own, and nothing of the twenty sums a batch.
    expect(most).toBeLessThan(70)
  })

  test('a tensor carried from batch to batch without keep is named as disposed, with its line', async () => {
    const error = await errorOf(`let last
for await (const { x } of data.batches({ size: 2 })) {
  if (last) tf.add(last, x)
  last = x
}`)
    expect(error).toMatchObject({ message: expect.stringMatching(/disposed/), line: 4 })
  })

  test('a loop that is left early frees its batch too', async () => {
    expect(
      await printed(`for await (const { x } of data.batches({ size: 2, epochs: 100 })) { tf.add(x, 1); break }
console.log('left')`),
    ).toEqual(['left'])
  })

  test.each([
    ['await submit(trainer)', 'the trainer has not taken a step yet'],
    ['for await (const b of data.batches({ epochs: 0 })) {}', 'epochs must be a number above 0; got 0'],
    ['for await (const b of data.batches({ size: 1.5 })) {}', 'size must be a whole number above 0; got 1.5'],
    [
      'for await (const b of data.batches({ batchSize: 3 })) {}',
      'there is no option "batchSize"; the options are size, epochs, images',
    ],
    [
      'for await (const b of data.batches({ images: 9 })) {}',
      'images must be a whole number from 1 to 5; got 9',
    ],
    ["await trainer.step(tf.zeros([1, 2]), [0], '1')", 'rate must be a number; got the text "1"'],
    ['await trainer.step(tf.zeros([1, 2]), [0], 7)', 'rate must be a number above 0, and 1 at most; got 7'],
    ['await trainer.step(tf.zeros([1, 2]), [0, 1])', 'one class from 0 to 1 for each of the 1 rows'],
    ['await trainer.step(data.batches(), [0])', 'x must be a tensor'],
  ])('is told what is wrong with %s', async (line, message) => {
    expect((await errorOf(line)).message).toContain(message)
  })

  test('has neither batches nor trainer where the lab does not grant them', async () => {
    const without = ['victim', 'data']
    const batches = await errorOf('for await (const b of data.batches()) {}', without)
    expect(batches.message).toBe('data.batches is not available in this lab: it grants victim, data')
    expect((await errorOf('await trainer.step(tf.zeros([1, 2]), [0])', without)).message).toContain(
      'trainer.step is not available',
    )
  })

  test('the same seed trains the same weights', async () => {
    const weights = async () => {
      const own = createCapabilities({
        model,
        dataset: tinyData(),
        task: tinyTask,
        spec: everything,
        seed: 7,
      })
      server.close()
      server = own
      await run('for await (const { x, y } of data.batches({ size: 2 })) await trainer.step(x, y, 0.1)')
      return (await own.trained())!.weights.map(({ values }) => [...values])
    }
    expect(await weights()).toEqual(await weights())
  })
})

test('a forged hand-in of a model is nothing but its kind', () => {
  expect(checkSubmission({ kind: 'trained-model', weights: [1], ids: [0] })).toEqual({
    kind: 'trained-model',
  })
})
