/**
 * Four parties: page ⇄ frame ⇄ worker, and frame ⇄ engine over a MessagePort. The frame (opaque origin)
 * relays with caps; the page never hears the worker directly. Whatever comes from the worker is untrusted,
 * and `relay.ts` builds every message it passes on afresh.
 */
import type { CapabilityReply, CapabilityRequest, LedgerFigures } from '../engine/capability-protocol.ts'
import type { HandIn } from './submission.ts'

/** The engine's own words, since an arrow may only point down. */
export type {
  CapabilityReply,
  CapabilityRequest,
  LedgerFigures,
  WireTensor,
} from '../engine/capability-protocol.ts'

/** Page → frame, once, with two ports in the transfer list: the page's own, then the engine's. */
export interface StartMessage {
  type: 'start'
  /** The classic worker's whole text: runtime and the learner's compiled program. */
  workerText: string
  init: WorkerInit
}

/** Frame → worker, once, with the port for everything else. */
export interface WorkerInit {
  /** tfjs' WASM binary, since nothing in the sandbox may fetch; without it the arithmetic is plain JavaScript. */
  wasm: ArrayBuffer | null
  /** Capabilities granted, as in `SandboxSpec.access`. */
  access: string[]
  task: { values: Record<string, number | string | boolean>; seed: number }
  limits: Limits
}

export interface Limits {
  consoleLines: number
  consoleBytes: number
  /** Messages a second the frame relays before it calls the run a flood and stops it; the worker keeps to half. */
  messagesPerSecond: number
  /** Bytes of one capability request. */
  requestBytes: number
  artefactBytes: number
}

/** Worker → frame, over the port. Untrusted. */
export type WorkerMessage =
  | { type: 'ready'; backend: 'wasm' | 'cpu' }
  | { type: 'console'; lines: ConsoleLine[]; dropped: number }
  | { type: 'progress'; done: number; total: number }
  | { type: 'call'; request: CapabilityRequest }
  | { type: 'submit'; artefact: HandIn }
  | { type: 'finished' }
  | { type: 'failed'; error: RawError }

/** Frame → worker, over the port. */
export type WorkerAnswer =
  { type: 'reply'; reply: CapabilityReply } | { type: 'submitted'; error?: { code: string; message: string } }

/** Frame → page, over the port. */
export type FrameMessage =
  | { type: 'pong'; waitedMs: number }
  | { type: 'ready'; backend: 'wasm' | 'cpu' }
  | { type: 'console'; lines: ConsoleLine[]; dropped: number }
  | { type: 'progress'; done: number; total: number }
  | { type: 'ledger'; figures: LedgerFigures }
  | { type: 'submit'; artefact: HandIn }
  | { type: 'finished' }
  | { type: 'failed'; error: RawError }
  | { type: 'flood'; message: string }

export interface ConsoleLine {
  level: 'log' | 'warn' | 'error'
  text: string
}

/** An error as the program threw it: its places are those of the compiled text. */
export interface RawError {
  message: string
  code?: string
  stack?: string
  line?: number
  column?: number
}

/** An error of the learner's program, mapped to the learner's file and line (1-based). */
export interface ProgramError {
  message: string
  file?: string
  line?: number
  column?: number
  code?: string
}

/** How a run of a learner's program ended. */
export type ProgramOutcome =
  | { status: 'finished'; artefact?: HandIn; seconds: number }
  | { status: 'failed'; error: ProgramError; seconds: number }
  | { status: 'cancelled'; seconds: number }
  | { status: 'deadline'; seconds: number }
  | { status: 'flood'; message: string; seconds: number }
  | { status: 'crashed'; message: string; seconds: number }
