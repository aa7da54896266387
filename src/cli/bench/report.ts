import type { GrowthLine } from './page.ts'
import type { Cell, Row } from './rows.ts'

/** When, and of which commit, a row was measured, where that is not its whole report's. */
export interface Measured {
  date: string
  commit: string
}

export interface FigureRow {
  name: string
  title: string
  unit: string
  budget?: number
  value: number | string
  measured?: Measured
}

/** What one machine measured; `--json` prints it, docs/measurements/ keeps those of other machines. */
export interface Report {
  date: string
  commit: string
  machine: string
  /** Browser or graphics device that ran it. */
  device: string
  /** Versions of what we are compared with. */
  torch?: string
  workloads: Row[]
  growth: GrowthLine[]
  app: FigureRow[]
}

const titles: Record<string, string> = {
  ours: 'ours',
  oursThreads: 'ours, threads',
  stock: 'stock tfjs',
  stockThreads: 'stock tfjs, threads',
  torch: 'PyTorch, this GPU',
  torchCpu: 'PyTorch, one thread',
}

const number = (value: number) =>
  Number.isInteger(value) || value >= 100
    ? value.toFixed(0)
    : value >= 10
      ? value.toFixed(1)
      : value.toPrecision(2)
export const figureText = (value: number | string | undefined, unit: string) =>
  typeof value === 'number' ? `${number(value)} ${unit}`.trim() : (value ?? '–')

/** How many times as long the other side takes. */
function ratio(other: Cell | undefined, ours: Cell | undefined): string {
  const [a, b] = [other?.ms, ours?.ms]
  return typeof a === 'number' && typeof b === 'number' ? `${(a / b).toPrecision(a / b < 10 ? 2 : 3)} ×` : '–'
}

const sideNames = (rows: Row[]) =>
  Object.keys(titles).filter((name) => rows.some(({ cells }) => name in cells))
/** Threads have a table of their own. */
const onThreads = (name: string) => name.endsWith('Threads')

/** What the workloads left behind, all together, and the app's figures. */
const figuresOf = ({ workloads, app }: Report): FigureRow[] => [...leftBehind(workloads), ...app]

/** Nothing when no workload was looked at. */
function leftBehind(rows: Row[]): FigureRow[] {
  const counts = rows.map(({ cells }) => cells.ours?.tensors).filter((count) => count !== undefined)
  if (counts.length === 0) return []
  const value = counts.reduce((sum, count) => sum + count, 0)
  const title = `Tensors left behind by ${counts.length} runs of our workloads`
  return [{ name: 'tensors-left', title, unit: '', budget: 0, value }]
}

export function printReport(report: Report): void {
  console.log(`\n${report.machine}\n${report.device}, ${report.date}\n`)
  const sides = sideNames(report.workloads)
  for (const { title, backend, cells, budgetMs } of report.workloads) {
    const figures = sides.map((name) => `${name} ${figureText(cells[name]?.ms, 'ms')}`.padEnd(20))
    const ratios = sides.slice(1).map((name) => `${name}/ours ${ratio(cells[name], cells.ours)}`.padEnd(18))
    const budget = budgetMs === undefined ? '' : `(budget ${budgetMs} ms)`
    const { traffic, tensors } = cells.ours ?? {}
    const left = tensors ? `${tensors} tensors left` : ''
    const asked = traffic
      ? `${traffic.dispatches} dispatches, ${traffic.submits} submits, ${traffic.readBacks} read-backs`
      : ''
    console.log(
      [title.padEnd(42), backend.padEnd(7), ...figures, ...ratios, budget, asked, left].join(' ').trimEnd(),
    )
  }
  for (const { title, unit, points } of report.growth) {
    console.log(
      `${title} by ${unit}: ${points.map(([size, ms]) => `${size}: ${figureText(ms, 'ms')}`).join('  ')}`,
    )
  }
  for (const { title, value, unit, budget } of figuresOf(report)) {
    const allowed = budget === undefined ? '' : `(budget ${budget}${unit && ' '}${unit})`
    console.log(`${title.padEnd(78)}${figureText(value, unit).padEnd(12)}${allowed}`)
  }
}

