import { decodeBundle, encodeBundle, type Damage } from '../grading/bundle.ts'
import type { LabRecord } from '../grading/evidence.ts'
import { version } from '../../package.json'

/** What export and import need of the store. */
export interface EvidenceStore {
  all(): Promise<LabRecord[]>
  importRecords(records: readonly LabRecord[]): Promise<void>
}

export interface EvidenceFile {
  name: string
  bytes: Uint8Array<ArrayBuffer>
  labs: number
  attempts: number
}

const countAttempts = (labs: readonly LabRecord[]) =>
  labs.reduce((sum, { attempts }) => sum + attempts.length, 0)

/** Everything the learner made, as one file. */
export async function exportEvidence(
  store: EvidenceStore,
  learner: string,
  now = new Date(),
): Promise<EvidenceFile> {
  const labs = await store.all()
  const name = learner.trim()
  const bytes = encodeBundle({
    format: 'perturb-evidence',
    schema: 1,
    appVersion: version,
    exported: now.toISOString(),
    ...(name && { learner: name }),
    labs,
  })
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
  const day = now.toISOString().slice(0, 10)
  return {
    name: `${[slug || 'evidence', day].join('-')}.perturb.json`,
    bytes: new Uint8Array(bytes),
    labs: labs.length,
    attempts: countAttempts(labs),
  }
}

export interface ImportReport {
  labs: number
  attempts: number
  learner?: string
  /** Parts of the file that could not be read; the rest was taken. */
  damaged: Damage[]
}

/** Unites a file with the work here; nothing here is overwritten. Throws `unreadable` with the reason. */
export async function importEvidence(store: EvidenceStore, bytes: Uint8Array): Promise<ImportReport> {
  const { bundle, damaged } = decodeBundle(bytes)
  await store.importRecords(bundle.labs)
  return {
    labs: bundle.labs.length,
    attempts: countAttempts(bundle.labs),
    ...(bundle.learner !== undefined && { learner: bundle.learner }),
    damaged,
  }
}
