import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { isStale, buildApp } from '../app.ts'
import { ensureBrowser } from '../browser.ts'
import type { Command } from '../command.ts'
import { repository } from '../node-platform.ts'
import { readOptions } from '../options.ts'
import { runCommand, runTool } from '../tools.ts'

/** What a step reports: whether it passed, and its tests where it has any. */
interface Outcome {
  ok: boolean
  tests?: Counts
  /** Time that it was at work; what shares a run with others knows its own part. */
  seconds?: number
}

interface Counts {
  passed: number
  failed: number
  skipped: number
  /** Each failed test, by its file and name, and why: said again at the end, where a long log is read. */
  failures: Failure[]
}

interface Failure {
  test: string
  why: string
}

interface Context {
  deep: boolean
  /** A folder for reports, removed at the end. */
  reports: string
}

interface Step {
  name: string
  what: string
}

/** Steps that run together, so that no core waits for another. */
interface Stage {
  steps: Step[]
  run(steps: Step[], context: Context): Promise<Outcome[]>
}

const stages: Stage[] = [
  {
    steps: [
      { name: 'check', what: 'types, with and without the DOM, and components' },
      { name: 'lint', what: 'ESLint and Prettier' },
    ],
    run: (steps) => Promise.all(steps.map(({ name }) => sibling(name))),
  },
  { steps: [{ name: 'build', what: 'the app as it is served' }], run: alone(build) },
  {
    steps: [
      { name: 'unit', what: 'each part by itself, and properties' },
      { name: 'reference', what: 'numbers that other libraries computed' },
      { name: 'labs', what: 'every lab folder proves itself' },
      { name: 'architecture', what: 'layers, documents, licences, the built app' },
    ],
    run: vitest,
  },
  { steps: [{ name: 'e2e', what: 'a learner in a real browser' }], run: alone(e2e) },
]
const allSteps = stages.flatMap(({ steps }) => steps)

export const command: Command = {
  summary: 'Run everything that proves the house sound',
  help: `
npm test [-- --only NAME[,NAME]]     npm run test:deep

Runs, in order (a line's steps together), and goes on after a failure:
${stages.map(({ steps }) => steps.map(({ name, what }) => `  ${name.padEnd(14)}${what}`).join('\n')).join('\n')}

  --only NAME   only these steps
  --deep        ten seeds of every lab, the slow browser tests, and ten times as many random cases
                (npm run test:deep)
  --help        this text

The last line counts tests; a step without tests that fails counts as one failure. The exit code is 0
only when everything passed.`,
  async run(argv) {
    const { deep = false, only } = readOptions(argv, { deep: { type: 'boolean' }, only: { type: 'string' } })
    const wanted = chosen(only)
    const reports = mkdtempSync(join(tmpdir(), 'perturb-test-'))
    const rows: { step: Step; outcome: Outcome }[] = []
    const began = performance.now()
    try {
      for (const stage of stages) {
        const steps = stage.steps.filter(({ name }) => wanted.has(name))
        if (steps.length === 0) continue
        for (const { name, what } of steps) console.log(`\n━━ ${name}: ${what}`)
        const started = performance.now()
        const outcomes = await stage.run(steps, { deep, reports }).catch((error: unknown): Outcome[] => {
          console.error(error instanceof Error ? error.message : error)
          return steps.map(() => ({ ok: false }))
        })
        const seconds = (performance.now() - started) / 1000
        steps.forEach((step, i) => rows.push({ step, outcome: { seconds, ...outcomes[i]! } }))
      }
    } finally {
      rmSync(reports, { recursive: true, force: true })
    }
    console.log(
      `\n${'step'.padEnd(14)}${'result'.padEnd(8)}${'passed'.padStart(7)}${'failed'.padStart(7)}${'skipped'.padStart(8)}${'seconds'.padStart(9)}`,
    )
    const all = total(rows.map(({ outcome: { ok, tests } }) => countsOf(ok, tests)))
    for (const { step, outcome } of rows) {
      const counts = outcome.tests
      const cell = (value: number | undefined, width: number) => String(value ?? '').padStart(width)
      console.log(
        `${step.name.padEnd(14)}${(outcome.ok ? 'passed' : 'FAILED').padEnd(8)}${cell(counts?.passed, 7)}${cell(counts?.failed, 7)}${cell(counts?.skipped, 8)}${outcome.seconds!.toFixed(1).padStart(9)}`,
      )
    }
    for (const { test, why } of all.failures) console.log(`\nFAILED ${test}\n${indented(why)}`)
    const minutes = (performance.now() - began) / 60_000
    console.log(
      `\nin ${minutes.toFixed(1)} minutes: ${all.passed} passed, ${all.failed} failed${all.skipped ? `, ${all.skipped} skipped` : ''}`,
    )
    return rows.every(({ outcome }) => outcome.ok) ? 0 : 1
  },
}

/** The head of an error, without the colours of a terminal. */
const indented = (why: string) =>
  stripVTControlCharacters(why)
    .trim()
    .split('\n')
    .slice(0, 12)
    .map((line) => `  ${line}`)
    .join('\n')

