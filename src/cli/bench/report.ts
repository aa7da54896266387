import type { GrowthLine } from './page.ts'
import type { Cell, Row } from './rows.ts'

export interface FigureRow {
  name: string
  title: string
  unit: string
  budget?: number
  value: number | string
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
  for (const { title, value, unit, budget } of report.app) {
    const allowed = budget === undefined ? '' : `(budget ${budget}${unit && ' '}${unit})`
    console.log(`${title.padEnd(78)}${figureText(value, unit).padEnd(12)}${allowed}`)
  }
}

/** The tables of one machine. */
export function tables(report: Report): string {
  const parts = [
    `- ${report.machine}\n- ${report.device}\n${report.torch ? `- PyTorch ${report.torch}\n` : ''}- ${report.date}, commit ${report.commit}`,
  ]
  if (report.workloads.length > 0) parts.push(workloadTable(report.workloads))
  const gpu = report.workloads.filter(({ cells }) => cells.ours?.traffic)
  if (gpu.length > 0) parts.push(trafficTable(gpu))
  if (report.app.length > 0) {
    parts.push(
      table(
        ['figure', 'measured', 'budget'],
        report.app.map(({ title, value, unit, budget }) => [
          title,
          figureText(value, unit),
          budget === undefined ? '' : `${budget} ${unit}`.trim(),
        ]),
      ),
    )
  }
  return parts.join('\n\n')
}

function workloadTable(rows: Row[]): string {
  const sides = sideNames(rows)
  return table(
    [
      'work',
      'backend',
      ...sides.map((name) => titles[name]!),
      ...sides.slice(1).map((name) => `${titles[name]!} / ours`),
      'budget',
    ],
    rows.map(({ title, backend, cells, budgetMs }) => [
      title,
      backend,
      ...sides.map((name) => figureText(cells[name]?.ms, 'ms')),
      ...sides.slice(1).map((name) => ratio(cells[name], cells.ours)),
      budgetMs === undefined ? '' : `${budgetMs} ms`,
    ]),
  )
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
