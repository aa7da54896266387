import { decodeBundle, encodeBundle, type Damage } from '../grading/bundle.ts'
import type { LabRecord } from '../grading/evidence.ts'
import { version } from '../../package.json'
import { offerFile } from './offer-file.ts'
import { settings } from './settings.svelte.ts'

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
  return evidenceFile(await store.all(), learner, now)
}

/** Hands the learner a file with the evidence of these labs. */
export async function downloadEvidence(labs: readonly LabRecord[]): Promise<void> {
  const { name, bytes } = evidenceFile(labs, settings.learner, new Date())
  offerFile(name, bytes)
}

function evidenceFile(labs: readonly LabRecord[], learner: string, now: Date): EvidenceFile {
  const name = learner.trim()
  const bytes = encodeBundle({
    format: 'perturb-evidence',
    schema: 1,
    appVersion: version,
    exported: now.toISOString(),
    ...(name && { learner: name }),
    labs: [...labs],
  })
  const who = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
  const what = labs.length === 1 ? labs[0]!.lab : ''
  const day = now.toISOString().slice(0, 10)
  return {
    name: `${[who || 'evidence', what, day].filter(Boolean).join('-')}.perturb.json`,
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
