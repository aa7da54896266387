import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  NotKeptError,
  thisBrowser,
  whyNotKept,
  WorkStore,
  type StorePlace,
} from '../../../src/app/store.svelte.ts'
import type { Attempt, LabRecord } from '../../../src/grading/evidence.ts'

const record = (change: Partial<LabRecord> = {}): LabRecord => ({
  lab: 'evasion-fgsm',
  labVersion: '1.0.0',
  seed: 7,
  updated: 1,
  step: 'story',
  stepsDone: [],
  files: {},
  hints: {},
  quiz: {},
  knobs: {},
  attempts: [],
  ...change,
})

const attempt = (id: string, status: Attempt['verdict']['status'] = 'failed'): Attempt => ({
  id,
  checkpoint: 'fooled',
  time: `2026-11-23T00:00:0${id.length}.000Z`,
  source: 'code',
  backend: 'wasm',
  seed: 7,
  artefact: {
    kind: 'adversarial-examples',
    ids: [1],
    shape: [1, 2, 2, 1],
    pixels: Float32Array.of(0, 0.25, 0.5, 1),
  },
  files: { 'fgsm.ts': 'export {}' },
  verdict: { status, headline: `headline of ${id}`, rows: [] },
  hintsOpened: 0,
})

/** Two tabs that hear each other at once. */
function tabs(change: Partial<StorePlace> = {}) {
  const channels: { onmessage: ((event: MessageEvent) => unknown) | null }[] = []
  const channel = () => {
    const own = {
      onmessage: null as ((event: MessageEvent) => unknown) | null,
      postMessage: (data: unknown) => {
        for (const other of channels) if (other !== own) other.onmessage?.({ data } as MessageEvent)
      },
      close: () => undefined,
    }
    channels.push(own)
    return own
  }
  const make = () => new WorkStore({ ...thisBrowser, channel, persist: async () => true, ...change })
  return { make }
}

let stores: WorkStore[] = []
const opened = (store: WorkStore) => {
  stores.push(store)
  return store
}
beforeEach(() => {
  globalThis.indexedDB = new IDBFactory()
})
afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()))
  stores = []
})

describe('saved work', () => {
  it('comes back as it was, artefact bytes included', async () => {
    const { make } = tabs()
    const first = opened(make())
    const saved = record({
      attempts: [attempt('a', 'passed')],
      files: { 'fgsm.ts': { text: 'x', updated: 3 } },
    })
    await first.save(saved)
    expect(first.status).toBe('saved')
    await vi.waitFor(() => expect(first.persisted).toBe(true))
    const later = opened(make())
    await later.start()
    expect(await later.load('evasion-fgsm')).toEqual(saved)
    expect(later.summaries).toMatchObject([
      { lab: 'evasion-fgsm', passed: ['fooled'], attempts: 1, last: { headline: 'headline of a' } },
    ])
  })

  it('of two tabs is merged, not overwritten, and both hear of it', async () => {
    const { make } = tabs()
    const [one, two] = [opened(make()), opened(make())]
    const heard: LabRecord[] = []
    one.onChange('evasion-fgsm', (merged) => heard.push(merged))
    await one.save(record({ attempts: [attempt('a')], stepsDone: ['story'] }))
    await two.save(record({ updated: 2, attempts: [attempt('bb')], stepsDone: ['explore'] }))
    const merged = await one.load('evasion-fgsm')
    expect(merged?.attempts.map(({ id }) => id)).toEqual(['a', 'bb'])
    expect(merged?.stepsDone).toEqual(['explore', 'story'])
    await vi.waitFor(() => expect(heard.at(-1)?.attempts).toHaveLength(2))
  })

  it('survives two tabs that save at the same moment', async () => {
    const { make } = tabs()
    const [one, two] = [opened(make()), opened(make())]
    await Promise.all([
      ...['a', 'bb', 'ccc'].map((id, i) => one.save(record({ updated: i + 2, attempts: [attempt(id)] }))),
      ...['dddd', 'eeeee'].map((id, i) => two.save(record({ updated: i + 10, attempts: [attempt(id)] }))),
    ])
    expect((await one.load('evasion-fgsm'))?.attempts.map(({ id }) => id)).toEqual([
      'a',
      'bb',
      'ccc',
      'dddd',
      'eeeee',
    ])
  })

  it('is erased in every tab, and an old tab does not write it back', async () => {
    const { make } = tabs()
    const [one, two] = [opened(make()), opened(make())]
    const told = vi.fn()
    two.onErased = told
    await two.save(record({ attempts: [attempt('a')] }))
    await one.erase()
    expect(told).toHaveBeenCalledOnce()
    await two.save(record({ updated: 9, attempts: [attempt('a')] }))
    expect(await one.all()).toEqual([])
  })
})

