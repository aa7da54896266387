import '../../../src/core/cpu-backend.ts'
import { beforeAll, describe, expect, it } from 'vitest'
import * as tf from '../../../src/core/tf.ts'
import { runTrusted, type TrustedRequest } from '../../../src/sandbox/run-in-node.ts'

/** A linear victim of two classes on two pixels: logits = (x₀, x₁). */
const capabilities: TrustedRequest['capabilities'] = async (capability, args) => {
  const x = args[0] as { shape: number[]; values: Float32Array }
  switch (capability) {
    case 'victim.info':
      return { inputShape: [2], numClasses: 2, bounds: [0, 1] }
    case 'victim.logits':
      return { shape: x.shape, dtype: 'float32', values: x.values }
    case 'victim.lossAndGradient':
      return {
        loss: { shape: [x.shape[0]], dtype: 'float32', values: new Float32Array(x.shape[0]!) },
        gradient: {
          shape: x.shape,
          dtype: 'float32',
          values: Float32Array.from(x.values, (_, i) => (i % 2 === (args[1] as Int32Array)[i >> 1] ? -1 : 1)),
        },
      }
    case 'data.sample':
      return {
        ids: [7, 9],
        x: { shape: [2, 2], dtype: 'float32', values: Float32Array.of(0.75, 0.25, 0.25, 0.75) },
        y: Int32Array.of(0, 1),
      }
  }
  throw Object.assign(new Error(`no capability ${capability}`), { code: 'missing' })
}
const task = {
  victim: { model: 'm' },
  dataset: 'd',
  split: 'test' as const,
  ids: [7, 9],
  labels: [0, 1],
  values: { epsilon: 0.25, target: 3 },
}
const run = (main: string, more: Partial<TrustedRequest> = {}) =>
  runTrusted({
    files: { 'main.ts': main },
    main: 'main.ts',
    task,
    seed: 5,
    access: ['victim', 'data'],
    capabilities,
    ...more,
  })
const errorOf = async (main: string, more: Partial<TrustedRequest> = {}) => {
  const { outcome } = await run(main, more)
  if (outcome.status !== 'failed') throw new Error(`expected a failure, got ${outcome.status}`)
  return outcome.error
}

beforeAll(async () => void (await tf.setBackend('cpu')))

