import { beforeEach, describe, expect, it } from 'vitest'
import type { FrameMessage, Limits, WorkerAnswer } from '../../../src/sandbox/protocol.ts'
import { rawError, Relay } from '../../../src/sandbox/runtime/relay.ts'

const limits: Limits = {
  consoleLines: 5,
  consoleBytes: 40,
  messagesPerSecond: 20,
  requestBytes: 4096,
  artefactBytes: 64,
}
let time: number
let page: FrameMessage[]
let engine: { id: number; capability: string; args: unknown[] }[]
let worker: WorkerAnswer[]
let terminated: number
let relay: Relay

beforeEach(() => {
  time = 1000
  page = []
  engine = []
  worker = []
  terminated = 0
  relay = new Relay(limits, {
    toPage: (message) => page.push(message),
    toEngine: (request) => engine.push(request),
    toWorker: (answer) => worker.push(answer),
    terminate: () => terminated++,
    now: () => time,
  })
})
const call = (id: unknown, capability: unknown = 'victim.logits', args: unknown = []) =>
  relay.fromWorker({ type: 'call', request: { id, capability, args } })
const examples = (pixels: unknown = new Float32Array(4), shape: unknown = [1, 4], ids: unknown = [3]) => ({
  type: 'submit',
  artefact: { ids, shape, pixels },
})

