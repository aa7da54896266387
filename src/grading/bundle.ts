import { Gunzip, gzipSync, strFromU8, strToU8 } from 'fflate'
import * as v from 'valibot'
import { PerturbError } from '../core/errors.ts'
import type { Artefact } from './artefact.ts'
import type { Attempt, EvidenceBundle, LabRecord } from './evidence.ts'
import { packArtefact, unpackArtefact, type Allowance, type PackedArtefact } from './packing.ts'
import { trimAttempts } from './records.ts'

/** The schema this version writes. A file of an older one is migrated step by step. */
export const schemaVersion = 1

/** Unpacked size above which a file is refused; also the most a file may weigh on disk. */
export const maxBundleBytes = 100_000_000

export interface DecodedBundle {
  bundle: EvidenceBundle
  /** Parts that could not be read. The rest is whole: one bad array does not cost a learner the others. */
  damaged: Damage[]
}

export interface Damage {
  lab?: string
  checkpoint?: string
  attempt?: string
  reason: string
}

/** The file a learner hands in: JSON, gzipped when asked. Of each checkpoint the best and last 50 attempts. */
export function encodeBundle(bundle: EvidenceBundle, options: { gzip?: boolean } = {}): Uint8Array {
  const labs = bundle.labs.map((lab) => ({
    ...lab,
    attempts: trimAttempts(lab.attempts).map((attempt) => ({
      ...attempt,
      artefact: packArtefact(attempt.artefact),
    })),
  }))
  const bytes = strToU8(
    JSON.stringify({ ...bundle, format: 'perturb-evidence', schema: schemaVersion, labs }),
  )
  return options.gzip ? gzipSync(bytes, { mtime: 0 }) : bytes
}

/**
 * Reads a bundle, gzipped or not. Throws `unreadable` with a sentence for a file that is empty, over 100 MB
 * (refused *while* inflating), cut short, something else, or written by a newer version.
 */
export function decodeBundle(file: Uint8Array): DecodedBundle {
  if (file.length === 0) throw unreadable('the file is empty. Export the evidence again')
  if (file.length > maxBundleBytes) throw tooLarge(`it is ${megabytes(file.length)}`)
  const isGzip = file[0] === 0x1f && file[1] === 0x8b
  const bytes = isGzip ? gunzip(file, maxBundleBytes) : file
  const document = migrate(parseJson(bytes), migrations, schemaVersion)
  return readBundle(document, { bytes: maxBundleBytes })
}

export type Migration = (older: Record<string, unknown>) => Record<string, unknown>

/**
 * From schema n to n + 1, by n. Each gets a test and is never edited afterwards: files of that schema
 * exist. Schema 1 is the first, so there is nothing here yet.
 */
export const migrations: Readonly<Record<number, Migration>> = {}

/** Checks format and schema, then applies the steps in between. Throws `unreadable`. */
export function migrate(
  document: unknown,
  steps: Readonly<Record<number, Migration>>,
  current: number,
): Record<string, unknown> {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw unreadable(
      `it holds ${Array.isArray(document) ? 'a list' : String(typeof document)}, not an evidence bundle`,
    )
  }
  const { format, schema } = document as { format?: unknown; schema?: unknown }
  if (format !== 'perturb-evidence') {
    throw unreadable(
      `expected format "perturb-evidence"; got ${format === undefined ? 'none' : JSON.stringify(format).slice(0, 60)}. Is this another program's file?`,
    )
  }
  if (!Number.isSafeInteger(schema) || (schema as number) < 1) {
    throw unreadable(
      `expected a schema number of at least 1; got ${JSON.stringify(schema ?? null).slice(0, 60)}`,
    )
  }
  if ((schema as number) > current) {
    throw unreadable(
      `it was written by a newer Perturb (schema ${schema}; this one reads up to ${current}). Update Perturb and read it again`,
    )
  }
  let migrated = document as Record<string, unknown>
  for (let version = schema as number; version < current; version++) {
    const step = steps[version]
    if (!step) throw unreadable(`no migration from schema ${version} is known`)
    migrated = { ...step(migrated), schema: version + 1 }
  }
  return migrated
}

