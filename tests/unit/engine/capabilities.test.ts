import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { startBackend } from '../../../src/core/backends.ts'
import * as tf from '../../../src/core/tf.ts'
import type { CapabilityReply, WireTensor } from '../../../src/engine/capability-protocol.ts'
import {
  createCapabilities,
  maxWaiting,
  serveCapabilities,
  type CapabilityServer,
} from '../../../src/engine/capabilities.ts'
import type { SandboxSpec } from '../../../src/labs/manifest.ts'
import type { Model } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'
import { linearModel } from '../attacks/linear.ts'
import { everything, tinyData, tinyTask } from './helpers.ts'
import { runs } from '../../helpers/runs.ts'

let model: Model
let tensors = 0
const servers: CapabilityServer[] = []
beforeAll(async () => {
  await startBackend('cpu', readStatic)
  model = linearModel(2, 4, [1, 0, 2, 0, 0, 1, 0, -1])
})
afterAll(() => model.dispose())
beforeEach(() => void (tensors = tf.memory().numTensors))
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
  expect(tf.memory().numTensors, 'a tensor leaked').toBe(tensors)
})

function serve(spec: Partial<SandboxSpec> = {}, victim: Model = model, seed = 7): CapabilityServer {
  const server = createCapabilities({
    model: victim,
    dataset: tinyData(),
    task: tinyTask,
    spec: { ...everything, ...spec },
    seed,
  })
  servers.push(server)
  return server
}
const wire = (values: number[], shape = [values.length / 2, 2]): WireTensor => ({
  shape,
  dtype: 'float32',
  values: Float32Array.from(values),
})
const two = () => wire([0.5, 0.25, 0, 1])

describe('votes under noise', () => {
  const votes = async (server: CapabilityServer, sigma: unknown, n: unknown) =>
    (await server.call('victim.sampleUnderNoise', [two(), sigma, n])) as WireTensor

  test('every copy is a row, each call draws anew, and the seed alone decides', async () => {
    const server = serve()
    const first = await votes(server, 0.5, 100)
    expect(first).toMatchObject({ shape: [2, 4], dtype: 'int32' })
    expect(Array.from(first.values.slice(0, 4)).reduce((a, b) => a + b)).toBe(100)
    expect(server.figures().used).toBe(200)
    expect(await votes(server, 0.5, 100)).not.toEqual(first)
    const again = serve()
    expect(await votes(again, 0.5, 100)).toEqual(first)
    expect(again.summary()).toMatchObject({ rows: { logits: 200 } })
    expect(await votes(serve({}, model, 8), 0.5, 100)).not.toEqual(first)
  })

  test('refuse before answering when the copies cost more than is left, and what is no noise', async () => {
    const server = serve()
    await expect(votes(server, 0.5, 501)).rejects.toMatchObject({ code: 'budget-spent' })
    for (const sigma of [0, -1, NaN, Infinity, '0.5', null])
      await expect(votes(server, sigma, 10)).rejects.toThrow('sigma must be a number above 0')
    for (const n of [0, 1.5, 2 ** 40, NaN, '3'])
      await expect(votes(server, 0.5, n)).rejects.toThrow('n must be')
    expect(server.figures().used).toBe(0)
  })

  test('stop when the run is over', async () => {
    const server = serve({ maxQueries: 1_000_000 })
    const asked = votes(server, 0.5, 100_000)
    setTimeout(() => server.close(), 1)
    await expect(asked).rejects.toMatchObject({ code: 'cancelled' })
  })
})

