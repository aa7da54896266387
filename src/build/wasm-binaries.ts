import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'
import type { BuildContext } from './plugins.ts'
import { threadScript } from './tfjs-threads.ts'

const script = 'tfjs-backend-wasm-threaded-simd.js'
const files = [
  'tfjs-backend-wasm-simd.wasm',
  'tfjs-backend-wasm.wasm',
  'tfjs-backend-wasm-threaded-simd.wasm',
  script,
]

/** Puts tfjs' WASM binaries, and what its threads run, at `wasm/<file>` beside the app, in the build and in `dev`. */
export function wasmBinaries({ root, mode }: BuildContext): Plugin {
  const read = (file: string) =>
    file === script
      ? threadScript(root)
      : readFileSync(join(root, 'node_modules/@tensorflow/tfjs-backend-wasm/dist', file))
  let isWorker = false
  return {
    name: 'perturb:wasm-binaries',
    configResolved(config) {
      isWorker = config.isWorker
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const file = files.find((name) => request.url?.split('?')[0]?.endsWith(`/wasm/${name}`))
        if (!file) return next()
        response.setHeader('Content-Type', file === script ? 'text/javascript' : 'application/wasm')
        response.end(read(file))
      })
    },
    generateBundle() {
      if (mode === 'cli' || isWorker) return
      for (const file of files) this.emitFile({ type: 'asset', fileName: `wasm/${file}`, source: read(file) })
    },
  }
}
