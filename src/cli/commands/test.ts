import { mkdtempSync, existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isStale, buildApp } from '../app.ts'
import { ensureBrowser } from '../browser.ts'
import type { Command } from '../command.ts'
import { repository } from '../node-platform.ts'
import { readOptions } from '../options.ts'
import { runTool } from '../tools.ts'
import { command as check } from './check.ts'
import { command as lint } from './lint.ts'

/** What a step reports: whether it passed, and its tests where it has any. */
interface Outcome {
  ok: boolean
  tests?: Counts
}

interface Counts {
  passed: number
  failed: number
  skipped: number
}

interface Context {
  deep: boolean
  /** A folder for reports, removed at the end. */
  reports: string
}

interface Step {
  name: string
  what: string
  run(context: Context): Promise<Outcome>
}

const steps: Step[] = [
  {
    name: 'check',
    what: 'types, with and without the DOM, and components',
    run: async () => ({ ok: (await check.run([])) === 0 }),
  },
  { name: 'lint', what: 'ESLint and Prettier', run: async () => ({ ok: (await lint.run([])) === 0 }) },
  { name: 'unit', what: 'each part by itself, and properties', run: vitest('unit') },
  { name: 'reference', what: 'numbers that other libraries computed', run: vitest('reference') },
  { name: 'labs', what: 'every lab folder proves itself', run: vitest('labs') },
  { name: 'build', what: 'the app as it is served', run: build },
  { name: 'architecture', what: 'layers, documents, licences, the built app', run: vitest('architecture') },
  { name: 'e2e', what: 'a learner in a real browser', run: e2e },
]

export const command: Command = {
  summary: 'Run everything that proves the house sound',
  help: `
npm test [-- --only NAME[,NAME]]     npm run test:deep

Runs, in order, and goes on after a failure:
${steps.map(({ name, what }) => `  ${name.padEnd(14)}${what}`).join('\n')}

  --only NAME   only these steps
  --deep        five seeds of every lab and ten times as many random cases (npm run test:deep)
  --help        this text

The last line counts tests; a step without tests that fails counts as one failure. The exit code is 0
only when everything passed.`,
  async run(argv) {
    const { deep = false, only } = readOptions(argv, { deep: { type: 'boolean' }, only: { type: 'string' } })
    const wanted = chosen(only)
    const reports = mkdtempSync(join(tmpdir(), 'perturb-test-'))
    const rows: { step: Step; outcome: Outcome; seconds: number }[] = []
    try {
      for (const step of wanted) {
        console.log(`\n━━ ${step.name}: ${step.what}`)
        const started = performance.now()
        const outcome = await step.run({ deep, reports }).catch((error: unknown): Outcome => {
          console.error(error instanceof Error ? error.message : error)
          return { ok: false }
        })
        rows.push({ step, outcome, seconds: (performance.now() - started) / 1000 })
      }
    } finally {
      rmSync(reports, { recursive: true, force: true })
    }
    console.log(
      `\n${'step'.padEnd(14)}${'result'.padEnd(8)}${'passed'.padStart(7)}${'failed'.padStart(7)}${'skipped'.padStart(8)}${'seconds'.padStart(9)}`,
    )
    const total: Counts = { passed: 0, failed: 0, skipped: 0 }
    for (const { step, outcome, seconds } of rows) {
      const counts = outcome.tests
      for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += counts?.[key] ?? 0
      if (!outcome.ok && !counts?.failed) total.failed++
      const cell = (value: number | undefined, width: number) => String(value ?? '').padStart(width)
      console.log(
        `${step.name.padEnd(14)}${(outcome.ok ? 'passed' : 'FAILED').padEnd(8)}${cell(counts?.passed, 7)}${cell(counts?.failed, 7)}${cell(counts?.skipped, 8)}${seconds.toFixed(1).padStart(9)}`,
      )
    }
    console.log(
      `\n${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ''}`,
    )
    return rows.every(({ outcome }) => outcome.ok) ? 0 : 1
  },
}

function chosen(only: string | undefined): Step[] {
  if (only === undefined) return steps
  const names = only.split(',')
  const unknown = names.find((name) => !steps.some((step) => step.name === name))
  if (unknown !== undefined) {
    throw new Error(`no step "${unknown}"; the steps are ${steps.map(({ name }) => name).join(', ')}`)
  }
  return steps.filter(({ name }) => names.includes(name))
}

/** One folder of Vitest tests. An empty folder is a failure: nothing would have been proved. */
function vitest(folder: string) {
  return async ({ deep, reports }: Context): Promise<Outcome> => {
    if (!hasTests(join(repository, 'tests', folder))) throw new Error(`tests/${folder} holds no test`)
    const report = join(reports, `${folder}.json`)
    const { status } = await runTool(
      'vitest',
      ['run', `tests/${folder}/`, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
      { env: deep ? { PERTURB_DEEP: '1' } : {} },
    )
    return { ok: status === 0, tests: existsSync(report) ? readVitest(report) : undefined }
  }
}

function hasTests(folder: string): boolean {
  return (
    existsSync(folder) &&
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).some((file) => file.endsWith('.test.ts'))
  )
}

function readVitest(report: string): Counts {
  const read = JSON.parse(readFileSync(report, 'utf8')) as {
    numPassedTests: number
    numFailedTests: number
    numPendingTests: number
    numTodoTests: number
  }
  return {
    passed: read.numPassedTests,
    failed: read.numFailedTests,
    skipped: read.numPendingTests + read.numTodoTests,
  }
}

async function build(): Promise<Outcome> {
  if (isStale()) await buildApp()
  else console.log('dist/ is newer than its sources')
  return { ok: true }
}

async function e2e({ deep, reports }: Context): Promise<Outcome> {
  const browser = ensureBrowser(console.log)
  console.log(`browser: ${browser.path} (${browser.from})`)
  if (isStale()) await buildApp()
  const report = join(reports, 'e2e.json')
  const { status } = await runTool('playwright', ['test', '--config', 'tests/e2e/playwright.config.ts'], {
    env: {
      PERTURB_CHROMIUM: browser.path,
      PERTURB_E2E_JSON: report,
      ...(deep ? { PERTURB_DEEP: '1' } : {}),
    },
  })
  return { ok: status === 0, tests: existsSync(report) ? readPlaywright(report) : undefined }
}

function readPlaywright(report: string): Counts {
  const { stats } = JSON.parse(readFileSync(report, 'utf8')) as {
    stats: { expected: number; unexpected: number; flaky: number; skipped: number }
  }
  return { passed: stats.expected, failed: stats.unexpected + stats.flaky, skipped: stats.skipped }
}
