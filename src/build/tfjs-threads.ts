import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Plugin } from 'vite'

const id = 'virtual:perturb/tfjs-thread-script'
const factory = '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.js'
/** In tfjs' own words. */
const blob = `new Blob([\`var WasmBackendModuleThreadedSimd = \` +
                    wasmFactoryThreadedSimd.toString()], { type: 'text/javascript' })`
/** Workers that are made ahead: XNNPACK's thread pool has one fewer than threads. */
const helpers = 3

/**
 * Mends tfjs' WASM threads in a minified build. tfjs hands its workers the text of its own start-up function, in which
 * the minifier has renamed what lies outside of it, as a blob, which a security policy may forbid; and it makes eight
 * workers, however many are used. With this the workers load the text as it was published, from a file of the app that
 * only an isolated page asks for, and there are three.
 */
export function tfjsThreads(): Plugin {
  return {
    name: 'perturb:tfjs-threads',
    resolveId: (wanted) => (wanted === id ? `\0${id}` : undefined),
    load: (wanted) => (wanted === `\0${id}` ? `export const threadScript = { address: '' }` : undefined),
    transform(code, path) {
      const file = path.replaceAll('\\', '/')
      if (file.includes('tfjs-backend-wasm/dist/backend_wasm.js'))
        return `import { threadScript } from '${id}'\n${replaced(code, blob, 'threadScript.address')}`
      if (file.includes(factory)) return withHelpers(code)
      return undefined
    },
  }
}

/** The file that the workers run. */
export function threadScript(root: string): string {
  const start = createRequire(join(root, 'package.json'))(factory) as () => unknown
  return `var WasmBackendModuleThreadedSimd = ${withHelpers(start.toString())}\n`
}

const withHelpers = (code: string) => replaced(code, 'pthreadPoolSize=8', `pthreadPoolSize=${helpers}`)

/** Another version of tfjs may read otherwise: that must not pass unseen. */
function replaced(code: string, what: string, by: string): string {
  if (!code.includes(what))
    throw new Error(`${factory}: "${what}" is not there; look at src/build/tfjs-threads.ts`)
  return code.replace(what, () => by)
}
