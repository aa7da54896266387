import type { LedgerSummary } from './artefact.ts'
import type { PackedArtefact } from './packing.ts'

/** A program of somebody's evidence, to be run again: what crosses from the command line into a page. Plain JSON. */
export interface RerunRequest {
  lab: string
  checkpoint: string
  /** The fresh variant. */
  seed: number
  /** What the program's randomness comes from; another than the variant's, which could be told from it. */
  programSeed: number
  /** The learner's own files; read-only ones are the lab's, whatever stands here. */
  files: Record<string, string>
  /** Names of those that were run, which tells the knobs' program from the checkpoint's. */
  ran: string[]
  /** Models handed in for other checkpoints. */
  earlier: Record<string, PackedArtefact>
}

export interface RerunResult {
  artefact?: PackedArtefact
  ledger?: LedgerSummary
  /** Why nothing was handed in. */
  problem?: string
}
