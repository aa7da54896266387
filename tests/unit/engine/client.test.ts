import { describe, expect, test } from 'vitest'
import { WorkerClient, type WorkerLike } from '../../../src/engine/client.ts'
import type { FromWorker, ToWorker } from '../../../src/engine/protocol.ts'

/** A worker that a test speaks for. */
class FakeWorker implements WorkerLike {
  onmessage: WorkerLike['onmessage'] = null
  onerror: WorkerLike['onerror'] = null
  onmessageerror: WorkerLike['onmessageerror'] = null
  readonly heard: ToWorker[] = []
  terminated = false
  postMessage(message: ToWorker): void {
    this.heard.push(structuredClone(message))
  }
  terminate(): void {
    this.terminated = true
  }
  say(message: FromWorker): void {
    this.onmessage?.({ data: message } as MessageEvent)
  }
  crash(message = ''): void {
    this.onerror?.({ message } as ErrorEvent)
  }
  calls(): Extract<ToWorker, { type: 'call' }>[] {
    return this.heard.filter((message) => message.type === 'call')
  }
}

function setUp() {
  const workers: FakeWorker[] = []
  const create = () => {
    const worker = new FakeWorker()
    workers.push(worker)
    return worker
  }
  return { client: new WorkerClient('engine', create, 'https://host/app/'), workers }
}

describe('worker client', () => {
  test('starts its worker at the first call, and tells it where the files lie', async () => {
    const { client, workers } = setUp()
    expect(workers).toHaveLength(0)
    const answer = client.call<number>('add', { a: 1 })
    expect(workers[0]!.heard).toEqual([
      { type: 'hello', base: 'https://host/app/' },
      { type: 'call', id: 1, method: 'add', params: { a: 1 } },
    ])
    workers[0]!.say({ type: 'result', id: 1, value: 3 })
    expect(await answer).toBe(3)
    void client.call('add', {})
    expect(workers).toHaveLength(1)
  })

  test('gives each call its own answer, progress and error', async () => {
    const { client, workers } = setUp()
    const progress: unknown[][] = []
    const first = client.call<string>('a', 0, { onProgress: (...args) => progress.push(args) })
    const second = client.call('b', 0)
    workers[0]!.say({ type: 'progress', id: 1, done: 1, total: 2, values: { loss: 0.5 } })
    workers[0]!.say({ type: 'progress', id: 2, done: 9, total: 9 })
    workers[0]!.say({ type: 'error', id: 2, error: { code: 'missing', message: 'no b' } })
    workers[0]!.say({ type: 'result', id: 1, value: 'A' })
    workers[0]!.say({ type: 'result', id: 1, value: 'again' })
    workers[0]!.say({ type: 'result', id: 77, value: 'nobody asked' })
    expect(await first).toBe('A')
    await expect(second).rejects.toMatchObject({ name: 'PerturbError', code: 'missing', message: 'no b' })
    expect(progress).toEqual([[1, 2, { loss: 0.5 }]])
  })

  test('an abort rejects at once, tells the worker, and ignores what comes late', async () => {
    const { client, workers } = setUp()
    const controller = new AbortController()
    const progress: unknown[] = []
    const call = client.call('train', 0, {
      signal: controller.signal,
      onProgress: (done) => progress.push(done),
    })
    controller.abort()
    await expect(call).rejects.toMatchObject({ code: 'cancelled' })
    expect(workers[0]!.heard.at(-1)).toEqual({ type: 'cancel', id: 1 })
    workers[0]!.say({ type: 'progress', id: 1, done: 1, total: 2 })
    workers[0]!.say({ type: 'result', id: 1, value: 0 })
    expect(progress).toEqual([])
    await expect(client.call('train', 0, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    })
    expect(workers[0]!.calls()).toHaveLength(1)
  })

  test('an abort after the answer sends nothing', async () => {
    const { client, workers } = setUp()
    const controller = new AbortController()
    const call = client.call('a', 0, { signal: controller.signal })
    workers[0]!.say({ type: 'result', id: 1, value: 0 })
    await call
    controller.abort()
    expect(workers[0]!.heard.some(({ type }) => type === 'cancel')).toBe(false)
  })

  test('a crash rejects what is under way, and the next call has a fresh worker on the same backend', async () => {
    const { client, workers } = setUp()
    const started = client.call('start', { backend: 'webgpu' })
    workers[0]!.say({ type: 'result', id: 1, value: {} })
    await started
    const call = client.call('attack', 0)
    workers[0]!.crash('out of memory')
    await expect(call).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        /The engine stopped before it had an answer: out of memory\. Your work is kept; try again\./,
      ),
    })
    expect(workers[0]!.terminated).toBe(true)
    const again = client.call<string>('attack', 0)
    expect(workers).toHaveLength(2)
    expect(workers[1]!.heard.map((message) => ('method' in message ? message.method : message.type))).toEqual(
      ['hello', 'start', 'attack'],
    )
    expect(workers[1]!.calls()[0]!.params).toEqual({ backend: 'webgpu' })
    const [replayed, attack] = workers[1]!.calls()
    workers[1]!.say({ type: 'result', id: replayed!.id, value: {} })
    workers[0]!.say({ type: 'result', id: attack!.id, value: 'from the dead' })
    workers[1]!.say({ type: 'result', id: attack!.id, value: 'alive' })
    expect(await again).toBe('alive')
  })

  test('a worker that says it is broken is replaced', async () => {
    const { client, workers } = setUp()
    const call = client.call('a', 0)
    workers[0]!.say({ type: 'event', name: 'broken', value: 'memory access out of bounds' })
    await expect(call).rejects.toMatchObject({ code: 'unavailable' })
    void client.call('a', 0)
    expect(workers).toHaveLength(2)
  })

  test('a worker that cannot even be made is `unavailable`', async () => {
    const client = new WorkerClient('referee', () => {
      throw new Error('blocked by policy')
    })
    await expect(client.call('a', 0)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/The referee .*blocked by policy/),
    })
  })

  test('parameters that cannot be sent are an error of the call alone', async () => {
    const { client, workers } = setUp()
    await expect(client.call('a', { f: () => 1 })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/^a: the parameters cannot be sent/),
    })
    const next = client.call<number>('a', 1)
    workers[0]!.say({ type: 'result', id: 2, value: 5 })
    expect(await next).toBe(5)
  })

  test('listeners hear events until they stop', () => {
    const { client, workers } = setUp()
    const heard: unknown[] = []
    const stop = client.on('backend', (value) => heard.push(value))
    void client.call('a', 0)
    workers[0]!.say({ type: 'event', name: 'backend', value: 1 })
    workers[0]!.say({ type: 'event', name: 'other', value: 2 })
    stop()
    workers[0]!.say({ type: 'event', name: 'backend', value: 3 })
    expect(heard).toEqual([1])
  })
})
