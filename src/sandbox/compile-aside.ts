import { PerturbError } from '../core/errors.ts'
import type { Compiled } from './compile.worker.ts'
import { ProgramProblem, type CompiledProgram, type Program } from './program.ts'

/**
 * `compileProgram` in a worker of its own. Rejects with `ProgramProblem` as that throws, with `cancelled` when the
 * signal fires, and with `unavailable` when there is no such worker.
 */
export async function compileAside({ files, main }: Program, signal?: AbortSignal): Promise<CompiledProgram> {
  const worker = new Worker(new URL('./compile.worker.ts', import.meta.url), {
    type: 'module',
    name: 'compile',
  })
  const ended = new AbortController()
  try {
    const answer = await new Promise<Compiled>((resolve, reject) => {
      const options = { once: true, signal: ended.signal }
      signal?.addEventListener('abort', () => reject(new PerturbError('cancelled', 'Stopped.')), options)
      worker.addEventListener(
        'error',
        ({ message }) => resolve({ message: message || 'the compiler did not start' }),
        options,
      )
      worker.addEventListener('message', ({ data }: MessageEvent<Compiled>) => resolve(data), options)
      worker.postMessage({ files, main })
    })
    if ('compiled' in answer) return answer.compiled
    if ('problem' in answer) throw new ProgramProblem(answer.problem)
    throw new PerturbError(
      'unavailable',
      `The program could not be compiled: ${answer.message}. It is kept; reload the page and run it again.`,
    )
  } finally {
    ended.abort()
    worker.terminate()
  }
}