/** Inflates in slices and gives up as soon as more than `limit` bytes came out. */
function gunzip(file: Uint8Array, limit: number): Uint8Array {
  // Head and tail alone take 18 bytes (RFC 1952); fflate takes less for an empty file.
  if (file.length < 18) throw unreadable('it is gzip, but cut short. Export or copy it again')
  const chunks: Uint8Array[] = []
  let size = 0
  const stream = new Gunzip((chunk) => {
    size += chunk.length
    if (size > limit) throw tooLarge('it unpacks to more')
    chunks.push(chunk)
  })
  const slice = 1 << 14
  try {
    for (let at = 0; at < file.length; at += slice)
      stream.push(file.subarray(at, at + slice), at + slice >= file.length)
  } catch (error) {
    if (error instanceof PerturbError) throw error
    throw unreadable('it is gzip, but damaged or cut short. Export or copy it again', error)
  }
  const bytes = new Uint8Array(size)
  chunks.reduce((at, chunk) => (bytes.set(chunk, at), at + chunk.length), 0)
  return bytes
}

function parseJson(bytes: Uint8Array): unknown {
  const text = strFromU8(bytes).trim()
  if (text === '') throw unreadable('the file is empty. Export the evidence again')
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    const cut = text.startsWith('{') && !text.endsWith('}')
    throw unreadable(
      cut
        ? 'it is cut short: the JSON stops in the middle. Export or copy it again'
        : 'it is not JSON, gzipped or not',
      error,
    )
  }
}

const unreadable = (why: string, cause?: unknown) =>
  new PerturbError('unreadable', `This file is no evidence that can be read: ${why}.`, { cause })
const tooLarge = (how: string) =>
  unreadable(`a bundle may be ${megabytes(maxBundleBytes)} at most, unpacked, and ${how}`)