describe('capabilities', () => {
  test('tell what the victim is, for free', async () => {
    const server = serve()
    expect(await server.call('victim.info', [])).toEqual({ inputShape: [2], numClasses: 4, bounds: [0, 1] })
    expect(server.figures()).toEqual({ used: 0, max: 1000 })
  })

  test('answer with logits, losses, gradients, products, scores and decisions, and count each row', async () => {
    const server = serve()
    const logits = (await server.call('victim.logits', [two()])) as WireTensor
    expect(logits.shape).toEqual([2, 4])
    expect([...logits.values]).toEqual([0.5, 0.25, 1, -0.25, 0, 1, 0, -1])
    const { loss, gradient } = (await server.call('victim.lossAndGradient', [
      two(),
      Int32Array.of(0, 1),
      null,
    ])) as Record<string, WireTensor>
    expect(loss!.shape).toEqual([2])
    expect(gradient!.shape).toEqual([2, 2])
    const margin = (await server.call('victim.lossAndGradient', [
      two(),
      [0, 1],
      { kind: 'margin' },
    ])) as Record<string, WireTensor>
    expect([...margin.loss!.values]).toEqual([0.5, -1])
    const product = (await server.call('victim.vjp', [
      two(),
      wire([1, 0, 0, 0, 0, 0, 0, 1], [2, 4]),
    ])) as WireTensor
    expect([...product.values]).toEqual([1, 0, 0, -1])
    const scores = (await server.call('oracle.scores', [two()])) as WireTensor
    expect([...scores.values].slice(0, 4).reduce((a, b) => a + b)).toBeCloseTo(1, 6)
    expect(await server.call('oracle.decide', [two()])).toEqual(Int32Array.of(2, 1))
    expect(server.summary()).toMatchObject({
      rows: { logits: 2, gradient: 6, scores: 2, decisions: 2 },
      calls: 6,
      refused: 0,
      maxQueries: 1000,
    })
  })

  test('give the task’s images in its order, the first n of them, for free', async () => {
    const server = serve()
    const all = (await server.call('data.sample', [null])) as { ids: number[]; x: WireTensor; y: Int32Array }
    expect(all.ids).toEqual([4, 0, 2])
    expect(all.x.shape).toEqual([3, 2])
    expect([...all.x.values.slice(0, 2)]).toEqual([...Float32Array.of(0.8, 0.9)])
    expect(all.y).toEqual(Int32Array.of(0, 0, 0))
    expect(await server.call('data.sample', [1])).toMatchObject({ ids: [4] })
    for (const n of [0, 4, 1.5, '2', NaN])
      await expect(server.call('data.sample', [n])).rejects.toThrow(/n must be a whole number from 1 to 3/)
    expect(server.figures().used).toBe(0)
  })

  test('compute a large batch in parts, and join it as if it were one', async () => {
    const rows = 300
    const x = wire(Array.from({ length: rows * 2 }, (_, i) => (i % 17) / 17))
    const y = Int32Array.from({ length: rows }, (_, i) => i % 4)
    const targets = y.map((k) => (k + 1) % 4)
    const server = serve()
    for (const loss of [null, { kind: 'dlr', targets }]) {
      const got = (await server.call('victim.lossAndGradient', [x, y, loss])) as Record<string, WireTensor>
      const tensor = tf.tensor(x.values, [rows, 2])
      const wanted = await model.lossAndGradient(tensor, y, loss ? { kind: 'dlr', targets } : undefined)
      expect(got.loss!.values).toEqual(await wanted.loss.data())
      expect(got.gradient!.values).toEqual(await wanted.gradient.data())
      tf.dispose([tensor, wanted.loss, wanted.gradient])
    }
    expect(server.figures().used).toBe(600)
  })

  test('train a copy, which then answers as the victim, and leave the victim alone', async () => {
    const server = serve()
    const before = (await server.call('victim.logits', [two()])) as WireTensor
    expect(await server.trained()).toBeUndefined()
    const first = (await server.call('trainer.step', [two(), [3, 3]])) as number
    for (let i = 0; i < 20; i++) await server.call('trainer.step', [two(), [3, 3]])
    expect(await server.call('trainer.step', [two(), [3, 3]])).toBeLessThan(first)
    expect(((await server.call('victim.logits', [two()])) as WireTensor).values).not.toEqual(before.values)
    const { weights, steps } = (await server.trained())!
    expect(weights.map(({ name }) => name)).toEqual(['dense/kernel', 'dense/bias'])
    expect(steps).toBe(22)
    expect(((await serve().call('victim.logits', [two()])) as WireTensor).values).toEqual(before.values)
    expect(server.summary().rows.training).toBe(44)
  })

  test('train at the rate they are asked to, 0.001 when none is named', async () => {
    const after = async (rate?: unknown) => {
      const server = serve()
      await server.call('trainer.step', [two(), [3, 3], rate])
      const { weights } = (await server.trained())!
      return weights.map(({ values }) => [...values])
    }
    const usual = await after()
    expect(await after(null)).toEqual(usual)
    expect(await after(0.001)).toEqual(usual)
    expect(await after(0.01)).not.toEqual(usual)
    for (const rate of [0, -1, 2, NaN, '1', {}])
      await expect(serve().call('trainer.step', [two(), [3, 3], rate])).rejects.toThrow(
        /rate must be a number above 0, and 1 at most/,
      )
    const many = wire(new Array(2 * 513).fill(0.5))
    await expect(serve().call('trainer.step', [many, new Array(513).fill(0)])).rejects.toThrow(
      /a batch may hold 512 rows at most; got 513/,
    )
  })

  test('give training batches, each image once an epoch, shuffled anew by the seed, free of charge', async () => {
    const epochOf = async (epoch: number, seed = 7, images: number | null = null) => {
      const server = serve({}, model, seed)
      const seen: number[] = []
      for (let step = 0; ; step++) {
        const { x, batches } = (await server.call('data.batch', [3 * epoch + step, 2, images])) as Batch
        seen.push(...x.values.filter((_, i) => i % 2 === 0))
        if (step + 1 >= batches) return seen
      }
    }
    type Batch = { x: WireTensor; y: Int32Array; batches: number }
    const server = serve()
    const batch = (await server.call('data.batch', [0, 2, null])) as Batch
    expect(batch).toMatchObject({ batches: 3, x: { shape: [2, 2], dtype: 'float32' } })
    const last = (await server.call('data.batch', [2, 2, null])) as Batch
    expect(last.x.shape).toEqual([1, 2])
    expect(server.figures().used).toBe(0)
    const first = await epochOf(0)
    expect(first).toHaveLength(5)
    expect(await epochOf(0)).toEqual(first)
    expect([...first].sort()).toEqual([...(await epochOf(1))].sort())
    expect(new Set(first).size).toBe(5)
    const others = [await epochOf(1), await epochOf(2), await epochOf(0, 8), await epochOf(0, 9)]
    expect(others.filter((other) => `${other}` !== `${first}`).length).toBeGreaterThan(1)
    // A part of the images: the same ones in every epoch.
    const part = await epochOf(0, 7, 4)
    expect(new Set(part).size).toBe(4)
  })

  test.each([
    [[0, 0, null], /data\.batches: size must be a whole number from 1 to 512; got 0/],
    [[0, 2, 6], /data\.batches: images must be a whole number from 1 to 5; got 6/],
    [[-1, 2, null], /data\.batches: step must be a whole number from 0/],
    [['0', 2, null], /data\.batches: step/],
  ])('refuse a training batch of %j', async (args, message) => {
    await expect(serve().call('data.batch', args)).rejects.toThrow(message)
  })

  test('a lost device costs the steps since the last copy, not the training', async () => {
    const again = createModel(model.architecture, await model.weights())
    let now = model
    const server = createCapabilities({
      model: async () => now,
      dataset: tinyData(),
      task: tinyTask,
      spec: everything,
      seed: 7,
    })
    for (let i = 0; i < 30; i++) await server.call('trainer.step', [two(), [3, 3], 0.01])
    const trained = (await server.call('victim.logits', [two()])) as WireTensor
    now = again
    const resumed = (await server.call('victim.logits', [two()])) as WireTensor
    expect((await server.trained())!.steps).toBe(25)
    const untrained = (await serve().call('victim.logits', [two()])) as WireTensor
    const apart = (a: WireTensor, b: WireTensor) => Math.abs(a.values[3]! - b.values[3]!)
    expect(apart(resumed, trained)).toBeLessThan(apart(untrained, trained) / 3)
    server.close()
    again.dispose()
  })

  test('do not check the range of pixels: that is graded, with words', async () => {
    await expect(serve().call('victim.logits', [wire([-3, 300])])).resolves.toBeDefined()
  })

  test('refuse before answering when the budget is spent, and go on with what is left', async () => {
    let asked = 0
    const spied: Model = { ...model, logits: (x) => (asked++, model.logits(x)) }
    const server = serve({ maxQueries: 3 }, spied)
    await server.call('oracle.scores', [two()])
    await expect(server.call('oracle.scores', [two()])).rejects.toMatchObject({ code: 'budget-spent' })
    expect(asked).toBe(1)
    await server.call('oracle.decide', [wire([0, 0])])
    expect(server.figures()).toEqual({ used: 3, max: 3 })
    expect(server.summary().refused).toBe(1)
  })

  test('refuse what the checkpoint’s threat model does not grant', async () => {
    const server = serve({ access: ['scores', 'data'] })
    await expect(server.call('victim.lossAndGradient', [two(), [0, 0]])).rejects.toThrow(
      /victim\.lossAndGradient is not part of this checkpoint's threat model; this run has victim\.info, oracle\.scores, data\.sample/,
    )
    await expect(server.call('trainer.step', [two(), [0, 0]])).rejects.toThrow(/not part of/)
    await expect(server.call('oracle.scores', [two()])).resolves.toBeDefined()
    expect(server.figures().used).toBe(2)
  })

  test.each(['victim.weights', '__proto__', 'constructor', 'toString', ''])(
    'have no capability "%s"',
    async (name) => {
      await expect(serve().call(name, [])).rejects.toThrow(/there is no capability/)
    },
  )

  test('the same questions leave the same transcript, others another', async () => {
    const ask = async (x: WireTensor) => {
      const server = serve()
      await server.call('victim.logits', [x])
      return server.summary().transcriptDigest
    }
    expect(await ask(two())).toBe(await ask(two()))
    expect(await ask(two())).not.toBe(await ask(wire([0.5, 0.25, 0, 0.99])))
  })
})

