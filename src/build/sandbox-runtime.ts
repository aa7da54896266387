import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { build, type Alias, type Plugin } from 'vite'
import type { BuildContext } from './plugins.ts'
import { simdKernels } from './simd-kernels.ts'

const id = 'virtual:perturb/sandbox-runtime'
/** Stands in index.html's policy where the hash of the frame's script goes. */
export const hashPlaceholder = '%SANDBOX_HASH%'

interface Runtime {
  /** First half of the worker's text. */
  worker: string
  /** The frame's inline script. */
  frame: string
  /** Its source expression for a Content-Security-Policy: `sha256-…`. */
  frameHash: string
  /** Every file that went in. */
  sources: string[]
}

/** One build for the app, its workers and index.html, until a source changes. */
const cache = new Map<string, Promise<Runtime>>()

/**
 * Builds what runs inside the sandbox: two classic scripts as texts. Nothing in there may fetch, and an
 * opaque origin cannot start module workers, so each is one self-contained text. Also puts the hash of the
 * frame's script into index.html's policy, in place of `%SANDBOX_HASH%`.
 */
export function sandboxRuntime({ root }: BuildContext): Plugin {
  let alias: readonly Alias[] = []
  const runtime = () => {
    let made = cache.get(root)
    if (!made) cache.set(root, (made = buildRuntime(root, alias)))
    return made
  }
  return {
    name: 'perturb:sandbox-runtime',
    configResolved(config) {
      // Vite adds its own aliases as functions of the running server; ours are plain paths.
      alias = config.resolve.alias.filter(
        (entry) => typeof entry.replacement === 'string' && entry.replacement.startsWith(root),
      )
    },
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    async load(source) {
      if (source !== `\0${id}`) return
      const { worker, frame, frameHash, sources } = await runtime()
      for (const file of sources) this.addWatchFile(file)
      return [
        `export default ${JSON.stringify(worker)}`,
        `export const frameScript = ${JSON.stringify(frame)}`,
        `export const frameScriptHash = ${JSON.stringify(frameHash)}`,
      ].join('\n')
    },
    async hotUpdate({ file }) {
      const made = await cache.get(root)
      if (made?.sources.includes(file)) cache.delete(root)
    },
    watchChange: () => void cache.delete(root),
    transformIndexHtml: {
      order: 'pre',
      async handler(html) {
        return html.includes(hashPlaceholder)
          ? html.replaceAll(hashPlaceholder, `'${(await runtime()).frameHash}'`)
          : html
      },
    },
  }
}

async function buildRuntime(root: string, alias: readonly Alias[]): Promise<Runtime> {
  const [worker, frame] = await Promise.all([
    buildScript(root, alias, 'src/sandbox/runtime/worker-main.ts'),
    buildScript(root, alias, 'src/sandbox/runtime/frame-main.ts'),
  ])
  const frameHash = `sha256-${createHash('sha256').update(frame.text).digest('base64')}`
  return { worker: worker.text, frame: frame.text, frameHash, sources: [...worker.sources, ...frame.sources] }
}

async function buildScript(root: string, alias: readonly Alias[], entry: string) {
  const result = await build({
    configFile: false,
    root,
    mode: 'production',
    logLevel: 'error',
    publicDir: false,
    define: { 'process.env.NODE_ENV': '"production"' },
    resolve: { alias: [...alias] },
    plugins: [simdKernels({ root })],
    build: {
      write: false,
      target: 'es2022',
      minify: true,
      modulePreload: false,
      rolldownOptions: {
        input: join(root, entry),
        output: { format: 'iife', codeSplitting: false, strict: true },
      },
    },
  })
  const outputs = Array.isArray(result) ? result : [result]
  const chunks = outputs.flatMap((output) => ('output' in output ? output.output : []))
  const [chunk] = chunks
  if (chunks.length !== 1 || chunk?.type !== 'chunk') {
    throw new Error(
      `${entry}: must build to one script; got ${chunks.map((part) => part.fileName).join(', ')}`,
    )
  }
  // One line, so that the learner's lines are easy to count; no `</script`, which would end the inline script.
  const text = chunk.code.replace(/\/\/# sourceMappingURL=.*\s*$/, '').trimEnd()
  if (/<\/script|<!--/i.test(text))
    throw new Error(`${entry}: its text contains "</script" or "<!--" and cannot be inlined`)
  return { text, sources: Object.keys(chunk.modules).filter((file) => file.startsWith(root)) }
}