/** The tables of one machine. */
export function tables(report: Report): string {
  const { workloads } = report
  const figures = figuresOf(report)
  const parts = [
    `- ${report.machine}\n- ${report.device}\n${report.torch ? `- PyTorch ${report.torch}\n` : ''}- ${measuredWords(report)}`,
  ]
  if (workloads.length > 0) parts.push(workloadTable(report))
  const threads = workloads.filter(({ cells }) => typeof cells.oursThreads?.ms === 'number')
  if (threads.length > 0) parts.push(threadTable(threads))
  const gpu = workloads.filter(({ cells }) => cells.ours?.traffic)
  if (gpu.length > 0) parts.push(trafficTable(gpu))
  if (figures.length > 0) {
    const commit = commitColumn(report)
    parts.push(
      table(
        ['figure', 'measured', 'budget', ...commit.head],
        figures.map((figure) => [
          figure.title,
          figureText(figure.value, figure.unit),
          figure.budget === undefined ? '' : `${figure.budget} ${figure.unit}`.trim(),
          ...commit.cell(figure),
        ]),
      ),
    )
  }
  return parts.join('\n\n')
}

const measuredOf = ({ measured }: { measured?: Measured }, { date, commit }: Report): Measured =>
  measured ?? { date, commit }

const severalCommits = (report: Report) =>
  new Set([...report.workloads, ...report.app].map((row) => measuredOf(row, report).commit)).size > 1

function measuredWords(report: Report): string {
  if (!severalCommits(report)) return `${report.date}, commit ${report.commit}`
  const dates = [...report.workloads, ...report.app].map((row) => measuredOf(row, report).date).sort()
  return `${[...new Set([dates[0]!, dates.at(-1)!])].join(' to ')}, each row at the commit that it names`
}

/** The column that names each row's commit, where they are not all of one. */
function commitColumn(report: Report): { head: string[]; cell(row: { measured?: Measured }): string[] } {
  if (!severalCommits(report)) return { head: [], cell: () => [] }
  return { head: ['commit'], cell: (row) => [measuredOf(row, report).commit] }
}

function workloadTable(report: Report): string {
  const rows = report.workloads
  const sides = sideNames(rows).filter((name) => !onThreads(name))
  const commit = commitColumn(report)
  return table(
    [
      'work',
      'backend',
      ...sides.map((name) => titles[name]!),
      ...sides.slice(1).map((name) => `${titles[name]!} / ours`),
      'budget',
      ...commit.head,
    ],
    rows.map((row) => [
      row.title,
      row.backend,
      ...sides.map((name) => figureText(row.cells[name]?.ms, 'ms')),
      ...sides.slice(1).map((name) => ratio(row.cells[name], row.cells.ours)),
      row.budgetMs === undefined ? '' : `${row.budgetMs} ms`,
      ...commit.cell(row),
    ]),
  )
}

/** WASM on a page that is cross-origin isolated, beside the same on one thread, of the same rounds. */
function threadTable(rows: Row[]): string {
  const sides = ['ours', 'oursThreads', 'stock', 'stockThreads']
  return `On WASM, one thread and several:\n\n${table(
    ['work', ...sides.map((name) => titles[name]!), 'ours / ours, threads'],
    rows.map(({ title, cells }) => [
      title,
      ...sides.map((name) => figureText(cells[name]?.ms, 'ms')),
      ratio(cells.ours, cells.oursThreads),
    ]),
  )}`
}

function trafficTable(rows: Row[]): string {
  const words = (cell: Cell | undefined) =>
    cell?.traffic
      ? `${cell.traffic.dispatches} / ${cell.traffic.submits} / ${cell.traffic.readBacks} / ${figureText(cell.traffic.uploadedBytes / 1000, 'kB')}`
      : '–'
  return `What each asks of the device: dispatches / submits / read-backs / bytes written.\n\n${table(
    ['work', 'ours', 'stock tfjs'],
    rows.map(({ title, cells }) => [title, words(cells.ours), words(cells.stock)]),
  )}`
}

function table(heads: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [
    line(heads),
    line(heads.map((_, i) => (i < 1 || heads[i] === 'backend' ? '---' : '---:'))),
    ...rows.map(line),
  ].join('\n')
}
