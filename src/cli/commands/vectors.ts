import { readStatic } from '../node-platform.ts'
import { resolve } from 'node:path'
import { startBackend } from '../../core/backends.ts'
import type { Command } from '../command.ts'
import { provideWebgpu } from '../node-webgpu.ts'
import { readOptions } from '../options.ts'
import { PackError } from '../vectors/json.ts'
import { Pack } from '../vectors/pack.ts'
import { verifierNames, verifyFile, type Check, type FileReport } from '../vectors/verify.ts'

export const command: Command = {
  summary: 'Check the algorithms against numbers that other libraries computed',
  help: `
npm run vectors -- DIR [--json] [--backend wasm|cpu|webgpu] [--only FILE]... [--require all|FILE]...

Reads every *.json of a pack of reference vectors: models, inputs, parameters and tolerances all come from
its files. Exits 1 on a mismatch, an unreadable file, or a required one that is not fully implemented.
Files of stochastic attacks take minutes: what they are at is said on stderr.

  --backend NAME   wasm (the referee's, the default), cpu, or webgpu: this machine's graphics device, by the
                   package webgpu (npm install --no-save webgpu)
  --only FILE      just this file of the pack; several times, or with commas
  --require FILE   fail when this file is missing, or has cases that are not implemented; several times,
                   or with commas; "all" means every file
  --json           the report as JSON
  --help           this text`,
  async run(argv) {
    const options = readOptions(
      argv,
      {
        json: { type: 'boolean' },
        backend: { type: 'string' },
        only: { type: 'string', multiple: true },
        require: { type: 'string', multiple: true },
      },
      { words: true },
    )
    const [folder, ...more] = options.rest
    if (!folder || more.length > 0)
      throw new Error('which folder? npm run vectors -- DIR, one folder of reference vectors')
    const backend = options.backend ?? 'wasm'
    if (backend !== 'wasm' && backend !== 'cpu' && backend !== 'webgpu')
      throw new Error(`--backend must be wasm, cpu or webgpu; got "${backend}"`)
    if (backend === 'webgpu') await provideWebgpu()
    await startBackend(backend, readStatic)
    const pack = await Pack.open(resolve(folder))
    const reports: FileReport[] = []
    for (const name of chosen(options.only ?? [], pack))
      reports.push(await verifyFile(name, pack, progress(name)))
    pack.dispose()
    if (reports.every(({ status }) => status === 'inputs' || status === 'not implemented')) {
      if (!reports.some(({ file }) => verifierNames.some((name) => file.startsWith(name))))
        throw new PackError(
          `${folder}: none of its ${reports.length} JSON files is of a kind this project knows (${verifierNames.join(', ')})`,
        )
    }

    const unmet = unmetRequirements(options.require ?? [], reports)
    const failed = reports.filter(({ status }) => status === 'fail').length
    const ok = failed === 0 && unmet.length === 0
    if (options.json)
      console.log(JSON.stringify({ ok, backend, folder: pack.folder, files: reports, unmet }, null, 2))
    else print(reports, unmet, backend)
    return ok ? 0 : 1
  },
}

/** Files named on the command line, with or without `.json`. */
const fileNames = (given: string[]): string[] =>
  given
    .flatMap((text) => text.split(','))
    .map((name) => name.trim())
    .filter(Boolean)
    .map((name) => (name.endsWith('.json') ? name : `${name}.json`))

/** The files to verify: those named, or all. */
function chosen(only: string[], pack: Pack): string[] {
  const names = fileNames(only)
  const missing = names.filter((name) => !pack.names.includes(name))
  if (missing.length > 0) {
    pack.dispose()
    throw new PackError(
      `${pack.folder}: has no ${missing.join(', ')}; its files are ${pack.names.join(', ')}`,
    )
  }
  return names.length > 0 ? pack.names.filter((name) => names.includes(name)) : pack.names
}

/** Says on stderr what a long file is at: every figure that took its time, and no flood of the others. */
function progress(file: string): (check: Check, done: number) => void {
  let last = Date.now()
  return ({ name, ok }, done) => {
    if (Date.now() - last < 5_000) return
    last = Date.now()
    console.error(`${file}: ${done} compared; ${name}: ${ok ? 'ok' : 'FAIL'}`)
  }
}

function unmetRequirements(required: string[], reports: FileReport[]): string[] {
  const names = fileNames(required)
  const wanted = names.includes('all.json') ? reports.map(({ file }) => file) : []
  wanted.push(...names.filter((name) => name !== 'all.json'))
  return [...new Set(wanted)].flatMap((file) => {
    const report = reports.find((one) => one.file === file)
    if (!report) return [`${file} is required; it is missing from the pack, or was left out by --only`]
    if (report.notImplemented.length > 0)
      return [`${file} is required; not implemented: ${report.notImplemented.join(', ')}`]
    return []
  })
}

function print(reports: FileReport[], unmet: string[], backend: string): void {
  const table = [['file', 'cases', 'worst difference', 'tolerance', '']]
  for (const { file, status, checks, notImplemented } of reports) {
    if (status === 'inputs') continue
    const worst = checks.reduce<Check | undefined>(
      (most, check) => (most && strain(most) >= strain(check) ? most : check),
      undefined,
    )
    const cases = `${checks.filter(({ ok }) => ok).length}/${checks.length + notImplemented.length}`
    table.push([
      file,
      cases,
      worst ? worst.worst.toExponential(1) : '–',
      worst ? worst.tolerance.toExponential(1) : '–',
      status,
    ])
  }
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)))
  for (const row of table)
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )

  for (const { file, checks, error } of reports) {
    for (const { name, ok, note } of checks) {
      if (!ok) console.log(`\nFAIL ${file}: ${name}: ${note}`)
      else if (note) console.log(`\nnote ${file}: ${name}: ${note}`)
    }
    if (error !== undefined) console.log(`\nFAIL ${error}`)
  }
  for (const sentence of unmet) console.log(`\nFAIL ${sentence}`)

  const missing = reports.filter(
    ({ status, notImplemented }) => status === 'not implemented' && notImplemented.length > 0,
  )
  const partly = reports.filter(
    ({ status, notImplemented }) => status !== 'not implemented' && notImplemented.length > 0,
  )
  const count = (status: FileReport['status']) => reports.filter((report) => report.status === status).length
  console.log(
    `\n${backend}: ${count('pass')} files pass, ${count('fail')} fail, ${missing.length} not implemented yet${missing.length ? `: ${missing.map(({ file }) => file).join(', ')}` : ''}`,
  )
  for (const { file, notImplemented } of partly)
    console.log(`${file}: not implemented yet: ${notImplemented.join(', ')}`)
}

/** How much of its tolerance a check uses. */
const strain = ({ worst, tolerance, ok }: Check) => (ok ? worst / (tolerance || 1) : Infinity)
