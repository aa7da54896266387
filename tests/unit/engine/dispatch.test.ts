import { describe, expect, test, vi } from 'vitest'
import { PerturbError } from '../../../src/core/errors.ts'
import { createDispatcher, methodLoaders, type AnyMethod } from '../../../src/engine/dispatch.ts'
import { createPace } from '../../../src/engine/pace.ts'
import type { FromWorker } from '../../../src/engine/protocol.ts'
import { createWorkshop } from '../../../src/engine/workshop.ts'
import { pretendBackends } from './helpers.ts'

/** A dispatcher over these methods, and all it has said. */
function setUp(methods: Record<string, Partial<AnyMethod>>, role: 'engine' | 'referee' = 'engine') {
  const said: FromWorker[] = []
  const backends = pretendBackends()
  const workshop = createWorkshop({
    role,
    fetchBytes: async () => new Uint8Array(),
    emit: (name, value) => said.push({ type: 'event', name, value }),
    backends: backends.door,
  })
  const loaders = Object.fromEntries(
    Object.entries(methods).map(([name, method]) => [
      name,
      async () => ({ name, runsOn: ['engine'], ...method }) as AnyMethod,
    ]),
  )
  const transfers: Transferable[][] = []
  const { handle } = createDispatcher(
    workshop,
    (message, transfer) => {
      said.push(message)
      transfers.push(transfer ?? [])
    },
    loaders,
  )
  const answered = (id: number) =>
    vi.waitUntil(
      () =>
        said.find((message) => (message.type === 'result' || message.type === 'error') && message.id === id),
      { interval: 1, timeout: 5000 },
    )
  return { handle, said, answered, transfers, backends, workshop }
}
const call = (id: number, method: string, params: unknown = undefined) =>
  ({ type: 'call', id, method, params }) as const

describe('dispatch', () => {
  test('answers a call with its result, and hands over what the method lists', async () => {
    const { handle, answered, transfers } = setUp({
      double: {
        run: async (params) => Float32Array.of((params as number) * 2),
        transfer: (result) => [(result as Float32Array).buffer as ArrayBuffer],
      },
    })
    handle(call(1, 'double', 21))
    const reply = await answered(1)
    expect(reply).toEqual({ type: 'result', id: 1, value: Float32Array.of(42) })
    expect(transfers.at(-1)).toEqual([(reply as { value: Float32Array }).value.buffer])
  })

  test('answers with the code and the words of an error', async () => {
    const { handle, answered } = setUp({
      fail: { run: () => Promise.reject(new PerturbError('bad-input', 'too big')) },
      crash: { run: () => Promise.reject(new TypeError('x is undefined')) },
    })
    handle(call(1, 'fail'))
    handle(call(2, 'crash'))
    expect(await answered(1)).toMatchObject({ error: { code: 'bad-input', message: 'too big' } })
    expect(await answered(2)).toMatchObject({ error: { code: 'unavailable', message: 'x is undefined' } })
  })

  test.each(['nonsense', 'constructor', '__proto__'])('has no method "%s"', async (name) => {
    const { handle, answered } = setUp({ double: {} })
    handle(call(1, name))
    expect(await answered(1)).toMatchObject({
      error: { code: 'missing', message: `no method "${name}"; the methods are double` },
    })
  })

  test('refuses a method that belongs to the other worker', async () => {
    const { handle, answered } = setUp({ grade: { runsOn: ['referee'], run: async () => 1 } })
    handle(call(1, 'grade'))
    expect(await answered(1)).toMatchObject({
      error: { message: 'grade runs on the referee; this is the engine' },
    })
  })

  test('refuses a method whose name is not its file’s', async () => {
    const { handle, answered } = setUp({ one: { name: 'two', run: async () => 1 } })
    handle(call(1, 'one'))
    expect(await answered(1)).toMatchObject({
      error: { message: expect.stringMatching(/name must be the file's, "one"; got "two"/) },
    })
  })

  test('a cancel reaches the method between its batches, and only that call', async () => {
    const methods: Record<string, Partial<AnyMethod>> = {
      long: {
        async run(_, { signal, progress }) {
          const breathe = createPace(signal)
          for (let done = 0; ; done++) {
            const until = performance.now() + 15
            while (performance.now() < until);
            progress(done, 1000)
            await breathe()
          }
        },
      },
      quick: { run: async () => 'done' },
    }
    const { handle, answered, said } = setUp(methods)
    handle(call(1, 'long'))
    await vi.waitUntil(() => said.some(({ type }) => type === 'progress'))
    handle(call(2, 'quick'))
    expect(await answered(2)).toMatchObject({ value: 'done' })
    expect(said.some((message) => message.type === 'error')).toBe(false)
    handle({ type: 'cancel', id: 1 })
    const heard = said.length
    expect(await answered(1)).toMatchObject({ error: { code: 'cancelled' } })
    expect(said.slice(heard).filter(({ type }) => type === 'progress')).toEqual([])
    handle({ type: 'cancel', id: 99 })
  })

  test('a call whose device is lost starts again on the next backend, which is told', async () => {
    const ran: string[] = []
    const { handle, answered, said, backends } = setUp({
      attack: {
        async run(_, __, workshop) {
          ran.push(workshop.backend.name)
          if (ran.length === 1) {
            backends.lose('webgpu')
            return new Promise(() => {})
          }
          return workshop.backend.name
        },
      },
    })
    handle(call(1, 'attack'))
    expect(await answered(1)).toMatchObject({ value: 'webgl' })
    expect(ran).toEqual(['webgpu', 'webgl'])
    expect(said.filter(({ type }) => type === 'event')).toEqual([
      {
        type: 'event',
        name: 'backend',
        value: expect.objectContaining({ name: 'webgl', why: 'webgpu lost its device' }),
      },
    ])
  })

  test('tells that the worker is beyond repair after a WASM trap', async () => {
    const { handle, answered, said } = setUp({
      trap: { run: () => Promise.reject(new WebAssembly.RuntimeError('memory access out of bounds')) },
    })
    handle(call(1, 'trap'))
    await answered(1)
    await vi.waitUntil(() => said.some((message) => message.type === 'event' && message.name === 'broken'))
  })

  test('every method file exports a method of its own name', async () => {
    expect(Object.keys(methodLoaders)).toEqual(
      expect.arrayContaining([
        'start',
        'report',
        'attacks',
        'attack-images',
        'sweep',
        'predict',
        'train-defence',
        'variant',
        'task',
        'grade',
        'open-run',
        'close-run',
      ]),
    )
    for (const [name, load] of Object.entries(methodLoaders)) expect((await load()).name).toBe(name)
  })
})
