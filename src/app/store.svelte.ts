import { openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction } from 'idb'
import type { Attempt, LabRecord } from '../grading/evidence.ts'
import { mergeRecords } from '../grading/records.ts'

/** What the home page needs of a lab, without loading its artefacts. */
export interface LabSummary {
  lab: string
  /** Unix ms of the last change. */
  updated: number
  step: string
  /** Checkpoints with a passed attempt. */
  passed: string[]
  attempts: number
  /** The last attempt: its checkpoint and the headline of its verdict. */
  last?: { checkpoint: string; headline: string; status: Attempt['verdict']['status'] }
}

interface Schema extends DBSchema {
  records: { key: string; value: LabRecord }
  summaries: { key: string; value: LabSummary }
  /** Records that could not be read: kept, never overwritten, never thrown away. */
  damaged: { key: string; value: { found: unknown; time: string } }
}
type Database = IDBPDatabase<Schema>
type Transaction = IDBPTransaction<Schema, ('records' | 'summaries' | 'damaged')[], 'readwrite'>

/** News between tabs. */
type News = { type: 'saved'; lab: string } | { type: 'erased' }

/** What the store needs of the browser; a test hands in its own. */
export interface StorePlace {
  open: () => Promise<Database>
  channel: () => Pick<BroadcastChannel, 'postMessage' | 'close' | 'onmessage'> | undefined
  /** Asks the browser not to evict; undefined where it cannot be asked. */
  persist: () => Promise<boolean | undefined>
}

export type StoreStatus = 'saved' | 'saving' | 'memory-only'

/** Where a save went wrong; the work is still in memory. */
export class NotKeptError extends Error {
  override readonly name = 'NotKeptError'
}

/**
 * The learner's saved work: one record a lab in IndexedDB. Two tabs merge instead of overwriting. When the
 * browser refuses (full, blocked, corrupt), everything stays in memory, `reason` says why in words, each
 * later save tries again, and the work can still be exported.
 */
export class WorkStore {
  status = $state<StoreStatus>('saved')
  /** Why nothing is kept, and what to do; set when status is `memory-only`. */
  reason = $state('')
  /** A remark that does not stop saving, e.g. that a damaged record was set aside. */
  remark = $state('')
  /** Whether the browser promised not to evict; undefined when it cannot be asked. */
  persisted = $state<boolean | undefined>(undefined)
  /** One entry a lab with any work, latest first. */
  summaries = $state.raw<LabSummary[]>([])

  readonly #place: StorePlace
  readonly #memory = new Map<string, LabRecord>()
  readonly #listeners = new Map<string, Set<(record: LabRecord) => void>>()
  #database: Promise<Database> | undefined
  #channel: ReturnType<StorePlace['channel']>
  #askedToPersist = false
  #pending = 0
  /** Set when another tab erased everything: this tab must not write its old work back. */
  #erased = false
  onErased: (() => void) | undefined