describe('runTrusted', () => {
  it('runs a step against the victim and hands in what it submits, and frees every tensor', async () => {
    const before = tf.memory().numTensors
    const { outcome, console } = await runTrusted({
      files: {
        'main.ts':
          "import { data, submit, task, victim } from 'lab'\nimport { step } from './step'\nconst { ids, x, y } = await data.sample()\nconst z = await step(victim, x, y, task.epsilon)\nconsole.log('moved', z)\nawait submit({ ids, x: z })",
        'step.ts':
          "import { tf, type Tensor, type Victim } from 'lab'\nexport async function step(victim: Victim, x: Tensor, y: number[], epsilon: number) {\n  const { gradient } = await victim.lossAndGradient(x, y)\n  return tf.clipByValue(tf.add(x, tf.mul(epsilon, tf.sign(gradient))), 0, 1)\n}",
      },
      main: 'main.ts',
      task,
      seed: 5,
      access: ['victim', 'data'],
      capabilities,
    })
    expect(outcome).toMatchObject({
      status: 'finished',
      artefact: { kind: 'adversarial-examples', ids: [7, 9], shape: [2, 2] },
    })
    expect([...(outcome as { artefact: { pixels: Float32Array } }).artefact.pixels]).toEqual([
      0.5, 0.5, 0.5, 0.5,
    ])
    expect(console).toEqual([{ level: 'log', text: 'moved Tensor (2, 2) float32 [0.5, 0.5, 0.5, 0.5]' }])
    expect(tf.memory().numTensors).toBe(before)
  })

  it('offers quantiles', async () => {
    const { console } = await run(
      "import { stats } from 'lab'\nconsole.log(stats.normalQuantile(0.5), stats.betaQuantile(0.25, 1, 1).toFixed(9))",
    )
    expect(console.map((line) => line.text)).toEqual(['0 0.250000000'])
  })

  it('hands in scores by name, and says which list is wrong', async () => {
    const program = (scores: string) =>
      `import { data, submit, tf } from 'lab'\nconst { ids } = await data.sample()\nawait submit({ ids, scores: ${scores} })`
    const { outcome } = await run(program('{ radius: [0.5, 0], votes: Float32Array.of(9, 4) }'))
    expect(outcome).toMatchObject({
      status: 'finished',
      artefact: {
        kind: 'scores',
        ids: [7, 9],
        columns: [
          { name: 'radius', values: Float32Array.of(0.5, 0) },
          { name: 'votes', values: Float32Array.of(9, 4) },
        ],
      },
    })
    const said = async (scores: string) => (await errorOf(program(scores))).message
    expect(await said('{ radius: tf.ones([2]) }')).toContain(
      'scores.radius must be a list of numbers, one an image; got a tensor',
    )
    expect(await said('{ radius: [0.5, "1"] }')).toContain(
      'scores.radius[1] must be a number; got the text "1"',
    )
    expect(await said('{ radius: [1 / 0, 0] }')).toContain('scores.radius must be finite; got Infinity')
    expect(await said('{ radius: [1] }')).toContain('one number for each of the 2 ids; got 1')
    expect(await said('[1, 2]')).toContain('scores must be lists by name')
  })

  it('offers the library’s attacks, targeted by options.targets, and refuses an option without effect', async () => {
    const { console } = await run(`import { attacks, data, victim } from 'lab'
const { x, y } = await data.sample()
console.log(await attacks.fgsm(victim, x, y, { epsilon: 0.25 }))
console.log(await attacks.fgsm(victim, x, y, { epsilon: 0.25, targets: y }))`)
    expect(console.map((line) => line.text)).toEqual([
      'Tensor (2, 2) float32 [0.5, 0.5, 0.5, 0.5]',
      'Tensor (2, 2) float32 [1, 0, 0, 1]',
    ])
    const wrong = await errorOf(
      `import { attacks, data, victim } from 'lab'\nconst { x, y } = await data.sample()\nawait attacks.fgsm(victim, x, y, { eps: 0.1 })`,
    )
    expect(wrong).toMatchObject({ file: 'main.ts', line: 3 })
    expect(wrong.message).toContain('no option "eps"')
    expect((await errorOf(`import { attacks } from 'lab'\nawait attacks.nothing()`)).message).toMatch(
      /there is no attack "nothing"; the attacks are .*fgsm/,
    )
  })

  it('draws the same numbers for the same seed, and others for another', async () => {
    const program = `import { tf } from 'lab'\nconsole.log(tf.randomUniform([3]), tf.randomNormal([2]), Math.random(), Math.max(1, 2))`
    const text = async (seed: number) => (await run(program, { seed })).console[0]!.text
    expect(await text(1)).toBe(await text(1))
    expect(await text(1)).not.toBe(await text(2))
    expect(await text(1)).toMatch(/ 2$/)
  })

  it.each([
    ['await victim.logits([1, 2])', 'x must be a tensor; got a list of 2; tf.tensor(…) makes one'],
    ['await victim.logits(data.sample())', 'got a Promise (write await'],
    ['const t = tf.zeros([1, 2]); t.dispose(); await victim.logits(t)', 'x was disposed'],
    ['await victim.logits(tf.tensor([true]))', 'float32 numbers; got bool'],
    ['await victim.lossAndGradient(tf.zeros([1, 2]), [1.5])', 'y[0] must be a whole number; got 1.5'],
    ['await victim.lossAndGradient(tf.zeros([1, 2]), tf.zeros([1]))', 'got a tensor (use await y.array())'],
    [
      'await oracle.scores(tf.zeros([1, 2]))',
      'oracle.scores is not available in this lab: it grants victim, data',
    ],
    ['await data.sample(-1)', 'n must be a whole number of at least 1'],
    ['tf.conv2d()', "tf.conv2d is not part of this lab's tf; it has abs, add,"],
    ['tf.sing(tf.zeros([1]))', "tf.sing is not part of this lab's tf; did you mean tf.sign?"],
    ['await submit(3)', 'hand in an object, submit({ ids, x }); got 3'],
    ['await submit(undefined)', 'got nothing; does the function that makes it end with a return?'],
    [
      'await submit({ changes: undefined })',
      'submit: changes must be a list; got nothing; does the function that makes it end with a return?',
    ],
    [
      'await submit({ ids: [1], x: undefined })',
      'x must be a tensor; got nothing; does the function that makes it end with a return?',
    ],
    ['await submit({ ids: [1], x: tf.zeros([2, 2]) })', 'one row for each of the 1 ids; got shape (2, 2)'],
    [
      'await submit({ ids: [1, -1], x: tf.zeros([2, 2]) })',
      'ids must be a list of 1 to 100,000 whole numbers',
    ],
    ['await submit({ ids: [1], x: tf.div(tf.zeros([1, 2]), 0) })', 'finite numbers; got NaN in row 0'],
    ["await submit({ ids: [1], x: tf.zeros([1, 2], 'int32') })", 'float32 tensor; got an Int32Array'],
    ["throw 'text'", 'the program threw text'],
  ])('says what is wrong with %s, and where', async (line, message) => {
    const error = await errorOf(`import { data, oracle, submit, tf, victim } from 'lab'\n${line}`)
    expect(error.message).toContain(message)
    if (!line.startsWith('throw')) expect(error).toMatchObject({ file: 'main.ts', line: 2 })
  })

  it('takes one hand-in a run', async () => {
    const error = await errorOf(
      `import { submit, tf } from 'lab'\nawait submit({ ids: [1], x: tf.zeros([1, 2]) })\nawait submit({ ids: [1], x: tf.zeros([1, 2]) })`,
    )
    expect(error).toMatchObject({ line: 3, message: expect.stringContaining('hands in once') })
  })
})