describe('storage that refuses', () => {
  const refusing = (name: string) => tabs({ open: () => Promise.reject(new DOMException('no', name)) })

  it('keeps work in memory when it is denied, says so, and can still export', async () => {
    const store = opened(refusing('SecurityError').make())
    await store.start()
    await expect(store.save(record({ attempts: [attempt('a')] }))).rejects.toThrow(NotKeptError)
    expect(store.status).toBe('memory-only')
    expect(store.reason).toMatch(/does not let the page store.*export/s)
    expect((await store.all())[0]?.attempts).toHaveLength(1)
    expect((await store.load('evasion-fgsm'))?.attempts).toHaveLength(1)
    expect(store.summaries).toHaveLength(1)
  })

  it('saves what was held in memory once there is room again', async () => {
    let full = true
    const { make } = tabs({
      open: async () => {
        if (full) throw new DOMException('no room', 'QuotaExceededError')
        return thisBrowser.open()
      },
    })
    const store = opened(make())
    await expect(store.save(record({ attempts: [attempt('a')] }))).rejects.toThrow(/full/)
    full = false
    await store.save(record({ updated: 2, attempts: [attempt('bb')] }))
    expect(store.status).toBe('saved')
    expect(store.reason).toBe('')
    const later = opened(tabs().make())
    expect((await later.load('evasion-fgsm'))?.attempts.map(({ id }) => id)).toEqual(['a', 'bb'])
  })

  it('does not lose a save that fails while an earlier one is still being written', async () => {
    let opens = 0
    const { make } = tabs({
      open: async () => {
        if (++opens > 1) throw new DOMException('no room', 'QuotaExceededError')
        return thisBrowser.open()
      },
    })
    const store = opened(make())
    await store.save(record({ attempts: [attempt('a')] }))
    await store.close()
    await expect(store.save(record({ updated: 2, attempts: [attempt('bb')] }))).rejects.toThrow(NotKeptError)
    await expect(store.save(record({ updated: 3, attempts: [attempt('ccc')] }))).rejects.toThrow(/full/)
    expect((await store.all()).flatMap(({ attempts }) => attempts.map(({ id }) => id))).toEqual(['bb', 'ccc'])
  })

  it('sets a damaged record aside instead of overwriting or choking on it', async () => {
    const database = await thisBrowser.open()
    await database.put('records', { lab: 'evasion-fgsm', attempts: 'gone' } as unknown as LabRecord)
    database.close()
    const store = opened(tabs().make())
    expect(await store.load('evasion-fgsm')).toBeUndefined()
    expect(store.remark).toMatch(/set aside, not deleted/)
    await store.save(record())
    expect(store.status).toBe('saved')
    const again = await thisBrowser.open()
    expect(await again.getAll('damaged')).toMatchObject([{ found: { attempts: 'gone' } }])
    again.close()
  })

  it('names each cause in words', () => {
    for (const name of [
      'QuotaExceededError',
      'SecurityError',
      'VersionError',
      'TimeoutError',
      'UnknownError',
    ]) {
      expect(whyNotKept(new DOMException('x', name))).toMatch(/^[A-Z].*export it on the settings page/s)
    }
  })
})