  constructor(place: StorePlace) {
    this.#place = place
    this.#channel = place.channel()
    if (this.#channel) this.#channel.onmessage = (event: MessageEvent<News>) => void this.#heard(event.data)
  }

  /** Reads the summaries for the home page. Never throws: trouble becomes state. */
  async start(): Promise<void> {
    try {
      const database = await this.#open()
      this.#show(await database.getAll('summaries'))
    } catch (error) {
      this.#failed(error)
    }
  }

  /** The record of a lab; undefined when there is none. Never throws: trouble becomes state. */
  async load(lab: string): Promise<LabRecord | undefined> {
    try {
      const stored = await this.#read(lab)
      const held = this.#memory.get(lab)
      return stored && held ? mergeRecords(stored, held) : (held ?? stored)
    } catch (error) {
      this.#failed(error)
      return this.#memory.get(lab)
    }
  }

  /**
   * Keeps a record: in memory at once, then on disk, merged with what another tab may have saved meanwhile.
   * Throws NotKeptError, with words for the learner, when the disk refuses; the memory still holds it.
   */
  async save(record: LabRecord): Promise<void> {
    if (this.#erased) return
    const held = this.#memory.get(record.lab)
    const latest = held ? mergeRecords(held, record) : record
    this.#memory.set(record.lab, latest)
    this.#show([...this.summaries.filter((one) => one.lab !== record.lab), summaryOf(latest)])
    this.#pending++
    this.status = 'saving'
    try {
      const database = await this.#open()
      // Read and write in one transaction: another tab may be saving at this moment.
      const transaction = database.transaction(['records', 'summaries', 'damaged'], 'readwrite')
      const stored = this.#sound(
        record.lab,
        await transaction.objectStore('records').get(record.lab),
        transaction,
      )
      const merged = stored ? mergeRecords(stored, latest) : latest
      await Promise.all([
        transaction.objectStore('records').put(merged),
        transaction.objectStore('summaries').put(summaryOf(merged)),
        transaction.done,
      ])
      if (this.#memory.get(record.lab) === latest) this.#memory.delete(record.lab)
      this.#channel?.postMessage({ type: 'saved', lab: record.lab } satisfies News)
      if (!sameWork(merged, latest)) this.#tell(merged)
      if (--this.#pending === 0) this.status = 'saved'
      this.reason = ''
      void this.#askToPersist()
    } catch (error) {
      this.#pending = Math.max(0, this.#pending - 1)
      this.#failed(error)
      throw new NotKeptError(this.reason)
    }
  }

  /** Calls back when another tab saved work of this lab. Returns the clean-up. */
  onChange(lab: string, listener: (record: LabRecord) => void): () => void {
    const listeners = this.#listeners.get(lab) ?? new Set()
    this.#listeners.set(lab, listeners.add(listener))
    return () => void listeners.delete(listener)
  }

  /** Every record: what is on disk united with what is only in memory. For export; throws nothing. */
  async all(): Promise<LabRecord[]> {
    const records = new Map(this.#memory)
    try {
      const database = await this.#open()
      for (const stored of await database.getAll('records')) {
        if (!isRecord(stored)) continue
        const held = records.get(stored.lab)
        records.set(stored.lab, held ? mergeRecords(stored, held) : stored)
      }
    } catch (error) {
      this.#failed(error)
    }
    return [...records.values()]
  }

  /** Unites records from a file with the ones here. Throws NotKeptError when the disk refuses. */
  async importRecords(records: readonly LabRecord[]): Promise<void> {
    for (const record of records) {
      await this.save(record)
      const merged = await this.load(record.lab)
      if (merged) this.#tell(merged)
    }
  }

  /** Deletes everything the learner made, in every tab. Throws when the disk refuses. */
  async erase(): Promise<void> {
    const database = await this.#open()
    const transaction = database.transaction(['records', 'summaries', 'damaged'], 'readwrite')
    await Promise.all([
      transaction.objectStore('records').clear(),
      transaction.objectStore('summaries').clear(),
      transaction.objectStore('damaged').clear(),
      transaction.done,
    ])
    this.#memory.clear()
    this.summaries = []
    this.remark = ''
    this.#channel?.postMessage({ type: 'erased' } satisfies News)
  }

  /** Reads again what other tabs wrote; called when the page is looked at again. */
  async refresh(): Promise<void> {
    for (const lab of this.#listeners.keys()) await this.#heard({ type: 'saved', lab })
  }

  async close(): Promise<void> {
    this.#channel?.close()
    const database = await this.#database?.catch(() => undefined)
    database?.close()
  }

  async #read(lab: string): Promise<LabRecord | undefined> {
    const database = await this.#open()
    const transaction = database.transaction(['records', 'summaries', 'damaged'], 'readwrite')
    const stored = this.#sound(lab, await transaction.objectStore('records').get(lab), transaction)
    await transaction.done
    return stored
  }

  /** What was found, when it is a record; otherwise it is set aside within the transaction. */
  #sound(lab: string, found: unknown, transaction: Transaction): LabRecord | undefined {
    if (found === undefined) return undefined
    if (isRecord(found) && found.lab === lab) return found
    void transaction
      .objectStore('damaged')
      .put({ found, time: new Date().toISOString() }, `${lab} ${Date.now()}`)
    void transaction.objectStore('records').delete(lab)
    this.remark = `The saved work of ${lab} could not be read. It was set aside, not deleted; this lab starts afresh.`
    return undefined
  }

  #open(): Promise<Database> {
    this.#database ??= this.#place.open()
    const opening = this.#database
    // A failed or closed database is opened again by the next save.
    opening.catch(() => {
      if (this.#database === opening) this.#database = undefined
    })
    return opening
  }

  async #heard(news: News): Promise<void> {
    if (news.type === 'erased') {
      this.#erased = true
      this.#memory.clear()
      this.summaries = []
      this.onErased?.()
      return
    }
    const record = await this.load(news.lab)
    if (!record) return
    this.#show([...this.summaries.filter((one) => one.lab !== news.lab), summaryOf(record)])
    this.#tell(record)
  }

  #tell(record: LabRecord) {
    for (const listener of this.#listeners.get(record.lab) ?? []) listener(record)
  }

  #show(summaries: LabSummary[]) {
    this.summaries = summaries.sort((a, b) => b.updated - a.updated)
  }

  #failed(error: unknown) {
    this.status = 'memory-only'
    this.reason = whyNotKept(error)
    this.#database = undefined
  }

