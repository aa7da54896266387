import { readStatic } from '../node-platform.ts'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createWorkshop } from '../../engine/workshop.ts'
import { maxBundleBytes } from '../../grading/bundle.ts'
import { labList } from '../../labs/loader.ts'
import type { Command } from '../command.ts'
import { readOptions } from '../options.ts'
import { exitCodeOf, parseCourse, regrade, toCsv, type Grade, type RegradeSource } from '../regrade.ts'

const isEvidence = (name: string) => /\.json(\.gz)?$/i.test(name)

export const command: Command = {
  summary:
    'Recompute the verdicts of evidence bundles; with --run-code, run their programs again in the sandbox',
  help: `
npm run regrade -- PATH… [--course course.json] [--run-code] [--out grades.csv] [--json]

Reads evidence bundles (*.perturb.json, gzipped or not; of a folder every *.json and *.json.gz below it),
recomputes every verdict from the artefacts with our own copies of models and data, on WASM, and says for
each checkpoint:

  confirmed       the recomputed verdict is the one in the file
  not confirmed   it is not (why: the recomputed figures), or it belongs to another learner's variant
  claimed         the figures hold, but the artefact alone cannot prove something the checkpoint needs
  unreadable      it cannot be understood (why)

Learner code is never run without --run-code. Equal artefacts in several files are named as equal.

  --course FILE   the course: {"format":"perturb-course","schema":1,"key":"…","require":"code"}. With it, a
                  hand-in must have been made for the learner's own variant. "require" is optional.
  --out FILE      write a table as CSV (safe to open in a spreadsheet)
  --json          print everything as JSON instead of the table
  --run-code      run the program of each pass again, in the app's own sandbox in a headless Chromium, on fresh
                  variants that it is not told and with a fresh ledger: a query count is then confirmed, and an
                  artefact that its program did not make is not. Builds the app when it is stale
  --help          this text

Exit codes: 0 all claims stand; 1 something is not confirmed or unreadable; 2 the command itself could not
do its work (no such path, no evidence in it, a wrong course file, an option that is refused).`,
  async run(argv) {
    try {
      return await run(argv)
    } catch (error) {
      console.error(`regrade: ${error instanceof Error ? error.message : String(error)}`)
      return 2
    }
  },
}

async function run(argv: string[]): Promise<number> {
  const options = readOptions(
    argv,
    {
      course: { type: 'string' },
      out: { type: 'string' },
      json: { type: 'boolean' },
      'run-code': { type: 'boolean' },
    },
    { words: true },
  )
  if (options.rest.length === 0)
    throw new Error('which evidence? Name files or folders, e.g. `npm run regrade -- submissions/`')
  const course =
    options.course === undefined ? undefined : parseCourse(await readText(options.course), options.course)
  const files = options.rest.flatMap(filesIn)
  if (files.length === 0)
    throw new Error(`no evidence in ${options.rest.join(', ')}: a bundle's name ends in .json or .json.gz`)

  const workshop = createWorkshop({ role: 'referee', fetchBytes: readStatic, emit: () => {} })
  await workshop.start('wasm')
  const say = (line: string) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`)
  }
  const rerunner = options['run-code'] ? await (await import('../rerun.ts')).openRerunner(say) : undefined
  let grades: Grade[]
  try {
    grades = await regrade(files.map(sourceOf), {
      tools: workshop,
      manifests: labList(),
      grader: (lab) => workshop.lab(lab),
      ...(course ? { course } : {}),
      ...(rerunner ? { rerun: (request) => rerunner.run(request) } : {}),
      onProgress: say,
    })
  } finally {
    await rerunner?.close()
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  if (options.out !== undefined) await writeFile(options.out, toCsv(grades))
  if (options.json) console.log(JSON.stringify({ files: files.length, grades }, null, 2))
  else print(grades, files.length, options.out)
  return exitCodeOf(grades)
}

async function readText(path: string): Promise<string> {
  if (!existsSync(path)) throw new Error(`there is no file ${path}`)
  return readFile(path, 'utf8')
}

function filesIn(path: string): string[] {
  if (!existsSync(path)) throw new Error(`there is no file or folder ${path}`)
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && isEvidence(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

function sourceOf(path: string): RegradeSource {
  return {
    name: path,
    async read() {
      // Looked at before it is read: a file far over the limit never gets into memory.
      const { size } = statSync(path)
      if (size > maxBundleBytes) {
        throw new Error(
          `This file is no evidence that can be read: a bundle may be ${maxBundleBytes / 1e6} MB at most, and it is ${Math.round(size / 1e6)} MB.`,
        )
      }
      return new Uint8Array(await readFile(path))
    },
  }
}

/** What a terminal obeys is not printed: names and reasons come from untrusted files. */
const plain = (text: string) => text.replaceAll(/\p{Cc}/gu, '?')

function print(grades: readonly Grade[], files: number, out: string | undefined): void {
  let last = ''
  for (const grade of grades) {
    const title = `${grade.file}${grade.learner ? ` (${grade.learner})` : ''}`
    if (title !== last) console.log(`\n${plain(title)}`)
    last = title
    const where = [grade.lab, grade.checkpoint].filter(Boolean).join('/')
    console.log(
      `  ${plain(where.padEnd(28))} ${(grade.status || '–').padEnd(14)} ${grade.result.padEnd(8)} ${plain(grade.why)}`,
    )
    if (grade.claims.length > 0)
      console.log(`  ${''.padEnd(28)} claimed only: ${plain(grade.claims.join('; '))}`)
    for (const note of grade.notes) console.log(`  ${''.padEnd(28)} note: ${plain(note)}`)
  }
  const count = (status: Grade['status']) => grades.filter((grade) => grade.status === status).length
  console.log(
    `\n${files} ${files === 1 ? 'file' : 'files'}: ${count('confirmed')} confirmed, ${count('not confirmed')} not confirmed, ${count('claimed')} claimed, ${count('unreadable')} unreadable${out === undefined ? '' : `; table in ${out}`}`,
  )
}
