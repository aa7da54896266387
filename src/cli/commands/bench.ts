import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { arch, cpus, platform, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from '@playwright/test'
import { buildIfStale, dist } from '../app.ts'
import { median, type AppFigure, type BenchPage } from '../bench/measure.ts'
import { ensureBrowser } from '../browser.ts'
import type { Command } from '../command.ts'
import { repository } from '../node-platform.ts'
import { readOptions } from '../options.ts'
import { serve } from '../serve.ts'

const figureFiles = import.meta.glob<AppFigure[]>(['../bench/*.ts', '!../bench/measure.ts'], {
  import: 'figures',
  eager: true,
})
const figures = Object.values(figureFiles).flat()
const allBackends = ['wasm', 'cpu', 'webgl', 'webgpu']
/** A go that takes longer than this is timed once: it says enough. */
const slowMs = 3000
/** A warming go that takes longer than this stays the only one, and counts. */
const tooSlowMs = 10_000
/** A backend that is not ready by then is told as such. */
const patienceMs = 90_000

interface Row {
  workload: string
  title: string
  backend: string
  /** Median milliseconds, or why there are none. */
  ours: number | string
  stock: number | string
  budgetMs?: number
  rounds: number
}

interface FigureRow {
  name: string
  title: string
  unit: string
  budget: number
  value: number | string
}

interface Report {
  date: string
  machine: string
  browser: string
  workloads: Row[]
  app: FigureRow[]
}

export const command: Command = {
  summary: 'Measure speed and size, beside stock tfjs',
  help: `
npm run bench [-- NAME…] [--backends LIST] [--rounds N] [--json] [--write]

Runs every workload of tests/bench/ in headless Chromium, on our modules and on stock tfjs, in turns, and
prints the median of several rounds and the ratio; then the figures of the whole app (src/cli/bench/).
A budget is printed beside its figure and never fails the command.

  NAME…             only workloads and figures whose name begins so
  --backends LIST   of ${allBackends.join(',')} (all of them)
  --rounds N        rounds of each (5); what takes over ${slowMs / 1000} s is timed once
  --json            the report as JSON
  --write           also write docs/performance.md
  --help            this text`,
  async run(argv) {
    const options = readOptions(argv, {
      backends: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'boolean' },
      write: { type: 'boolean' },
    })
    const rounds = Number(options.rounds ?? 5)
    if (!Number.isInteger(rounds) || rounds < 1)
      throw new Error(`--rounds must be a whole number from 1; got "${options.rounds}"`)
    const backends = options.backends?.split(',') ?? allBackends
    const unknown = backends.find((name) => !allBackends.includes(name))
    if (unknown !== undefined)
      throw new Error(`no backend "${unknown}"; the backends are ${allBackends.join(', ')}`)
    const wanted = (name: string) =>
      options.rest.length === 0 || options.rest.some((begin) => name.startsWith(begin))
    const say = options.json ? () => undefined : console.log

    const found = ensureBrowser(say)
    const { chromium } = await import('@playwright/test')
    const browser = await chromium.launch({
      executablePath: found.path,
      args: [
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        '--enable-unsafe-webgpu',
        // Only where there is no graphics device at all.
        ...(process.env.PERTURB_GPU ? [] : ['--use-webgpu-adapter=swiftshader']),
        '--disable-background-networking',
      ],
    })
    try {
      const workloads = await benchWorkloads(browser, backends, rounds, wanted, say)
      const app = await benchApp(browser, rounds, wanted, say)
      if (workloads.length + app.length === 0)
        throw new Error(`nothing is called ${options.rest.join(' or ')}`)
      const report: Report = {
        date: new Date().toISOString().slice(0, 10),
        machine: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()} ${arch()}, Node ${process.version}`,
        browser: `Chromium ${browser.version()}, headless${process.env.PERTURB_GPU ? '' : ', software graphics'}`,
        workloads,
        app,
      }
      if (options.json) console.log(JSON.stringify(report, null, 2))
      else printReport(report)
      if (options.write) {
        mkdirSync(join(repository, 'docs'), { recursive: true })
        writeFileSync(join(repository, 'docs/performance.md'), asMarkdown(report))
        say('docs/performance.md is written')
      }
      return 0
    } finally {
      await browser.close()
    }
  },
}

/** Two pages take turns, so that a busy minute of the machine falls on both. */
async function benchWorkloads(
  browser: Browser,
  backends: string[],
  rounds: number,
  wanted: (name: string) => boolean,
  say: (line: string) => void,
): Promise<Row[]> {
  const folder = await buildPages()
  const site = await serve(folder)
  const rows: Row[] = []
  try {
    for (const backend of backends) {
      const ours = await openPage(browser, `${site.address}/ours.html`)
      const stock = await openPage(browser, `${site.address}/stock.html`)
      const titles = await ours.page.evaluate(() =>
        (globalThis as unknown as { bench: BenchPage }).bench.titles(),
      )
      const notOurs = await attempt(ours.page, 'start', backend)
      const notStock = await attempt(stock.page, 'start', backend)
      for (const [workload, { title, budgetMs }] of Object.entries(titles)) {
        if (!wanted(workload)) continue
        say(`  ${backend}: ${title}`)
        const sides = [await warm(ours.page, workload, notOurs), await warm(stock.page, workload, notStock)]
        for (let round = 0; round < rounds; round++) {
          for (const side of sides) {
            if (side.trouble || Math.max(...side.times) > slowMs) continue
            side.times.push(await time(side.page, workload))
          }
        }
        const figure = ({ trouble, times }: Side) => trouble ?? median(times)
        rows.push({
          workload,
          title,
          backend,
          ours: figure(sides[0]!),
          stock: figure(sides[1]!),
          budgetMs: budgetMs?.[backend],
          rounds: Math.max(...sides.map(({ times }) => times.length)),
        })
      }
      await ours.close()
      await stock.close()
    }
    return rows.sort((a, b) => a.title.localeCompare(b.title))
  } finally {
    await site.close()
  }
}

async function openPage(browser: Browser, address: string) {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(address)
  await page.waitForFunction(() => 'bench' in globalThis)
  return { page, close: () => context.close() }
}

interface Side {
  page: Page
  trouble?: string
  times: number[]
}

async function warm(page: Page, workload: string, notStarted: string | undefined): Promise<Side> {
  if (notStarted) return { page, trouble: notStarted, times: [] }
  const started = performance.now()
  const trouble = await attempt(page, 'prepare', workload)
  const took = performance.now() - started
  return { page, trouble, times: took > tooSlowMs ? [took] : [] }
}

/** What went wrong in words, or nothing. */
async function attempt(page: Page, what: 'start' | 'prepare', argument: string): Promise<string | undefined> {
  const asked = page.evaluate(
    ([step, name]) => (globalThis as unknown as { bench: BenchPage }).bench[step](name),
    [what, argument] as const,
  )
  const late = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error(`not ready after ${patienceMs / 1000} s`)), patienceMs).unref(),
  )
  try {
    await Promise.race([asked, late])
    return undefined
  } catch (error) {
    asked.catch(() => undefined)
    const first = (error as Error).message.replace(/^page\.evaluate: /, '').split('\n')[0]!
    return first.replace(/^Error: /, '').slice(0, 110)
  }
}

function time(page: Page, workload: string): Promise<number> {
  return page.evaluate((name) => (globalThis as unknown as { bench: BenchPage }).bench.time(name), workload)
}

async function buildPages(): Promise<string> {
  const { build } = await import('vite')
  const outDir = join(repository, 'node_modules/.cache/perturb', `bench-${process.pid}`)
  const root = join(repository, 'tests/bench')
  await build({
    configFile: join(repository, 'vite.config.ts'),
    mode: 'production',
    root,
    publicDir: false,
    logLevel: 'error',
    build: {
      outDir,
      emptyOutDir: true,
      rolldownOptions: { input: [join(root, 'ours.html'), join(root, 'stock.html')] },
    },
  })
  return outDir
}

async function benchApp(
  browser: Browser,
  rounds: number,
  wanted: (name: string) => boolean,
  say: (line: string) => void,
): Promise<FigureRow[]> {
  const chosen = figures.filter(({ name }) => wanted(name))
  if (chosen.length === 0) return []
  await buildIfStale(say)
  const site = await serve(dist)
  try {
    const rows: FigureRow[] = []
    for (const { name, title, unit, budget, measure } of chosen) {
      say(`  app: ${title}`)
      const value = await measure({ browser, address: site.address, folder: dist, rounds }).catch(
        (error: unknown) =>
          `not measured: ${String(error instanceof Error ? error.message : error).split('\n')[0]!}`,
      )
      rows.push({ name, title, unit, budget, value })
    }
    return rows
  } finally {
    await site.close()
  }
}

const number = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(2))
const figureText = (value: number | string, unit: string) =>
  typeof value === 'number' ? `${number(value)} ${unit}` : value
const ratioText = ({ ours, stock }: Row) =>
  typeof ours === 'number' && typeof stock === 'number' ? `${(stock / ours).toFixed(2)} ×` : '–'

function printReport(report: Report) {
  console.log(`\n${report.machine}\n${report.browser}, ${report.date}\n`)
  for (const row of report.workloads) {
    const budget = row.budgetMs === undefined ? '' : `  (budget ${row.budgetMs} ms)`
    console.log(
      `${row.title.padEnd(32)}${row.backend.padEnd(8)}ours ${figureText(row.ours, 'ms').padEnd(10)} stock ${figureText(row.stock, 'ms').padEnd(10)} ${ratioText(row)}${budget}`,
    )
  }
  for (const { title, value, unit, budget } of report.app) {
    console.log(`${title.padEnd(68)}${figureText(value, unit).padEnd(12)}(budget ${budget} ${unit})`)
  }
}

function asMarkdown(report: Report): string {
  return `# Performance

Written by \`npm run bench -- --write\` on ${report.date}; run it to measure your own machine.

- ${report.machine}
- ${report.browser}
- commit ${commit()}

## Our modules beside stock tfjs

Medians of rounds taken in turns in one run; the ratio is stock over ours, so above 1 we are faster. WebGL
and WebGPU figures on software graphics say nothing of a real graphics device.

| work | backend | ours | stock tfjs | stock / ours | budget |
| --- | --- | ---: | ---: | ---: | ---: |
${report.workloads.map((row) => `| ${row.title} | ${row.backend} | ${figureText(row.ours, 'ms')} | ${figureText(row.stock, 'ms')} | ${ratioText(row)} | ${row.budgetMs === undefined ? '' : `${row.budgetMs} ms`} |`).join('\n')}

## The whole app

| figure | measured | budget |
| --- | ---: | ---: |
${report.app.map(({ title, value, unit, budget }) => `| ${title} | ${figureText(value, unit)} | ${budget} ${unit} |`).join('\n')}
`
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: repository, encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}
