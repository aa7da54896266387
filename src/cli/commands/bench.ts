import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import type { Browser } from '@playwright/test'
import { buildPages, buildPrograms, torchProgram } from '../bench/build.ts'
import type { AppFigure } from '../bench/figure.ts'
import { commitIn, machineWords, today } from '../bench/machine.ts'
import { benchOnGpu } from '../bench/on-gpu.ts'
import type { GrowthLine } from '../bench/page.ts'
import { growthPlot } from '../bench/plot.ts'
import { mergeReports } from '../bench/record.ts'
import { printReport, tables, type FigureRow, type Report } from '../bench/report.ts'
import { measureRows, slowMs, type Row } from '../bench/rows.ts'
import { browserSide, programSide, type Side } from '../bench/sides.ts'
import { findTorch } from '../bench/torch.ts'
import type { Command } from '../command.ts'
import { repository } from '../node-platform.ts'
import { readOptions } from '../options.ts'

const figureFiles = import.meta.glob<AppFigure[]>('../bench/figures/*.ts', { import: 'figures', eager: true })
const figures = Object.values(figureFiles).flat()
const allBackends = ['wasm', 'cpu', 'webgl', 'webgpu']
const cache = join(repository, 'node_modules/.cache/perturb')
const document = join(repository, 'docs/performance.md')
const measurements = join(repository, 'docs/measurements')
/** What a browser measured; the other reports there are of graphics devices. */
const browserReport = join(measurements, 'browser.json')

interface Asked {
  backends: string[]
  rounds: number
  wanted(name: string): boolean
  say(line: string): void
}

export const command: Command = {
  summary: 'Measure speed, size and memory, beside stock tfjs and PyTorch',
  help: `
npm run bench [-- NAME…] [--backends LIST] [--rounds N] [--json] [--write]
npm run bench -- --gpu [NAME…]
npm run bench -- --pack DIR

Runs every workload of tests/bench/ in headless Chromium, on our modules and on stock tfjs, in turns, with
PyTorch on one thread beside the WASM rows where python3 has it, and prints medians and ratios; then how cost
grows with size, and the figures of the whole app (src/cli/bench/figures/).
A budget is printed beside its figure and never fails the command.

  NAME…             only workloads and figures whose name begins so
  --backends LIST   of ${allBackends.join(',')} (all of them)
  --rounds N        rounds of each (5); what takes over ${slowMs / 1000} s is timed once
  --json            the report as JSON
  --write           also bring the measured parts of docs/performance.md up to date, from docs/measurements/:
                    what was measured now takes the place of its last figure there, all else stays
  --gpu             instead, ours and stock tfjs on this machine's graphics device without a browser, and
                    PyTorch on the same device; needs the package webgpu (npm install --no-save webgpu)
  --pack DIR        only build what --gpu runs into DIR, which "node DIR/run.js" then runs by itself on a
                    machine that has Node and the package webgpu; it prints a report for docs/measurements/
  --help            this text

PERTURB_PYTHON names another Python than python3.`,
  async run(argv) {
    const options = readOptions(
      argv,
      {
        backends: { type: 'string' },
        rounds: { type: 'string' },
        json: { type: 'boolean' },
        write: { type: 'boolean' },
        gpu: { type: 'boolean' },
        pack: { type: 'string' },
      },
      { words: true },
    )
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
    const asked: Asked = { backends, rounds, wanted, say }

    if (options.pack !== undefined) {
      await buildPrograms(resolve(options.pack))
      say(`${options.pack} is built; carry it and run: node run.js`)
      return 0
    }
    const report = options.gpu
      ? await inFolder('gpu', buildPrograms, (folder) => benchOnGpu(folder, asked))
      : await benchInBrowser(asked)
    if (report.workloads.length + report.growth.length + report.app.length === 0)
      throw new Error(`nothing is called ${options.rest.join(' or ')}`)
    if (options.json) console.log(JSON.stringify(report, null, 2))
    else printReport(report)
    if (options.write)
      writeDocument(report, { onGpu: options.gpu === true, all: options.rest.length === 0, say })
    return 0
  },
}

