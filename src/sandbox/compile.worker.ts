/** Compiles programs beside the page's own thread: stripping types takes tens of milliseconds, and the page is drawing. */
import { compileProgram } from './compile.ts'
import { ProgramProblem, type CompiledProgram, type Program } from './program.ts'
import type { ProgramError } from './protocol.ts'

export type Compiled = { compiled: CompiledProgram } | { problem: ProgramError } | { message: string }

onmessage = ({ data }: MessageEvent<Program>) => postMessage(answerTo(data))

function answerTo(program: Program): Compiled {
  try {
    return { compiled: compileProgram(program) }
  } catch (error) {
    if (error instanceof ProgramProblem) return { problem: error.problem }
    return { message: error instanceof Error ? error.message : String(error) }
  }
}