const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`

// What follows is the shape of schema 1. valibot builds fresh objects from known keys and drops the rest.

const text = (most: number) => v.pipe(v.string(), v.maxLength(most))
const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const seed = v.pipe(count, v.maxValue(0xffffffff))
const map = <S extends v.GenericSchema>(value: S) => v.record(text(100), value)
const status = v.picklist(['passed', 'failed', 'rejected', 'undecided', 'unavailable'])
const scalar = v.union([v.number(), text(2000), v.boolean()])

const row = v.object({
  id: text(100),
  name: text(500),
  detail: v.optional(text(2000)),
  measured: v.number(),
  interval: v.optional(v.tuple([v.number(), v.number()])),
  unit: text(50),
  needed: v.object({ relation: v.picklist(['at-least', 'at-most']), value: v.number() }),
  precision: v.pipe(count, v.maxValue(20)),
  scaleMax: v.number(),
  hard: v.boolean(),
  satisfied: v.boolean(),
  claimed: v.optional(v.boolean()),
  never: v.optional(v.boolean()),
  status,
})
const galleryItem = v.object({
  id: count,
  row: count,
  truth: count,
  readBefore: count,
  readAfter: count,
  success: v.boolean(),
  norm: v.number(),
  limit: v.number(),
  measuredIn: v.optional(v.picklist(['linf', 'l2'])),
  logitsBefore: v.array(v.number()),
  logitsAfter: v.array(v.number()),
})
const verdict = v.object({
  status,
  headline: text(2000),
  rows: v.array(row),
  finding: v.optional(v.object({ id: text(100), title: text(500), cause: text(4000), next: text(4000) })),
  gallery: v.optional(v.array(galleryItem)),
  score: v.optional(v.object({ value: v.number(), unit: text(50) })),
})
const floats = v.object({ encoding: v.literal('float32-le+deflate+base64'), length: count, data: v.string() })
const trigger = v.variant('kind', [
  v.object({
    kind: v.literal('patch'),
    top: count,
    left: count,
    height: count,
    width: count,
    pixels: v.array(v.number()),
    opacity: v.union([v.number(), v.array(v.number())]),
  }),
  v.object({ kind: v.literal('blend'), pixels: v.array(v.number()), opacity: v.number() }),
  v.object({
    kind: v.literal('wave'),
    amplitude: v.number(),
    frequency: v.number(),
    along: v.picklist(['width', 'height']),
  }),
])
const artefact = v.variant('kind', [
  v.object({
    kind: v.literal('adversarial-examples'),
    ids: v.array(count),
    shape: v.array(count),
    pixels: floats,
  }),
  v.object({
    kind: v.literal('model-weights'),
    model: text(100),
    tensors: v.array(v.object({ name: text(200), shape: v.array(count), values: floats })),
  }),
  v.object({
    kind: v.literal('scores'),
    ids: v.array(count),
    columns: v.array(v.object({ name: text(100), values: floats })),
  }),
  v.object({
    kind: v.literal('change-list'),
    ids: v.array(count),
    labels: v.array(v.pipe(v.number(), v.integer(), v.minValue(-1))),
    values: v.optional(floats),
    trigger: v.optional(trigger),
    stamped: v.optional(v.array(count)),
  }),
  v.object({ kind: v.literal('answer'), choices: map(v.array(text(100))) }),
])
const attempt = v.object({
  id: v.pipe(text(100), v.minLength(1)),
  checkpoint: text(100),
  time: v.pipe(v.string(), v.isoTimestamp()),
  source: v.picklist(['code', 'explore']),
  backend: text(100),
  seed,
  artefact,
  files: map(text(400_000)),
  ledger: v.optional(
    v.object({
      rows: map(count),
      calls: count,
      refused: count,
      maxQueries: v.optional(count),
      transcriptDigest: text(200),
      learned: v.optional(v.object({ rows: count, unanswered: count })),
      accounts: v.optional(v.object({ used: count, closed: count })),
      trace: v.optional(
        v.pipe(v.array(v.object({ step: count, values: map(v.number()) })), v.maxLength(500)),
      ),
    }),
  ),
  earlier: v.optional(map(text(100))),
  verdict,
  hintsOpened: count,
})
const labRecord = v.object({
  lab: v.pipe(text(100), v.minLength(1)),
  labVersion: text(50),
  seed,
  updated: v.number(),
  step: text(50),
  stepsDone: v.array(text(50)),
  files: map(v.object({ text: text(400_000), updated: v.number() })),
  hints: map(count),
  quiz: map(v.array(text(100))),
  knobs: map(scalar),
  attempts: v.array(v.unknown()),
})
const envelope = v.object({
  format: v.literal('perturb-evidence'),
  schema: v.literal(schemaVersion),
  appVersion: text(50),
  exported: text(50),
  learner: v.optional(text(200)),
  labs: v.array(v.unknown()),
})

function readBundle(document: unknown, allowance: Allowance): DecodedBundle {
  const outer = v.safeParse(envelope, document)
  if (!outer.success) throw unreadable(problemOf(outer.issues[0]))
  const damaged: Damage[] = []
  const labs = outer.output.labs.flatMap((untrusted): LabRecord[] => {
    const lab = v.safeParse(labRecord, untrusted)
    if (!lab.success) {
      damaged.push({ ...nameOf(untrusted, 'lab', 'lab'), reason: problemOf(lab.issues[0]) })
      return []
    }
    const attempts = lab.output.attempts.flatMap((item): Attempt[] => {
      const read = v.safeParse(attempt, item)
      try {
        if (!read.success) throw new PerturbError('unreadable', problemOf(read.issues[0]))
        return [
          {
            ...read.output,
            artefact: unpackArtefact(read.output.artefact as PackedArtefact, allowance) as Artefact,
          },
        ]
      } catch (error) {
        damaged.push({
          lab: lab.output.lab,
          ...nameOf(item, 'checkpoint', 'checkpoint'),
          ...nameOf(item, 'id', 'attempt'),
          reason: error instanceof Error ? error.message : String(error),
        })
        return []
      }
    })
    return [{ ...lab.output, attempts: trimAttempts(attempts) }]
  })
  return { bundle: { ...outer.output, labs }, damaged }
}

function problemOf(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue)
  return `${path ? `\`${path.slice(0, 100)}\` is wrong: ` : ''}expected ${issue.expected ?? issue.requirement ?? 'something else'}, got ${issue.received.slice(0, 60)}`
}

function nameOf<K extends keyof Damage>(value: unknown, key: string, as: K): Pick<Damage, K> | object {
  const name =
    typeof value === 'object' && value !== null && Object.hasOwn(value, key)
      ? (value as Record<string, unknown>)[key]
      : undefined
  return typeof name === 'string' ? { [as]: name.slice(0, 100) } : {}
}
