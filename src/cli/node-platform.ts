/**
 * What the ML core needs from Node, injected once: bytes from disk, and the two CommonJS names that
 * tfjs' WASM glue looks for. Import this first in a command or a test.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const globals = globalThis as { require?: unknown; __dirname?: string }
globals.require ??= createRequire(import.meta.url)
globals.__dirname ??= ''

/** The repository, found upwards from this file, built or not. */
export const repository = findUp(dirname(fileURLToPath(import.meta.url)))

function findUp(folder: string): string {
  if (existsSync(join(folder, 'labs')) && existsSync(join(folder, 'vite.config.ts'))) return folder
  const parent = dirname(folder)
  if (parent === folder)
    throw new Error('cannot find the repository: no folder above holds labs/ and vite.config.ts')
  return findUp(parent)
}

/** Bytes of a file below static/, or of a tfjs WASM binary asked for as `wasm/<file>`. */
export async function readStatic(path: string): Promise<Uint8Array> {
  const file = path.startsWith('wasm/')
    ? join(repository, 'node_modules/@tensorflow/tfjs-backend-wasm/dist', path.slice(5))
    : join(repository, 'static', path)
  return new Uint8Array(await readFile(file))
}
