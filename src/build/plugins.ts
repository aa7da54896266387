import type { PluginOption } from 'vite'
import { checksums } from './checksums.ts'
import { guides } from './guide-plugin.ts'
import { learnerTypes } from './learner-types.ts'
import { monacoWorkers } from './monaco-workers.ts'
import { sandboxRuntime } from './sandbox-runtime.ts'
import { simdKernels } from './simd-kernels.ts'
import { tfjsThreads } from './tfjs-threads.ts'
import { wasmBinaries } from './wasm-binaries.ts'

export interface BuildContext {
  /** Absolute path of the repository, with a slash. */
  root: string
  mode: string
}

/** Every plugin of the house, in one list for the app, its workers, the commands and the tests. */
export function plugins(context: BuildContext): PluginOption[] {
  return [
    checksums(context),
    guides(context),
    learnerTypes(context),
    monacoWorkers(context),
    sandboxRuntime(context),
    simdKernels(context),
    tfjsThreads(),
    wasmBinaries(context),
  ]
}
