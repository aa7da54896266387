import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Plugin } from 'vite'
import type { BuildContext } from './plugins.ts'

const id = 'virtual:perturb/simd-kernels'
const source = 'src/core/kernels/simd.as'
const flags = '-O3 --converge --noAssert --runtime stub --enable simd --importMemory --initialMemory 1'.split(
  ' ',
)

/** Compiles src/core/kernels/simd.as (AssemblyScript) and gives the app the bytes of the WASM module. */
export function simdKernels({ root }: Pick<BuildContext, 'root'>): Plugin {
  const file = join(root, source)
  return {
    name: 'perturb:simd-kernels',
    resolveId: (wanted) => (wanted === id ? `\0${id}` : undefined),
    async load(wanted) {
      if (wanted !== `\0${id}`) return
      this.addWatchFile(file)
      const bytes = await cached(join(root, 'node_modules/.cache/perturb'), await readFile(file, 'utf8'))
      return `export default new Uint8Array([${bytes.join()}])`
    },
  }
}

/** Compiling takes seconds, and every build, worker and test run asks. */
async function cached(folder: string, text: string): Promise<Uint8Array> {
  const key = createHash('sha256').update(text).update(flags.join()).digest('hex').slice(0, 16)
  const file = join(folder, `simd-${key}.wasm`)
  const kept = await readFile(file).catch(() => undefined)
  if (kept) return kept
  const bytes = await compileAssembly(text)
  await mkdir(dirname(file), { recursive: true })
  // Several builds may run at once: none must read half a file.
  await writeFile(`${file}.${process.pid}`, bytes)
  await rename(`${file}.${process.pid}`, file)
  return bytes
}

/** Throws with the compiler's own words, which name line and column. */
export async function compileAssembly(text: string): Promise<Uint8Array> {
  const { default: asc } = await import('assemblyscript/asc')
  const written = new Map<string, Uint8Array>()
  const { error, stderr } = await asc.main(['simd.ts', '--outFile', 'simd.wasm', ...flags], {
    readFile: (name) => (name === 'simd.ts' ? text : null),
    writeFile: (name, contents) => void written.set(name, contents as Uint8Array),
    listFiles: () => [],
  })
  const bytes = written.get('simd.wasm')
  if (error || !bytes) throw new Error(`${source} does not compile:\n${stderr.toString() || error?.message}`)
  return bytes
}