describe('Relay', () => {
  it('stops the worker at the first message over the rate, and is silent afterwards', () => {
    for (let i = 0; i < 1e4; i++) relay.fromWorker({ type: 'progress', done: i, total: 1e4 })
    expect(terminated).toBe(1)
    expect(page.at(-1)).toMatchObject({
      type: 'flood',
      message: expect.stringContaining('more than 20 messages in a second'),
    })
    expect(page.length).toBeLessThan(5)
    relay.fromWorker({ type: 'finished' })
    relay.fail({ message: 'late' })
    relay.strayMessage()
    relay.fromEngine({ id: 1, value: 1, ledger: { used: 0, max: 1 } })
    expect(page.at(-1)!.type).toBe('flood')
    expect(terminated).toBe(1)
  })

  it('tells the time in which a question was before the engine, overlapping ones once', () => {
    const answer = (id: number) => relay.fromEngine({ id, value: 1, ledger: { used: 0, max: 1 } })
    expect(relay.waitedMs).toBe(0)
    call(1, 'victim.logits')
    time += 400
    expect(relay.waitedMs).toBe(400)
    call(2, 'data.sample')
    time += 100
    answer(1)
    time += 50
    answer(2)
    time += 5000
    expect(relay.waitedMs).toBe(550)
    call(3)
    time += 7
    expect(relay.waitedMs).toBe(557)
  })

  it('counts anew each second', () => {
    for (let second = 0; second < 5; second++, time += 1000)
      for (let i = 0; i < 20; i++) relay.fromWorker({ type: 'nonsense' })
    expect(terminated).toBe(0)
  })

  it('takes a message past its port for a flood', () => {
    relay.strayMessage()
    expect(page).toEqual([{ type: 'flood', message: expect.stringContaining('messages of its own') }])
    expect(terminated).toBe(1)
  })

  it('caps lines and bytes of the console whatever the worker counted, and says how many it dropped', () => {
    relay.fromWorker({
      type: 'console',
      lines: [{ level: 'log', text: 'x'.repeat(41) }, { level: 'shout', text: 'a' }, { text: 7 }, null],
      dropped: 2,
    })
    relay.fromWorker({
      type: 'console',
      lines: Array.from({ length: 9 }, () => ({ level: 'warn', text: 'b' })),
      dropped: -5,
    })
    relay.flush()
    const told = page.filter((message) => message.type === 'console')
    expect(told.flatMap((message) => message.lines)).toEqual([
      { level: 'log', text: 'a' },
      ...Array.from({ length: 4 }, () => ({ level: 'warn', text: 'b' })),
    ])
    expect(told.reduce((sum, message) => sum + message.dropped, 0)).toBe(2 + 1 + 1)
  })

  it('lets one request of each capability be under way', () => {
    call(1)
    call(2)
    call(3, 'data.sample')
    expect(engine.map(({ id }) => id)).toEqual([1, 3])
    expect(worker).toEqual([
      {
        type: 'reply',
        reply: expect.objectContaining({ id: 2, error: expect.objectContaining({ code: 'flood' }) }),
      },
    ])
    relay.fromEngine({ id: 1, value: 'answer', ledger: { used: 2, max: 9 } })
    expect(page.at(-1)).toEqual({ type: 'ledger', figures: { used: 2, max: 9 } })
    call(4)
    expect(engine.map(({ id }) => id)).toEqual([1, 3, 4])
  })

  it('passes no answer to a request that was never made', () => {
    relay.fromEngine({ id: 77, value: 1, ledger: { used: 0, max: 1 } })
    expect(worker).toEqual([])
  })

  it.each([
    ['an id that is no whole number', () => call(1.5)],
    ['a capability that is no text', () => call(1, {})],
    ['arguments that are no list', () => call(1, 'victim.logits', { length: 2 })],
    ['no request at all', () => relay.fromWorker({ type: 'call' })],
    [
      'a request on the prototype',
      () => relay.fromWorker({ type: 'call', request: Object.create({ id: 1, capability: 'x', args: [] }) }),
    ],
  ])('does not pass on %s', (_, send) => {
    send()
    expect(engine).toEqual([])
  })

  it.each([
    ['too many bytes', new Float32Array(2000)],
    ['a small view of a large buffer', new Float32Array(new ArrayBuffer(8000), 0, 1)],
    ['a deep object', { a: { b: { c: { d: { e: { f: 1 } } } } } }],
    ['a long list', Array.from({ length: 1000 }, () => 1)],
    ['a Map', new Map()],
  ])('refuses a request with %s', (_, argument) => {
    call(1, 'victim.logits', [argument])
    expect(engine).toEqual([])
    expect(worker[0]).toMatchObject({ reply: { id: 1, error: { code: 'bad-input' } } })
  })

  it('passes one good hand-in on as a fresh object, and refuses the second', () => {
    const sent = examples()
    relay.fromWorker(sent)
    relay.fromWorker(examples())
    expect(page).toEqual([
      {
        type: 'submit',
        artefact: { kind: 'adversarial-examples', ids: [3], shape: [1, 4], pixels: new Float32Array(4) },
      },
    ])
    expect((page[0] as { artefact: { pixels: Float32Array } }).artefact.pixels).not.toBe(sent.artefact.pixels)
    expect(worker).toEqual([
      { type: 'submitted' },
      { type: 'submitted', error: { code: 'bad-input', message: expect.stringContaining('hands in once') } },
    ])
  })

  it('passes scores on, each column a copy, and refuses those that are not numbers for the ids', () => {
    const values = Float32Array.of(0.5)
    relay.fromWorker({
      type: 'submit',
      artefact: { ids: [3], columns: [{ name: 'radius', values, more: 1 }] },
    })
    expect(page).toEqual([
      { type: 'submit', artefact: { kind: 'scores', ids: [3], columns: [{ name: 'radius', values }] } },
    ])
    const { artefact } = page[0] as { artefact: { columns: { values: Float32Array }[] } }
    expect(artefact.columns[0]!.values).not.toBe(values)
  })
  it.each([
    ['no columns', [], 'got an empty list'],
    ['a column that is no column', [null], 'short names; got nothing'],
    ['a plain list', [{ name: 'radius', values: [0.5] }], 'scores.radius must be a list of numbers'],
    ['a number too many', [{ name: 'radius', values: new Float32Array(2) }], 'each of the 1 ids; got 2'],
    [
      'infinity',
      [{ name: 'radius', values: Float32Array.of(Infinity) }],
      'scores.radius must be finite; got Infinity',
    ],
  ])('refuses scores with %s', (_, columns, reason) => {
    relay.fromWorker({ type: 'submit', artefact: { ids: [3], columns } })
    expect(page).toEqual([])
    expect(worker).toEqual([
      { type: 'submitted', error: { code: 'bad-input', message: expect.stringContaining(reason) as string } },
    ])
  })

  const detached = () => {
    const array = new Float32Array(4)
    structuredClone(array, { transfer: [array.buffer] })
    return array
  }
  it.each([
    ['NaN', examples(Float32Array.of(0, NaN, 0, 0)), 'got NaN in row 0'],
    ['infinity', examples(Float32Array.of(0, 0, 0, -Infinity)), 'got -Infinity'],
    ['another dtype', examples(new Float64Array(4)), 'float32 tensor; got a Float64Array'],
    ['a plain list', examples([0, 0, 0, 0]), 'got a list of 4'],
    ['a detached buffer', examples(detached()), 'must hold 4 numbers; got 0'],
    ['a shape that does not multiply', examples(undefined, [1, 5]), 'must hold 5 numbers; got 4'],
    ['rows without ids', examples(undefined, [2, 2]), 'one row for each of the 1 ids'],
    ['a negative size', examples(undefined, [1, -4]), 'got (1, -4)'],
    ['a scalar shape', examples(undefined, [1]), 'one row an image'],
    ['ids that are no indices', examples(undefined, undefined, ['3']), 'list of 1 to 100,000 whole numbers'],
    ['no ids', examples(undefined, undefined, []), 'got an empty list'],
    ['too many bytes', examples(new Float32Array(17), [1, 17]), 'at most'],
    ['nothing', { type: 'submit' }, 'got nothing'],
    [
      'fields on the prototype',
      { type: 'submit', artefact: Object.create({ ids: [1], shape: [1, 4], pixels: new Float32Array(4) }) },
      'got nothing',
    ],
    [
      'fields under __proto__',
      { type: 'submit', artefact: JSON.parse('{"__proto__": {"ids": [1]}}') },
      'got nothing',
    ],
  ])('refuses a hand-in with %s, and says so to the program', (_, message, words) => {
    relay.fromWorker(message)
    expect(page).toEqual([])
    expect(worker).toEqual([
      { type: 'submitted', error: { code: 'bad-input', message: expect.stringContaining(words) } },
    ])
  })

  it('draws progress a few times a second, its end always, and no nonsense', () => {
    for (const done of [1, 2, 3, 10]) relay.fromWorker({ type: 'progress', done, total: 10 })
    time += 60
    relay.fromWorker({ type: 'progress', done: -3, total: 10 })
    for (const bad of [
      { done: NaN, total: 1 },
      { done: 1, total: 0 },
      { done: '1', total: 2 },
      { done: 1, total: Infinity },
    ])
      relay.fromWorker({ type: 'progress', ...bad })
    expect(page).toEqual([1, 10, 0].map((done) => ({ type: 'progress', done, total: 10 })))
  })

  it('tells the last lines before the end', () => {
    relay.fromWorker({ type: 'console', lines: [{ level: 'log', text: 'a' }], dropped: 0 })
    relay.fromWorker({ type: 'console', lines: [{ level: 'log', text: 'b' }], dropped: 0 })
    relay.fromWorker({ type: 'failed', error: { message: 'x' } })
    expect(page.map(({ type }) => type)).toEqual(['console', 'console', 'failed'])
    expect(terminated).toBe(1)
  })
})

it('copies an error’s words only, cut to length', () => {
  expect(
    rawError({ message: 'm'.repeat(9999), stack: 's'.repeat(99999), line: 1.5, column: 3, extra: 1 }),
  ).toEqual({
    message: 'm'.repeat(2000),
    stack: 's'.repeat(8000),
    code: undefined,
    line: undefined,
    column: 3,
  })
  expect(rawError(undefined).message).toContain('says nothing')
})