function chosen(only: string | undefined): Set<string> {
  const known = allSteps.map(({ name }) => name)
  const names = only?.split(',') ?? known
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`no step "${unknown}"; the steps are ${known.join(', ')}`)
  return new Set(names)
}

function alone(run: (context: Context) => Promise<Outcome>): Stage['run'] {
  return async (_, context) => [await run(context)]
}

/** Another command of ours, in a process of its own; what it says is printed when it ends, in one piece. */
async function sibling(name: string): Promise<Outcome> {
  const started = performance.now()
  const { status, output } = await runCommand(name)
  console.log(output.trimEnd())
  return { ok: status === 0, seconds: (performance.now() - started) / 1000 }
}

/**
 * Folders of Vitest tests, in one run over both cores. A folder without a test is a failure: nothing would have
 * been proved. The limit is for a test that computes without end: its own time limit never gets a turn.
 */
async function vitest(steps: Step[], { deep, reports }: Context): Promise<Outcome[]> {
  const report = join(reports, 'vitest.json')
  const folders = steps.map(({ name }) => `tests/${name}/`)
  const { status } = await runTool(
    'vitest',
    ['run', ...folders, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    { env: deep ? { PERTURB_DEEP: '1' } : {}, limitMinutes: deep ? 180 : 20 },
  )
  if (!existsSync(report)) throw new Error('vitest ended without a report')
  const files = readVitest(report)
  const told = files.some(({ ok }) => !ok)
  return folders.map((folder) => {
    const own = files.filter(({ path }) => path.startsWith(folder))
    if (own.length === 0) console.error(`${folder} holds no test`)
    return {
      // An error outside every file fails them all.
      ok: own.length > 0 && own.every(({ ok }) => ok) && (status === 0 || told),
      tests: total(own.map(({ tests }) => tests)),
      seconds: own.reduce((sum, { seconds }) => sum + seconds, 0),
    }
  })
}

interface TestFile {
  /** In the repository, with forward slashes. */
  path: string
  ok: boolean
  tests: Counts
  seconds: number
}

function readVitest(report: string): TestFile[] {
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: {
      name: string
      status: string
      startTime: number
      endTime: number
      message?: string
      assertionResults: { status: string; fullName: string; failureMessages?: string[] }[]
    }[]
  }
  return testResults.map(({ name, status, startTime, endTime, message, assertionResults }) => {
    const path = relative(repository, name).replaceAll('\\', '/')
    const failures = assertionResults
      .filter((test) => test.status === 'failed')
      .map((test) => ({ test: `${path} › ${test.fullName}`, why: (test.failureMessages ?? []).join('\n') }))
    // A file that did not load has no test to name.
    if (status !== 'passed' && failures.length === 0) failures.push({ test: path, why: message ?? '' })
    const count = (...words: string[]) =>
      assertionResults.filter((test) => words.includes(test.status)).length
    return {
      path,
      ok: status === 'passed',
      tests: {
        passed: count('passed'),
        failed: count('failed'),
        skipped: count('skipped', 'pending', 'todo', 'disabled'),
        failures,
      },
      seconds: Math.max(0, endTime - startTime) / 1000,
    }
  })
}

const noTests: Counts = { passed: 0, failed: 0, skipped: 0, failures: [] }

/** A step without a failed test that failed all the same counts as one. */
function countsOf(ok: boolean, tests: Counts = noTests): Counts {
  return ok || tests.failed ? tests : { ...tests, failed: 1 }
}

function total(all: Counts[]): Counts {
  return all.reduce(
    (sum, { passed, failed, skipped, failures }) => ({
      passed: sum.passed + passed,
      failed: sum.failed + failed,
      skipped: sum.skipped + skipped,
      failures: [...sum.failures, ...failures],
    }),
    noTests,
  )
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
    limitMinutes: deep ? 120 : 30,
  })
  return { ok: status === 0, tests: existsSync(report) ? readPlaywright(report) : undefined }
}

interface Suite {
  title: string
  suites?: Suite[]
  specs?: { title: string; file: string; ok: boolean; tests: { projectName: string; results: Result[] }[] }[]
}

interface Result {
  errors?: { message?: string }[]
}

function readPlaywright(report: string): Counts {
  const { stats, suites } = JSON.parse(readFileSync(report, 'utf8')) as {
    stats: { expected: number; unexpected: number; flaky: number; skipped: number }
    suites: Suite[]
  }
  const inSuite = (suite: Suite): Failure[] => [
    ...(suite.specs ?? [])
      .filter(({ ok }) => !ok)
      .map(({ title, file, tests }) => ({
        test: `${file} › ${title} (${tests.map(({ projectName }) => projectName).join(', ')})`,
        why: tests.flatMap(({ results }) => results.at(-1)?.errors?.[0]?.message ?? []).join('\n'),
      })),
    ...(suite.suites ?? []).flatMap(inSuite),
  ]
  return {
    passed: stats.expected,
    failed: stats.unexpected + stats.flaky,
    skipped: stats.skipped,
    failures: suites.flatMap(inSuite),
  }
}
