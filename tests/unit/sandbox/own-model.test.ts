import '../../../src/core/cpu-backend.ts'
import { beforeAll, describe, expect, it } from 'vitest'
import * as tf from '../../../src/core/tf.ts'
import { runTrusted } from '../../../src/sandbox/run-in-node.ts'
import { checkSubmission } from '../../../src/sandbox/submission.ts'

const run = async (main: string) => {
  const { outcome } = await runTrusted({
    files: { 'main.ts': main },
    main: 'main.ts',
    task: { victim: { model: 'm' }, dataset: 'd', split: 'test', ids: [], labels: [], values: {} },
    seed: 5,
    access: [],
    capabilities: async (name) => Promise.reject(new Error(`no ${name}`)),
  })
  return outcome
}
beforeAll(async () => void (await tf.setBackend('cpu')))

describe('submit({ weights })', () => {
  it('hands in lists, single numbers and tensors by name', async () => {
    const outcome = await run(`import { submit, tf } from 'lab'
await submit({ weights: { kernel: tf.tensor([1, 2, 3, 4], [2, 2]), weights: [0.5, 1], bias: -1 } })`)
    expect(outcome).toMatchObject({
      status: 'finished',
      artefact: {
        kind: 'model-weights',
        model: 'surrogate',
        tensors: [
          { name: 'kernel', shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) },
          { name: 'weights', shape: [2], values: Float32Array.of(0.5, 1) },
          { name: 'bias', shape: [1], values: Float32Array.of(-1) },
        ],
      },
    })
  })

  it.each([
    ['NaN', '{ weights: [1, NaN] }', /weights\.weights must be finite; got NaN as number 1/],
    ['infinity', '{ weights: [Math.log(1 / 0)] }', /finite; got Infinity/],
    ['a promise', '{ weights: Promise.resolve([1]) }', /got a Promise \(write await\)/],
    ['words', "{ weights: ['one'] }", /numbers or a tensor; got the text "one" as number 0/],
    ['a list in place of names', '[1, 2]', /tensors by name/],
    ['nothing at all', '{}', /1 to 100 tensors by name; got an empty list/],
    ['200 MB', '{ weights: new Float32Array(50e6) }', /at most 64 MiB together; got 191 MiB/],
  ])('refuses %s at its own line', async (_, weights, sentence) => {
    const outcome = await run(`import { submit } from 'lab'\nawait submit({ weights: ${weights} as never })`)
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { message: expect.stringMatching(sentence) as string },
    })
  })

  it('hands a system that is singular back as the learner’s error', async () => {
    const outcome = await run(`import { linear } from 'lab'\nlinear.solve([[1, 1], [2, 2]], [1, 2])`)
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('singular: unknown 1') as string },
    })
  })
})

describe('the frame’s and the page’s own look at it', () => {
  const tensor = (change: object = {}) => ({
    name: 'w',
    shape: [2],
    values: Float32Array.of(1, 2),
    ...change,
  })
  it('builds afresh', () => {
    const sent = { tensors: [tensor({ extra: 'x' })] }
    const read = checkSubmission(sent)
    expect(read).toEqual({
      kind: 'model-weights',
      model: 'surrogate',
      tensors: [{ name: 'w', shape: [2], values: Float32Array.of(1, 2) }],
    })
  })
  it.each([
    ['a shape that lies', tensor({ shape: [3] }), /must hold 3 numbers; got 2/],
    ['a shape of text', tensor({ shape: ['2'] }), /shape of whole numbers/],
    ['64-bit floats', tensor({ values: Float64Array.of(1, 2) }), /must be a list of numbers/],
    ['a name of its own length', tensor({ name: 'w'.repeat(65) }), /short names/],
    ['a tensor that is none', null, /short names/],
  ])('refuses %s', (_, bad, sentence) => {
    expect(() => checkSubmission({ tensors: [bad] })).toThrow(sentence)
  })
  it('counts all tensors together', () => {
    const half = new Float32Array(9 * 1024 * 1024)
    const two = [
      tensor({ shape: [half.length], values: half }),
      tensor({ shape: [half.length], values: half }),
    ]
    expect(() => checkSubmission({ tensors: two })).toThrow(/at most 64 MiB together; got 72 MiB/)
  })
})
