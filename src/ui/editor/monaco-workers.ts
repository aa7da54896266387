/** Stands in for Monaco's own `internal/common/workers`; see src/build/monaco-workers.ts. */
import { editor } from 'monaco-editor/editor'

interface WorkerOptions {
  label?: string
  createData?: unknown
  host?: Record<string, (...args: unknown[]) => unknown>
  keepIdleModels?: boolean
}

/** The language worker of `label`, from `MonacoEnvironment.getWorker`, told its first two messages. */
export function createWebWorker<T extends object>({
  label = 'monaco-editor-worker',
  createData,
  host,
  keepIdleModels,
}: WorkerOptions) {
  const make = globalThis.MonacoEnvironment?.getWorker
  if (!make)
    throw new Error('monaco: MonacoEnvironment.getWorker must be set before an editor is made; see monaco.ts')
  const worker = Promise.resolve(make('workerMain.js', label)).then((made) => {
    made.postMessage('ignore')
    made.postMessage(createData)
    return made
  })
  return editor.createWebWorker<T>({ worker, host, keepIdleModels })
}