/** Builds into a folder of its own, which is gone afterwards. */
async function inFolder<T>(
  name: string,
  build: (folder: string) => Promise<void>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = join(cache, `bench-${name}-${process.pid}`)
  try {
    await build(folder)
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function benchInBrowser(asked: Asked): Promise<Report> {
  const [{ chromium }, { ensureBrowser }] = await Promise.all([
    import('@playwright/test'),
    import('../browser.ts'),
  ])
  const found = ensureBrowser(asked.say)
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
    const torch = findTorch()
    if (!torch) asked.say('no PyTorch: python3 has no torch, so that its column stays empty')
    const { workloads, growth } = await inFolder('pages', buildPages, (folder) =>
      benchPages(browser, folder, torch?.python, asked),
    )
    return {
      date: today(),
      commit: commitIn(repository),
      machine: machineWords(),
      device: `Chromium ${browser.version()}, headless${process.env.PERTURB_GPU ? '' : ', software graphics'}`,
      torch: torch?.version,
      workloads,
      growth,
      app: await benchApp(browser, asked),
    }
  } finally {
    await browser.close()
  }
}

async function benchPages(
  browser: Browser,
  folder: string,
  python: string | undefined,
  asked: Asked,
): Promise<{ workloads: Row[]; growth: GrowthLine[] }> {
  const { serve } = await import('../serve.ts')
  const [site, isolated] = [await serve(folder), await serve(folder, { isolated: true })]
  const rows: Row[] = []
  let growth: GrowthLine[] = []
  try {
    for (const backend of asked.backends) {
      const sides: { name: string; side: Side; backend: string }[] = []
      for (const name of ['ours', 'stock'])
        sides.push({ name, side: await browserSide(browser, `${site.address}/${name}.html`), backend })
      // tfjs' binary starts a thread for each two cores that it is told of: two threads at least.
      if (backend === 'wasm')
        for (const name of ['ours', 'stock'])
          sides.push({
            name: `${name}Threads`,
            side: await browserSide(browser, `${isolated.address}/${name}.html#threads`, {
              cores: Math.max(4, availableParallelism()),
            }),
            backend,
          })
      if (python && backend === 'wasm')
        sides.push({
          name: 'torchCpu',
          side: programSide(python, [torchProgram], repository),
          backend: 'cpu',
        })
      const heavy = backend === 'wasm' || (backend === 'webgpu' && process.env.PERTURB_GPU !== undefined)
      rows.push(...(await measureRows(sides, { ...asked, backend, heavy })))
      if (backend === 'wasm') growth = await growthOf(sides[0]!.side, asked)
      for (const { side } of sides) await side.close()
    }
    const order = [...new Set(rows.map(({ title }) => title))].sort()
    rows.sort((a, b) => order.indexOf(a.title) - order.indexOf(b.title))
    return { workloads: rows, growth }
  } finally {
    await Promise.all([site.close(), isolated.close()])
  }
}

async function growthOf(side: Side, { rounds, wanted, say }: Asked): Promise<GrowthLine[]> {
  const lines: GrowthLine[] = []
  for (const name of await side.growths()) {
    if (!wanted(`growth-${name}`)) continue
    say(`  growth: ${name}`)
    lines.push(await side.growth(name, 2 + rounds))
  }
  return lines
}

async function benchApp(browser: Browser, { rounds, wanted, say }: Asked): Promise<FigureRow[]> {
  const chosen = figures.filter(({ name }) => wanted(name))
  if (chosen.length === 0) return []
  const [{ buildIfStale, dist }, { serve }] = await Promise.all([import('../app.ts'), import('../serve.ts')])
  await buildIfStale(say)
  const fetched = new Set<string>()
  const site = await serve(dist, { onRequest: ({ path }) => fetched.add(path.replace(/\?.*/, '')) })
  try {
    const rows: FigureRow[] = []
    for (const { name, title, unit, budget, measure } of chosen) {
      say(`  app: ${title}`)
      const value = await measure({ browser, address: site.address, folder: dist, rounds, fetched }).catch(
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

/** The prose of docs/performance.md is written by hand; what stands between two marks is the command's. */
function writeDocument(
  report: Report,
  { onGpu, all, say }: { onGpu: boolean; all: boolean; say: (line: string) => void },
): void {
  mkdirSync(measurements, { recursive: true })
  const file = onGpu ? join(measurements, `${slug(report.device)}.json`) : browserReport
  const kept =
    existsSync(file) && !(all && isOfAnother(readReport(file), report)) ? readReport(file) : undefined
  writeFileSync(file, `${JSON.stringify(kept ? mergeReports(kept, report) : report, null, 2)}\n`)

  let text = readFileSync(document, 'utf8')
  if (existsSync(browserReport)) {
    const here = readReport(browserReport)
    text = between(text, 'here', tables(here))
    if (here.growth.length > 0) writeFileSync(join(repository, 'docs/growth.svg'), growthPlot(here.growth))
  }
  const devices = readdirSync(measurements)
    .filter((name) => name.endsWith('.json') && join(measurements, name) !== browserReport)
    .sort()
    .map((name) => tables(readReport(join(measurements, name))))
  text = between(text, 'elsewhere', devices.join('\n\n'))
  writeFileSync(document, text)
  say('docs/performance.md is up to date')
}

const readReport = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Report
const isOfAnother = (kept: Report, fresh: Report) =>
  kept.machine !== fresh.machine || kept.device !== fresh.device

const slug = (words: string) =>
  words
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-|-$/g, '')

function between(text: string, mark: string, content: string): string {
  const [open, close] = [`<!-- measured:${mark} -->`, `<!-- /measured:${mark} -->`]
  const [from, to] = [text.indexOf(open), text.indexOf(close)]
  if (from < 0 || to < from) throw new Error(`docs/performance.md: needs ${open} and ${close}, in this order`)
  return `${text.slice(0, from + open.length)}\n\n${content}\n\n${text.slice(to)}`
}
