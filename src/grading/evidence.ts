import type { Artefact, ArtefactSource, LedgerSummary } from './artefact.ts'
import type { Verdict } from './verdict.ts'

/** One handed-in try at a checkpoint. All are shown; the best counts. */
export interface Attempt {
  /** Random, unique: two tabs merge by it. */
  id: string
  checkpoint: string
  /** ISO time. */
  time: string
  source: ArtefactSource
  /** Name of the backend the run used. */
  backend: string
  seed: number
  artefact: Artefact
  /** The program that made it, by file name; the knobs' program when source is `explore`. */
  files: Record<string, string>
  ledger?: LedgerSummary
  /** Attempts this one builds on (checkpoint → attempt id), e.g. the repaired model it attacks. */
  earlier?: Record<string, string>
  verdict: Verdict
  hintsOpened: number
}

/** Everything a learner has done in one lab. Stored in IndexedDB, exported in the bundle. */
export interface LabRecord {
  lab: string
  labVersion: string
  /** The variant seed. */
  seed: number
  /** Unix ms of the last change, for merging and the continue card. */
  updated: number
  step: string
  stepsDone: string[]
  /** Editor files, with the time each was last edited. */
  files: Record<string, { text: string; updated: number }>
  hints: Record<string, number>
  /** Quiz id → chosen option ids. */
  quiz: Record<string, string[]>
  knobs: Record<string, number | string | boolean>
  attempts: Attempt[]
}

/** The `*.perturb.json` file. Artefact arrays inside are little-endian float32, deflated, base64. */
export interface EvidenceBundle {
  format: 'perturb-evidence'
  schema: 1
  appVersion: string
  exported: string
  learner?: string
  labs: LabRecord[]
}

/** The words of re-grading, everywhere. */
export type RegradeStatus = 'confirmed' | 'not confirmed' | 'claimed' | 'unreadable'