describe('hostile requests are refused in words', () => {
  const detached = () => {
    const tensor = two()
    structuredClone(null, { transfer: [tensor.values.buffer as ArrayBuffer] })
    return tensor
  }
  const lying = (values: Float32Array) => Object.defineProperty(values, 'length', { value: 4 })
  const inherited = Object.create(two()) as WireTensor
  const getters = Object.defineProperties(
    {},
    {
      shape: { get: () => [2, 2] },
      dtype: { get: () => 'float32' },
      values: { get: () => new Float32Array(4) },
    },
  ) as WireTensor

  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /x must be float32 of shape \(N, 2\); got undefined/],
    ['null', null, /got null/],
    ['a number', 3, /got 3/],
    ['text', 'x'.repeat(9999), /got "x{40}"/],
    ['a nested array', [[0, 1]], /got an array\. Make a tensor/],
    ['a bare typed array', Float32Array.of(0, 1), /got a Float32Array\. Make a tensor/],
    ['a function', () => two(), /got a function/],
    ['a tensor by inheritance', inherited, /no readable shape/],
    ['a tensor of getters', getters, /no readable shape/],
    [
      'a polluted prototype',
      JSON.parse('{"__proto__":{"shape":[1,2],"dtype":"float32","values":[0,0]}}'),
      /no readable shape/,
    ],
    ['another width', wire([0, 0, 0], [1, 3]), /got shape \(1, 3\)\. Reshape/],
    ['another rank', wire([0, 0], [2]), /got shape \(2\)/],
    ['no rows', wire([], [0, 2]), /got no rows/],
    ['an absurd N', { ...two(), shape: [1e9, 2] }, /got 1000000000 rows\. Ask about at most 4096/],
    ['a negative N', { ...two(), shape: [-2, 2] }, /no readable shape/],
    ['a fractional N', { ...two(), shape: [1.5, 2] }, /no readable shape/],
    ['a shape of text', { ...two(), shape: ['2', 2] }, /no readable shape/],
    ['a shape of a thousand axes', { ...two(), shape: new Array(1000).fill(1) }, /no readable shape/],
    ['more values than the shape', { ...two(), shape: [1, 2] }, /4 values where the shape needs 2/],
    ['fewer values than the shape', { ...two(), shape: [3, 2] }, /4 values where the shape needs 6/],
    [
      'a length that lies',
      { shape: [2, 2], dtype: 'float32', values: lying(Float32Array.of(1)) },
      /1 values where the shape needs 4/,
    ],
    [
      'doubles',
      { shape: [1, 2], dtype: 'float32', values: Float64Array.of(0, 0) },
      /dtype float32 with Float64Array/,
    ],
    [
      'integers',
      { shape: [1, 2], dtype: 'int32', values: Int32Array.of(0, 0) },
      /dtype int32 with Int32Array\. Convert it/,
    ],
    ['a plain array of values', { shape: [1, 2], dtype: 'float32', values: [0, 0] }, /with an array/],
    [
      'something dressed as a typed array',
      {
        shape: [1, 2],
        dtype: 'float32',
        values: { length: 2, 0: 0, 1: 0, [Symbol.toStringTag]: 'Float32Array' },
      },
      /with an object/,
    ],
    ['a detached buffer', detached(), /a buffer that is empty or was handed to someone else/],
    ['NaN', wire([0, NaN]), /got NaN at element 1\. Look for a division by zero/],
    ['infinity', wire([-Infinity, 0]), /got -Infinity at element 0/],
  ])('x is %s', async (_, x, message) => {
    const server = serve()
    for (const [capability, ...more] of [
      ['victim.logits'],
      ['victim.lossAndGradient', [0, 0]],
      ['victim.vjp', two()],
      ['oracle.scores'],
      ['oracle.decide'],
      ['trainer.step', [0, 0]],
    ] as [string, ...unknown[]][]) {
      await expect(server.call(capability, [x, ...more])).rejects.toMatchObject({
        code: 'bad-input',
        message: expect.stringMatching(message),
      })
    }
    expect(server.summary()).toMatchObject({ rows: {}, calls: 0 })
  })

  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /y must be one class from 0 to 3 for each of the 2 rows; got undefined/],
    ['too short', [1], /got 1$/],
    ['too long', new Int32Array(9), /got 9$/],
    ['sparse', new Array(2), /got undefined at row 0/],
    ['out of range', [0, 4], /got 4 at row 1/],
    ['negative', Int32Array.of(-1, 0), /got -1 at row 0/],
    ['fractional', [0.5, 0], /got 0\.5 at row 0/],
    ['text', ['0', '1'], /got "0" at row 0/],
    ['big integers', BigInt64Array.of(0n, 1n), /got BigInt64Array/],
    ['an array-like object', { length: 2, 0: 0, 1: 1 }, /got an object/],
  ])('y is %s', async (_, y, message) => {
    const server = serve()
    await expect(server.call('victim.lossAndGradient', [two(), y])).rejects.toThrow(message)
    await expect(server.call('trainer.step', [two(), y])).rejects.toThrow(message)
    expect(server.figures().used).toBe(0)
  })

  test.each<[unknown, RegExp]>([
    ['margin', /loss\.kind must be "cross-entropy", "margin" or "dlr"; got undefined/],
    [{ kind: 'hinge' }, /got "hinge"/],
    [{ kind: 'margin', targets: [0, 0] }, /"targets" has no effect on the margin loss/],
    [{ kind: 'dlr', targets: [0] }, /loss\.targets must be one class .*; got 1/],
    [{ kind: 'cross-entropy', weight: 2 }, /"weight" has no effect/],
    [Object.create({ kind: 'margin' }), /got undefined/],
  ])('loss %j', async (loss, message) => {
    await expect(serve().call('victim.lossAndGradient', [two(), [0, 1], loss])).rejects.toThrow(message)
  })

  test('the arguments themselves', async () => {
    const server = serve()
    await expect(server.call('victim.logits', { 0: two() } as unknown as unknown[])).rejects.toThrow(
      /arguments must be a short list; got an object/,
    )
    await expect(server.call('victim.logits', [1, 2, 3, 4, 5])).rejects.toThrow(/short list/)
    await expect(server.call('victim.vjp', [two(), wire([0, 0, 0, 0], [1, 4])])).rejects.toThrow(
      /cotangent must be float32 of shape \(2, 4\); got shape \(1, 4\)/,
    )
  })

  test('anything at all: an error in words, never a crash, never a booking', async () => {
    const server = serve()
    const anything = fc.oneof(
      fc.anything({ withTypedArray: true, withNullPrototype: true, withSparseArray: true, withBigInt: true }),
      fc.record(
        {
          shape: fc.anything(),
          dtype: fc.constantFrom('float32', 'int32', 'x'),
          values: fc.anything({ withTypedArray: true }),
        },
        { requiredKeys: [] },
      ),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(
          'victim.logits',
          'victim.lossAndGradient',
          'victim.vjp',
          'oracle.scores',
          'trainer.step',
          'data.batch',
        ),
        fc.array(anything, { maxLength: 4 }),
        async (capability, args) => {
          await expect(server.call(capability, args)).rejects.toMatchObject({
            name: 'PerturbError',
            code: 'bad-input',
          })
        },
      ),
      { numRuns: runs(300) },
    )
    expect(server.figures().used).toBe(0)
  })

  test('what was checked is what is computed: the sender cannot change it in between', async () => {
    const x = wire(new Array(600).fill(0.5))
    const turncoat: Model = { ...model, logits: (batch) => (x.values.fill(NaN), model.logits(batch)) }
    const { values } = (await serve({}, turncoat).call('victim.logits', [x])) as WireTensor
    expect(values.every((value) => Number.isFinite(value))).toBe(true)
  })
})

