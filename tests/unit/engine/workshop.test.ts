import { describe, expect, test } from 'vitest'
import { PerturbError } from '../../../src/core/errors.ts'
import { createWorkshop } from '../../../src/engine/workshop.ts'
import { seededModel } from '../../../src/models/seeded.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import { pretendBackends } from './helpers.ts'

function setUp(role: 'engine' | 'referee' = 'engine', broken: Parameters<typeof pretendBackends>[0] = []) {
  const events: [string, unknown][] = []
  const backends = pretendBackends(broken)
  const workshop = createWorkshop({
    role,
    fetchBytes: async () => new Uint8Array(),
    emit: (...event) => events.push(event),
    backends: backends.door,
  })
  return { workshop, backends, events }
}

describe('workshop', () => {
  test('starts a backend at the first work, once', async () => {
    const { workshop, backends } = setUp()
    expect(() => workshop.backend).toThrow(/no backend runs yet/)
    await Promise.all([workshop.attempt(async () => 1), workshop.attempt(async () => 2)])
    expect(workshop.backend.name).toBe('webgpu')
    expect(backends.started).toEqual(['webgpu'])
  })

  test('the referee takes WASM whatever is asked for, and nothing else', async () => {
    const { workshop } = setUp('referee')
    expect((await workshop.start('webgpu')).name).toBe('wasm')
    const { workshop: lame } = setUp('referee', ['wasm'])
    await expect(lame.start('auto')).rejects.toThrow(/wasm is broken/)
  })

  test('a start that failed is tried again by the next work', async () => {
    const broken: Parameters<typeof pretendBackends>[0] = ['webgpu']
    const { workshop } = setUp('engine', broken)
    await expect(workshop.attempt(async () => 1)).rejects.toThrow(/webgpu is broken/)
    broken.pop()
    await expect(workshop.attempt(async () => 1)).resolves.toBe(1)
  })

  test('weights of a seed that another worker trained are taken, and checked', async () => {
    const { workshop } = setUp()
    const { architecture } = seededModel('tumour-logistic')
    const weights = initialWeights(architecture, 3)
    expect(workshop.hasSeeded('tumour-logistic', 4)).toBe(false)
    await workshop.adopt('tumour-logistic', 4, weights)
    expect(workshop.hasSeeded('tumour-logistic', 4)).toBe(true)
    expect((await workshop.weights('tumour-logistic', 4)).weights).toEqual(weights)
    await workshop.adopt('tumour-logistic', 4, initialWeights(architecture, 8))
    expect((await workshop.weights('tumour-logistic', 4)).weights).toEqual(weights)
    await expect(workshop.adopt('tumour-logistic', 5, weights.slice(1))).rejects.toThrow(/is missing/)
    await expect(workshop.adopt('no-such', 5, weights)).rejects.toThrow(/no model "no-such"/)
  })

  test('changing the backend starts calls under way again on the new one', async () => {
    const { workshop } = setUp()
    await workshop.start('webgpu')
    const ran: string[] = []
    const work = workshop.attempt(async () => {
      ran.push(workshop.backend.name)
      if (ran.length === 1) return new Promise<string>(() => {})
      return 'done'
    })
    await Promise.resolve()
    expect((await workshop.start('wasm')).name).toBe('wasm')
    expect(await work).toBe('done')
    expect(ran).toEqual(['webgpu', 'wasm'])
    expect((await workshop.start('wasm')).name).toBe('wasm')
  })

  test('a lost device passes over backends that do not start, and says what it did', async () => {
    const { workshop, backends, events } = setUp('engine', ['webgl'])
    let tries = 0
    const result = await workshop.attempt(async () => {
      if (++tries === 1) {
        backends.lose('webgpu')
        throw new Error('buffer is unmapped')
      }
      return workshop.backend.name
    })
    expect(result).toBe('wasm')
    expect(events).toEqual([
      [
        'backend',
        expect.objectContaining({
          name: 'wasm',
          why: 'webgpu lost its device',
          probes: [{ name: 'webgpu', available: false, reason: 'its device was lost' }],
        }),
      ],
    ])
  })

  test('work that finds the loss itself is run again too', async () => {
    const { workshop } = setUp()
    let tries = 0
    const result = await workshop.attempt(async () => {
      if (++tries === 1) throw new PerturbError('device-lost', 'gone')
      return workshop.backend.name
    })
    expect(result).toBe('webgl')
  })

  test('when nothing else starts, the call fails in words and the page is told', async () => {
    const { workshop, backends, events } = setUp('engine', ['webgl', 'wasm', 'cpu'])
    const work = workshop.attempt(async () => {
      backends.lose('webgpu')
      return new Promise(() => {})
    })
    await expect(work).rejects.toThrow(
      /webgpu lost its device and no other backend starts \(webgl: webgl is broken; wasm: .*\); reload the page/,
    )
    expect(events.map(([name]) => name)).toEqual(['broken'])
  })

  test('an error of the work itself is not tried again', async () => {
    const { workshop } = setUp()
    let tries = 0
    await expect(workshop.attempt(async () => Promise.reject(new Error(`try ${++tries}`)))).rejects.toThrow(
      'try 1',
    )
    expect(tries).toBe(1)
  })

  test('the loss of a backend that is not in use changes nothing', async () => {
    const { workshop, backends, events } = setUp()
    await workshop.start('wasm')
    backends.lose('webgpu')
    expect(workshop.backend.name).toBe('wasm')
    expect(events).toEqual([])
  })

  test('keeps one thing under one key', () => {
    const { workshop } = setUp()
    const thing = workshop.keep('a', () => ({}))
    expect(workshop.keep('a', () => ({}))).toBe(thing)
    expect(workshop.keep('b', () => ({}))).not.toBe(thing)
  })
})
