/**
 * Three parties: page ⇄ frame ⇄ worker, and frame ⇄ engine over a MessagePort. The frame (opaque
 * origin) relays with caps; the page never hears the worker directly.
 */

/** Page → frame, once, with the engine's port in the transfer list. */
export interface StartMessage {
  type: 'start'
  /** The classic worker's whole text: runtime and the learner's compiled program. */
  workerText: string
  /** tfjs' WASM binary, answered to the worker's `fetch`. */
  wasm: ArrayBuffer
  task: { values: Record<string, number | string | boolean>; seed: number }
  limits: Limits
}

export interface Limits {
  seconds: number
  consoleLines: number
  consoleBytes: number
  /** Messages a second the frame relays before it calls the run a flood and stops it. */
  messagesPerSecond: number
  artefactBytes: number
}

/** Frame → page. */
export type FrameMessage =
  | { type: 'ready' }
  | { type: 'console'; lines: ConsoleLine[]; dropped: number }
  | { type: 'progress'; done: number; total: number; values?: Record<string, number> }
  | { type: 'submit'; artefact: unknown }
  | { type: 'finished' }
  | { type: 'failed'; error: ProgramError }
  | { type: 'flood'; message: string }

export interface ConsoleLine {
  level: 'log' | 'warn' | 'error'
  text: string
}

/** An error of the learner's program, mapped to the learner's file and line (1-based). */
export interface ProgramError {
  message: string
  file?: string
  line?: number
  column?: number
  code?: string
}

/** Worker → engine (through the frame) and back: the engine's own words, since an arrow may only point down. */
export type { CapabilityReply, CapabilityRequest, WireTensor } from '../engine/capability-protocol.ts'

/** How a run of a learner's program ended. */
export type ProgramOutcome =
  | { status: 'finished'; artefact?: unknown; seconds: number }
  | { status: 'failed'; error: ProgramError; seconds: number }
  | { status: 'cancelled'; seconds: number }
  | { status: 'deadline'; seconds: number }
  | { status: 'flood'; message: string; seconds: number }
  | { status: 'crashed'; message: string; seconds: number }
