/** A learner's program before and after it is compiled, and the way back from a compiled line to theirs. */
import { PerturbError } from '../core/errors.ts'
import type { ProgramError } from './protocol.ts'

export interface Program {
  /** Learner and read-only files by name, e.g. "fgsm.ts". */
  files: Record<string, string>
  /** The file that is run. */
  main: string
}

export interface CompiledProgram {
  /** A JavaScript expression: `{main, order, modules}` as `ModuleTable` (runtime/modules.ts) describes it. */
  text: string
  map: SourceMap
}

/** Where each file's lines lie in the compiled text. */
export type SourceMap = readonly {
  file: string
  firstLine: number
  source: readonly string[]
  compiled: readonly string[]
}[]

/** A program that cannot be run as it stands. `problem` names file, line and column. */
export class ProgramProblem extends PerturbError {
  constructor(readonly problem: ProgramError) {
    super(
      'learner-error',
      problem.file ? `${problem.file}:${problem.line ?? 1}: ${problem.message}` : problem.message,
    )
  }
}

/** At most this much of a stack is read: it comes from the program. */
const maxStackCharacters = 8_000

/**
 * Turns places in the compiled text into places in the learner's files.
 * @param firstLine line (1-based) of the evaluated script at which the compiled text begins
 * @param script how the evaluated script is called in stacks: "blob:" in a worker, a file name in Node
 */
export function mapStack(
  error: { message: string; stack?: string; line?: number; column?: number },
  map: SourceMap,
  firstLine: number,
  script = 'blob:',
): ProgramError {
  const message = error.message || 'the program stopped with an error that says nothing'
  const places: { line: number; column: number }[] = []
  for (const frame of (error.stack ?? '').slice(0, maxStackCharacters).split('\n')) {
    if (!frame.includes(script)) continue
    const place = /:(\d{1,7}):(\d{1,7})\)?\s*$/.exec(frame.slice(-60))
    if (place) places.push({ line: Number(place[1]), column: Number(place[2]) })
  }
  if (places.length === 0 && error.line) places.push({ line: error.line, column: error.column ?? 1 })
  for (const { line, column } of places) {
    const found = locate(line - firstLine + 1, map)
    if (found) return { message, ...found.place, ...(found.exact ? { column } : {}) }
  }
  return { message }
}

function locate(line: number, map: SourceMap) {
  for (const { file, firstLine, source, compiled } of map) {
    const index = line - firstLine
    if (index < 0 || index >= source.length) continue
    // Stripping types moves columns; a line that was not touched keeps them.
    return { place: { file, line: index + 1 }, exact: source[index] === compiled[index] }
  }
  return undefined
}
