#!/usr/bin/env node
/**
 * Runs one command: `node src/cli/run.mjs NAME …`. Node 20 does not read TypeScript, and commands share
 * `import.meta.glob` with the app, so Vite builds them first, only when a source file is newer than the
 * last build.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const cache = `${root}node_modules/.cache/perturb/`
const stamp = `${cache}stamp`
const [, , name, ...argv] = process.argv

if (!existsSync(`${root}node_modules/vite`)) fail('dependencies are not installed; run `npm ci` first')
const known = readdirSync(`${root}src/cli/commands`)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replace(/\.ts$/, ''))
if (!name || !known.includes(name)) fail(`no command "${name ?? ''}"; the commands are ${known.join(', ')}`)

if (!(await isFresh())) await build()
const { command } = await import(pathToFileURL(`${readFileSync(stamp, 'utf8')}/${name}.js`).href)
if (argv.includes('--help') || argv.includes('-h')) {
  console.log(command.help.trim())
} else {
  try {
    process.exitCode = await command.run(argv)
  } catch (error) {
    console.error(process.env.DEBUG ? error : `${name}: ${error instanceof Error ? error.message : error}`)
    process.exitCode = 1
  }
}

function fail(message) {
  console.error(`perturb: ${message}`)
  process.exit(1)
}

async function isFresh() {
  if (!existsSync(stamp) || !existsSync(readFileSync(stamp, 'utf8'))) return false
  const built = statSync(stamp).mtimeMs
  const newest = (folder) =>
    readdirSync(folder, { withFileTypes: true, recursive: true }).reduce(
      (latest, entry) =>
        entry.isFile() ? Math.max(latest, statSync(`${entry.parentPath}/${entry.name}`).mtimeMs) : latest,
      statSync(folder).mtimeMs,
    )
  return [
    newest(`${root}src`),
    newest(`${root}labs`),
    statSync(`${root}vite.config.ts`).mtimeMs,
    statSync(`${root}package.json`).mtimeMs,
  ].every((time) => time < built)
}

async function build() {
  const { build, loadConfigFromFile, mergeConfig } = await import('vite')
  mkdirSync(cache, { recursive: true })
  const started = Date.now()
  // A folder of its own for each build: two commands may run at once.
  const out = `${cache}cli-${started}-${process.pid}`
  process.env.PERTURB_CLI_OUT = out
  const loaded = await loadConfigFromFile(
    { command: 'build', mode: 'cli', isSsrBuild: true },
    `${root}vite.config.ts`,
  )
  await build(mergeConfig(loaded.config, { configFile: false, mode: 'cli' }))
  writeFileSync(stamp, out)
  const { rmSync } = await import('node:fs')
  for (const entry of readdirSync(cache)) {
    const age = Number(entry.split('-')[1])
    if (entry.startsWith('cli-') && age < started - 3_600_000)
      rmSync(cache + entry, { recursive: true, force: true })
  }
}
