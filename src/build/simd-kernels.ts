import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Plugin } from 'vite'
import type { BuildContext } from './plugins.ts'

/** The second is for a heap that threads share: the same kernels, another kind of memory. */
const variants: Readonly<Record<string, readonly string[]>> = {
  'virtual:perturb/simd-kernels': [],
  'virtual:perturb/simd-kernels-shared': '--enable threads --sharedMemory --maximumMemory 65536'.split(' '),
}
const source = 'src/core/kernels/simd.as'
const flags = '-O3 --converge --noAssert --runtime stub --enable simd --importMemory --initialMemory 1'.split(
  ' ',
)

/** Compiles src/core/kernels/simd.as (AssemblyScript) and gives the app the bytes of the WASM module. */
export function simdKernels({ root }: Pick<BuildContext, 'root'>): Plugin {
  const file = join(root, source)
  return {
    name: 'perturb:simd-kernels',
    resolveId: (wanted) => (Object.hasOwn(variants, wanted) ? `\0${wanted}` : undefined),
    async load(wanted) {
      const more = wanted.startsWith('\0') ? variants[wanted.slice(1)] : undefined
      if (!more) return
      this.addWatchFile(file)
      const cache = join(root, 'node_modules/.cache/perturb')
      const bytes = await cached(cache, await readFile(file, 'utf8'), [...flags, ...more])
      return `export default new Uint8Array([${bytes.join()}])`
    },
  }
}

/** Compiling takes seconds, and every build, worker and test run asks. */
async function cached(folder: string, text: string, flags: readonly string[]): Promise<Uint8Array> {
  const key = createHash('sha256').update(text).update(flags.join()).digest('hex').slice(0, 16)
  const file = join(folder, `simd-${key}.wasm`)
  const kept = await readFile(file).catch(() => undefined)
  if (kept) return kept
  const bytes = await compileAssembly(text, flags)
  await mkdir(dirname(file), { recursive: true })
  // Several builds may run at once: none must read half a file.
  await writeFile(`${file}.${process.pid}`, bytes)
  await rename(`${file}.${process.pid}`, file)
  return bytes
}

/** Throws with the compiler's own words, which name line and column. */
export async function compileAssembly(text: string, options: readonly string[] = flags): Promise<Uint8Array> {
  const { default: asc } = await import('assemblyscript/asc')
  const written = new Map<string, Uint8Array>()
  const { error, stderr } = await asc.main(['simd.ts', '--outFile', 'simd.wasm', ...options], {
    readFile: (name) => (name === 'simd.ts' ? text : null),
    writeFile: (name, contents) => void written.set(name, contents as Uint8Array),
    listFiles: () => [],
  })
  const bytes = written.get('simd.wasm')
  if (error || !bytes) throw new Error(`${source} does not compile:\n${stderr.toString() || error?.message}`)
  return bytes
}
