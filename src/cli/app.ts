import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './node-platform.ts'

/** The built app. PERTURB_DIST names another folder, so that two people may build the same tree at once. */
export const dist = process.env.PERTURB_DIST ?? join(repository, 'dist')

const sources = ['src', 'labs', 'static', 'vite.config.ts', 'package-lock.json']

/** Whether dist/ is missing, or older than anything it is made of. */
export function isStale(): boolean {
  const page = join(dist, 'index.html')
  if (!existsSync(page)) return true
  const built = statSync(page).mtimeMs
  return sources.some((source) => newest(join(repository, source)) > built)
}

function newest(path: string): number {
  if (!existsSync(path)) return 0
  const itself = statSync(path)
  if (!itself.isDirectory()) return itself.mtimeMs
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes(join('src', 'cli')))
    .reduce((latest, entry) => Math.max(latest, statSync(join(entry.parentPath, entry.name)).mtimeMs), 0)
}

/**
 * Builds the app with vite.config.ts, beside dist/ first and then swapped in, so that a server or a test
 * that reads dist/ never sees half a build. Throws when the build fails; the old dist/ stays.
 */
export async function buildApp(): Promise<void> {
  const { build } = await import('vite')
  const beside = join(repository, 'node_modules/.cache/perturb', `dist-${process.pid}`)
  mkdirSync(beside, { recursive: true })
  // Inside a test runner the environment is "test", and Svelte would build its slow development version.
  const environment = process.env.NODE_ENV
  process.env.NODE_ENV = 'production'
  try {
    await build({
      configFile: join(repository, 'vite.config.ts'),
      mode: 'production',
      logLevel: 'warn',
      build: { outDir: beside, emptyOutDir: true, manifest: true },
    })
    rmSync(dist, { recursive: true, force: true })
    try {
      renameSync(beside, dist)
    } catch (error) {
      // A PERTURB_DIST on another disk.
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
      cpSync(beside, dist, { recursive: true })
    }
  } finally {
    if (environment === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = environment
    rmSync(beside, { recursive: true, force: true })
  }
}

export async function buildIfStale(say: (line: string) => void): Promise<void> {
  if (!isStale()) return
  say(existsSync(dist) ? 'sources have changed; building the app' : 'building the app')
  const started = performance.now()
  await buildApp()
  say(`built in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}