describe('queue', () => {
  test('answers one call at a time, in order, and refuses more than are sensible', async () => {
    let atOnce = 0
    let most = 0
    const slow: Model = {
      ...model,
      async logits(x) {
        most = Math.max(most, ++atOnce)
        await new Promise((resolve) => setTimeout(resolve, 1))
        atOnce--
        return model.logits(x)
      },
    }
    const server = serve({}, slow)
    const calls = Array.from({ length: maxWaiting + 5 }, () => server.call('victim.logits', [two()]))
    const results = await Promise.allSettled(calls)
    expect(most).toBe(1)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(maxWaiting)
    expect(results.slice(maxWaiting)).toEqual(
      Array.from({ length: 5 }, () =>
        expect.objectContaining({ reason: expect.objectContaining({ code: 'flood' }) }),
      ),
    )
    await expect(server.call('victim.logits', [two()])).resolves.toBeDefined()
  })

  test('nothing is answered after close, not even what was waiting', async () => {
    const server = serve()
    const calls = [server.call('victim.logits', [two()]), server.call('victim.logits', [two()])]
    server.close()
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'cancelled' })
    await expect(server.call('victim.info', [])).rejects.toMatchObject({ code: 'cancelled' })
  })
})

describe('on a port', () => {
  function connect(server = serve()) {
    const { port1, port2 } = new MessageChannel()
    const line = serveCapabilities(port1, server)
    const replies: CapabilityReply[] = []
    let wake = () => {}
    port2.onmessage = ({ data }) => {
      replies.push(data as CapabilityReply)
      wake()
    }
    const hear = async (count: number) => {
      while (replies.length < count) await new Promise<void>((resolve) => (wake = resolve))
      return replies
    }
    return { port2, line, hear, close: () => (line.close(), port2.close()) }
  }

  test('answers with the ledger’s figures, refusals too', async () => {
    const { port2, hear, close } = connect(serve({ maxQueries: 3 }))
    port2.postMessage({ id: 1, capability: 'victim.logits', args: [two()] })
    port2.postMessage({ id: 2, capability: 'victim.logits', args: [two()] })
    port2.postMessage({ id: 3, capability: 'victim.logits', args: [wire([NaN, 0])] })
    const [first, second, third] = await hear(3)
    expect(first).toMatchObject({ id: 1, value: { shape: [2, 4] }, ledger: { used: 2, max: 3 } })
    expect(second).toMatchObject({ id: 2, error: { code: 'budget-spent' }, ledger: { used: 2, max: 3 } })
    expect(third).toMatchObject({
      id: 3,
      error: { code: 'bad-input', message: expect.stringMatching(/NaN at element 0/) },
    })
    expect(Object.keys((third as { error: object }).error).sort()).toEqual(['code', 'message'])
    close()
  })

  test('survives messages that are no requests', async () => {
    const { port2, hear, close } = connect()
    const odd = [
      null,
      7,
      'hello',
      [],
      {},
      { id: 'x' },
      { id: NaN },
      { id: 4 },
      { id: 5, capability: {} },
      { id: 6, capability: 'victim.logits' },
      { id: 7, capability: 'victim.logits', args: 'x' },
    ]
    for (const message of odd) port2.postMessage(message)
    port2.postMessage({ id: 8, capability: 'victim.info', args: [] })
    const replies = await hear(odd.length + 1)
    expect(replies.filter((reply) => 'error' in reply)).toHaveLength(odd.length)
    expect(replies.find(({ id }) => id === 8)).toMatchObject({ value: { numClasses: 4 } })
    close()
  })

  test('is silent after close', async () => {
    const { port2, line, hear } = connect()
    port2.postMessage({ id: 1, capability: 'victim.info', args: [] })
    await hear(1)
    line.close()
    port2.postMessage({ id: 2, capability: 'victim.info', args: [] })
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await hear(1)).toHaveLength(1)
    port2.close()
  })
})
