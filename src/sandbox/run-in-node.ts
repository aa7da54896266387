/**
 * Runs one of the house's own programs (solutions, starters, mistakes) in this very process, for the lab
 * checks in Node: the same compiled text, the same `lab` values, capabilities served in-process.
 * **Never for learner code**: node:vm is no wall.
 */
import { runInThisContext } from 'node:vm'
import { PerturbError } from '../core/errors.ts'
import * as tf from '../core/tf.ts'
import type { Task } from '../grading/grader.ts'
import { compileProgram } from './compile.ts'
import { mapStack, ProgramProblem } from './program.ts'
import type { ConsoleLine, ProgramOutcome } from './protocol.ts'
import { formatLine } from './runtime/format.ts'
import { createLab, type CallCapability } from './runtime/lab.ts'
import { runModules, type ModuleTable } from './runtime/modules.ts'
import type { HandIn } from './submission.ts'

export interface TrustedRequest {
  files: Record<string, string>
  main: string
  task: Task
  seed: number
  /** Capabilities the lab grants, as in `SandboxSpec.access`. */
  access: readonly string[]
  /** Answers a capability request, as the engine would on its port. */
  capabilities: (capability: string, args: unknown[]) => Promise<unknown>
}

export interface TrustedRun {
  outcome: ProgramOutcome
  console: ConsoleLine[]
}

const script = 'perturb-program'

/** Frees every tensor the program was given or made with `tf`, so that a leak found afterwards is a grader's. */
export async function runTrusted({
  files,
  main,
  task,
  seed,
  access,
  capabilities,
}: TrustedRequest): Promise<TrustedRun> {
  const began = performance.now()
  const lines: ConsoleLine[] = []
  const tensors: tf.Tensor[] = []
  let artefact: HandIn | undefined
  const print =
    (level: ConsoleLine['level']) =>
    (...values: unknown[]) =>
      void lines.push({ level, text: formatLine(values) })
  const finish = (
    outcome:
      { status: 'finished'; artefact?: HandIn } | { status: 'failed'; error: ReturnType<typeof mapStack> },
  ) => ({
    outcome: { ...outcome, seconds: (performance.now() - began) / 1000 },
    console: lines,
  })
  let compiled
  try {
    compiled = compileProgram({ files, main })
  } catch (error) {
    if (error instanceof ProgramProblem)
      return finish({ status: 'failed', error: { ...error.problem, code: error.code } })
    throw error
  }
  try {
    const table = runInThisContext(`(${compiled.text})`, { filename: script }) as ModuleTable
    const lab = await createLab({
      call: ((capability: string, ...args: unknown[]) => capabilities(capability, args)) as CallCapability,
      access,
      values: task.values,
      seed,
      submit: async (handedIn) => void (artefact = handedIn),
      progress: () => {},
      onTensor: (tensor) => void tensors.push(tensor),
    })
    const console = {
      log: print('log'),
      info: print('log'),
      debug: print('log'),
      warn: print('warn'),
      error: print('error'),
    }
    await runModules(table, lab.values, { console, math: lab.math })
    return finish({ status: 'finished', ...(artefact ? { artefact } : {}) })
  } catch (error) {
    const thrown = error instanceof Error ? error : new Error(`the program threw ${String(error)}`)
    const mapped = mapStack({ message: thrown.message, stack: thrown.stack }, compiled.map, 1, script)
    return finish({
      status: 'failed',
      error: { ...mapped, ...(error instanceof PerturbError ? { code: error.code } : {}) },
    })
  } finally {
    tf.dispose(tensors.filter((tensor) => !tensor.isDisposed))
  }
}
