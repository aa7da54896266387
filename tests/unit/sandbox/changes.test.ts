import { beforeAll, describe, expect, it } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import type { Task } from '../../../src/grading/grader.ts'
import { runTrusted } from '../../../src/sandbox/run-in-node.ts'
import { checkSubmission } from '../../../src/sandbox/submission.ts'

beforeAll(() => startBackend('cpu', readStatic))

const task: Task = {
  victim: { model: 'tiny' },
  dataset: 'tiny',
  split: 'train',
  ids: [7, 9],
  labels: [0, 1],
  values: { budget: 1 },
}
const asked: unknown[][] = []
const capabilities = async (name: string, args: unknown[]) => {
  asked.push([name, ...args])
  if (name === 'retrain')
    return { recall: 0.5, accuracy: 0.9, byClass: [1, 0.5], scores: Float32Array.of(0.25, 0.75) }
  if (name === 'data.audited') return { ids: [9], y: Int32Array.of(1) }
  throw new Error(`nobody asked for ${name}`)
}
const run = (program: string, access = ['data', 'retrain']) =>
  runTrusted({ files: { 'main.ts': program }, main: 'main.ts', task, seed: 5, access, capabilities })
const errorOf = async (program: string, access?: string[]) => {
  const { outcome } = await run(program, access)
  if (outcome.status !== 'failed') throw new Error(`expected an error; got ${outcome.status}`)
  return outcome.error.message
}

describe('a program that changes training data', () => {
  it('asks what if, and hands in its changes', async () => {
    const { outcome, console } = await run(`import { data, retrain, submit } from 'lab'
const { ids, y } = await data.audited()
const { scores, recall } = await retrain([{ id: 7, label: 'drop' }, { id: 9, label: 0 }])
console.log(ids, y, scores, recall)
await submit({ changes: [{ id: 9, label: 0 }] })`)
    expect(console.map(({ text }) => text)).toEqual(['[9] [1] [0.25, 0.75] 0.5'])
    expect(asked.at(-1)).toEqual(['retrain', Int32Array.of(7, 9), Int32Array.of(-1, 0), null, null])
    expect(outcome).toMatchObject({
      status: 'finished',
      artefact: { kind: 'change-list', ids: [9], labels: [0] },
    })
  })

  it('may hand in no change, and numbers beside the labels', async () => {
    const { outcome } = await run(`import { submit } from 'lab'\nawait submit({ changes: [] })`)
    expect(outcome).toMatchObject({ status: 'finished', artefact: { ids: [], labels: [] } })
    const more = await run(
      `import { submit, tf } from 'lab'\nawait submit({ changes: [{ id: 9, label: 0 }], x: tf.ones([1, 2]) })`,
    )
    expect(more.outcome).toMatchObject({ artefact: { ids: [9], values: Float32Array.of(1, 1) } })
  })

  const patch =
    "{ kind: 'patch', top: 0, left: 1, height: 1, width: 1, pixels: Float32Array.of(1), opacity: 1 }"

  it('hands in a trigger with the rows that carry it, and asks what it would do', async () => {
    const { outcome } = await run(`import { retrain, submit } from 'lab'
const trigger = ${patch} as const
const changes = [{ id: 7, label: 1, stamped: true }, { id: 9, label: 0, stamped: false }]
await retrain(changes, { trigger })
await submit({ changes, trigger })`)
    const trigger = { kind: 'patch', top: 0, left: 1, height: 1, width: 1, pixels: [1], opacity: 1 }
    expect(asked.at(-1)).toEqual([
      'retrain',
      Int32Array.of(7, 9),
      Int32Array.of(1, 0),
      null,
      { trigger, stamped: [7] },
    ])
    expect(outcome).toMatchObject({
      status: 'finished',
      artefact: { kind: 'change-list', ids: [7, 9], trigger, stamped: [7] },
    })
  })

  it('stamps pictures of its own', async () => {
    const { console } = await run(`import { stamp, tf } from 'lab'
const x = tf.zeros([2, 1, 3, 1])
console.log([...(await (await stamp(x, ${patch})).data()), ...(await x.data())].join(' '))`)
    expect(console.map(({ text }) => text)).toEqual(['0 1 0 0 1 0 0 0 0 0 0 0'])
  })

  it.each<[string, string, RegExp]>([
    ['a stamp without a trigger', '{ changes: [{ id: 7, label: 1, stamped: true }] }', /there is no trigger/],
    [
      'a stamp that is a number',
      '{ changes: [{ id: 7, label: 1, stamped: 1 }], trigger: {} }',
      /true or false; got 1/,
    ],
    [
      'a trigger that is a word',
      "{ changes: [], trigger: 'patch' }",
      /trigger must be an object, e.g. \{ kind: 'patch'/,
    ],
    [
      'a tensor of pixels',
      "{ changes: [], trigger: { kind: 'patch', pixels: tf.ones([1]) } }",
      /got a tensor \(use/,
    ],
  ])('%s is told at its own line', async (_, handIn, reason) => {
    expect(await errorOf(`import { submit, tf } from 'lab'\nawait submit(${handIn} as never)`)).toMatch(
      reason,
    )
  })

  it('tells a trigger that does not fit where it is stamped', async () => {
    const large = patch.replace('width: 1', 'width: 9')
    expect(
      await errorOf(`import { stamp, tf } from 'lab'\nawait stamp(tf.zeros([1, 1, 3, 1]), ${large})`),
    ).toMatch('the trigger is 1 × 9 pixels, larger than the image of 1 × 3')
  })

  it.each<[string, string, RegExp]>([
    ['an id that is none', '[{ id: -1, label: 0 }]', /changes\[0\].id must be the id of a row.*got -1/],
    [
      'a label in words',
      "[{ id: 7, label: 'fraud' }]",
      /changes\[0\].label must be a class number, or 'drop'/,
    ],
    ['half a label', '[{ id: 7, label: 0.5 }]', /got 0.5/],
    ['NaN', '[{ id: 7, label: NaN }]', /got NaN/],
    ['a number', '3', /changes must be a list of \{ id, label \}; got 3/],
    ['a promise', 'Promise.resolve([])', /a Promise \(write await\)/],
  ])('%s is told at its own line', async (_, changes, reason) => {
    const line = (call: string) => `import { retrain, submit } from 'lab'\nawait ${call}`
    expect(await errorOf(line(`retrain(${changes} as never)`))).toMatch(reason)
    expect(await errorOf(line(`submit({ changes: ${changes} as never })`))).toMatch(reason)
  })

  it('is told where retraining is not granted', async () => {
    expect(await errorOf(`import { retrain } from 'lab'\nawait retrain()`, ['data'])).toMatch(
      'retrain is not available in this lab',
    )
  })

  it('is looked at again on its way to the page', () => {
    const good = { kind: 'change-list', ids: [1], labels: [-1] }
    expect(checkSubmission(good)).toEqual(good)
    expect(() => checkSubmission({ ...good, labels: [-2] })).toThrow('a class number')
    expect(() => checkSubmission({ ...good, labels: [] })).toThrow('a class number')
    expect(() => checkSubmission({ ...good, ids: ['1'] })).toThrow('by the ids')
    expect(() => checkSubmission({ ...good, values: Float32Array.of(NaN) })).toThrow('finite')
    expect(() => checkSubmission({ ...good, values: new Float32Array(8) }, 16)).toThrow('MiB')
  })
})
