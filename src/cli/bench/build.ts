import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../node-platform.ts'
import { commitIn } from './machine.ts'

const root = join(repository, 'tests/bench')

/** PyTorch's side needs no build. */
export const torchProgram = join(root, 'torch_side.py')

/** The two pages, for a browser; not minified. */
export async function buildPages(outDir: string): Promise<void> {
  const { build } = await import('vite')
  await build({
    configFile: join(repository, 'vite.config.ts'),
    mode: 'production',
    root,
    publicDir: false,
    logLevel: 'error',
    build: {
      outDir,
      emptyOutDir: true,
      minify: false,
      rolldownOptions: { input: [join(root, 'ours.html'), join(root, 'stock.html')] },
    },
  })
}

/**
 * The same two sides and the command itself as programs for Node, and PyTorch's beside them: the folder runs by
 * itself (`node run.js`), on a machine that has nothing but Node and the package webgpu.
 */
export async function buildPrograms(outDir: string): Promise<void> {
  const { build, loadConfigFromFile } = await import('vite')
  const file = join(repository, 'vite.config.ts')
  const loaded = await loadConfigFromFile({ command: 'build', mode: 'cli', isSsrBuild: true }, file)
  const { config } = loaded!
  const input = Object.fromEntries(
    ['ours', 'stock', 'node-side', 'run'].map((name) => [name, join(root, `${name}.ts`)]),
  )
  await build({
    ...config,
    configFile: false,
    mode: 'cli',
    ssr: { ...config.ssr, noExternal: true, external: ['webgpu'] },
    build: { ...config.build, outDir, rolldownOptions: { ...config.build?.rolldownOptions, input } },
  })
  writeFileSync(join(outDir, 'commit.txt'), commitIn(repository))
  writeFileSync(join(outDir, 'package.json'), '{ "type": "module" }\n')
  mkdirSync(join(outDir, 'workloads'), { recursive: true })
  for (const name of ['torch_side.py', 'torch_models.py', 'workloads'])
    cpSync(join(root, name), join(outDir, name), {
      recursive: true,
      filter: (path) => path.endsWith('workloads') || path.endsWith('.py'),
    })
}
