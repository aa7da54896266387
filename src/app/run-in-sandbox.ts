import type { Trained } from '../engine/capabilities.ts'
import type { ApiLog } from '../engine/prediction-api.ts'
import type { LedgerSummary } from '../grading/artefact.ts'
import type { Task } from '../grading/grader.ts'
import type { SandboxSpec } from '../labs/manifest.ts'
import type { Weight } from '../models/model.ts'
import type { ProgramOutcome } from '../sandbox/protocol.ts'
import type { ProgramRequest } from '../sandbox/run-program.ts'
import type { SessionDeps } from './lab-session.svelte.ts'
import { sentenceOf } from './sentences.ts'

export interface SandboxRun {
  files: Record<string, string>
  main: string
  task: Task
  spec: SandboxSpec
  /** The variant's: the transcript begins with it. */
  seed: number
  /** What the program's own randomness comes from; the variant's seed when left out. */
  programSeed?: number
  /** The victim's weights when it is the learner's own model. */
  weights?: Weight[] | undefined
  /** Those that the task's `copy` begins with, when it was handed in for another checkpoint. */
  copyWeights?: Weight[] | undefined
  /** Whether the program may have trained a model in the engine. */
  trains: boolean
  hear?: Pick<ProgramRequest, 'onConsole' | 'onProgress' | 'onLedger' | 'signal'>
  /** Something beside the program did not work, in a sentence. */
  onTrouble?(sentence: string): void
}

/** How a program ended, what the engine trained for it, what it asked, and what the provider noted. */
export interface SandboxResult {
  outcome: ProgramOutcome
  trained: Trained | undefined
  ledger: LedgerSummary | undefined
  log: ApiLog | undefined
}

/** Opens a ledger in the engine, runs the program in the sandbox against it, and closes it whatever happens. */
export async function runInSandbox(
  { engine, runProgram, wasmBytes }: Pick<SessionDeps, 'engine' | 'runProgram' | 'wasmBytes'>,
  {
    files,
    main,
    task,
    spec,
    seed,
    programSeed = seed,
    weights,
    copyWeights,
    trains,
    hear,
    onTrouble,
  }: SandboxRun,
): Promise<SandboxResult> {
  const wasm = await wasmBytes()
  const { port1, port2 } = new MessageChannel()
  const opened = { task, spec, seed, weights, copyWeights, port: port1 }
  const { runId } = (await engine.call('open-run', opened, { transfer: [port1] })) as { runId: number }
  /** What cannot be read is told, and costs nothing else. */
  const read = async (method: string, what: string) => {
    try {
      return await engine.call(method, { runId })
    } catch (error) {
      onTrouble?.(`${what} could not be read: ${sentenceOf(error)}`)
      return undefined
    }
  }
  const close = async () => (await read('close-run', 'The query ledger')) as LedgerSummary | undefined
  let ledger: LedgerSummary | undefined
  try {
    const request = { files, main, task, seed: programSeed, spec, enginePort: port2, wasmBytes: wasm }
    const outcome = await runProgram({ ...request, ...hear })
    const trained = trains
      ? ((await read('trained-weights', 'The trained model')) as Trained | undefined)
      : undefined
    const log = task.api ? ((await read('run-log', 'The provider’s log')) as ApiLog | undefined) : undefined
    return { outcome, trained, log, ledger: (ledger = await close()) }
  } finally {
    if (!ledger) await close()
  }
}