  async #askToPersist(): Promise<void> {
    if (this.#askedToPersist) return
    this.#askedToPersist = true
    this.persisted = await this.#place.persist().catch(() => undefined)
  }
}

/** The reason, in words, with the next thing to do. */
export function whyNotKept(error: unknown): string {
  const name = error instanceof Error || error instanceof DOMException ? error.name : ''
  const next = 'Your work is in memory until this page closes: export it on the settings page.'
  if (name === 'QuotaExceededError')
    return `The browser's storage for this site is full. ${next} Freeing space lets the next save through.`
  if (name === 'SecurityError' || name === 'InvalidStateError')
    return `This browser does not let the page store anything (a private window or a setting). ${next}`
  if (name === 'VersionError')
    return `A newer version of Perturb has written the saved work here. Reload the page to get that version. ${next}`
  if (name === 'TimeoutError')
    return `The browser's storage did not answer; another tab may be holding it. ${next}`
  return `The browser's storage failed (${error instanceof Error ? error.message : String(error)}). ${next}`
}

export function summaryOf(record: LabRecord): LabSummary {
  const last = record.attempts.reduce<Attempt | undefined>(
    (a, b) => (a && a.time > b.time ? a : b),
    undefined,
  )
  const passed = record.attempts.filter((one) => one.verdict.status === 'passed').map((one) => one.checkpoint)
  return {
    lab: record.lab,
    updated: record.updated,
    step: record.step,
    passed: [...new Set(passed)].sort(),
    attempts: record.attempts.length,
    ...(last && {
      last: { checkpoint: last.checkpoint, headline: last.verdict.headline, status: last.verdict.status },
    }),
  }
}

/** Own storage can still be damaged by a crash, another version or a curious learner. */
function isRecord(found: unknown): found is LabRecord {
  if (typeof found !== 'object' || found === null) return false
  const record = found as Partial<Record<keyof LabRecord, unknown>>
  return (
    typeof record.lab === 'string' &&
    typeof record.labVersion === 'string' &&
    typeof record.step === 'string' &&
    Number.isFinite(record.seed) &&
    Number.isFinite(record.updated) &&
    Array.isArray(record.stepsDone) &&
    Array.isArray(record.attempts) &&
    record.attempts.every((one: unknown) => isAttempt(one)) &&
    [record.files, record.hints, record.quiz, record.knobs].every(
      (one) => typeof one === 'object' && one !== null,
    )
  )
}

function isAttempt(found: unknown): found is Attempt {
  const attempt = found as Partial<Attempt> | null | undefined
  return (
    typeof attempt?.id === 'string' &&
    typeof attempt.time === 'string' &&
    typeof attempt.checkpoint === 'string' &&
    typeof attempt.verdict?.status === 'string'
  )
}

/** Whether two records of a lab hold the same work; artefacts are compared by their attempt's id. */
function sameWork(a: LabRecord, b: LabRecord): boolean {
  const essence = ({ attempts, ...rest }: LabRecord) => JSON.stringify([rest, attempts.map(({ id }) => id)])
  return essence(a) === essence(b)
}

const openTimeoutMs = 5000

function openHere(): Promise<Database> {
  const opening = openDB<Schema>('perturb', 1, {
    upgrade(database) {
      database.createObjectStore('records', { keyPath: 'lab' })
      database.createObjectStore('summaries', { keyPath: 'lab' })
      database.createObjectStore('damaged')
    },
    blocking: (_current, _wanted, event) => (event.target as IDBDatabase).close(),
  })
  const late = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new DOMException('IndexedDB did not open', 'TimeoutError')), openTimeoutMs),
  )
  return Promise.race([opening, late])
}

/** What a browser offers, without anything that needs a secure context. */
export const thisBrowser: StorePlace = {
  open: openHere,
  channel: () => (typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('perturb-work')),
  persist: async () => (typeof navigator === 'undefined' ? undefined : await navigator.storage?.persist?.()),
}

export const store = new WorkStore(thisBrowser)
