import type { GrowthLine } from './page.ts'
import type { FigureRow, Report } from './report.ts'
import type { Row } from './rows.ts'

/**
 * What is known of one machine after measuring again: what was measured anew takes the place of its last figure,
 * the rest stays, and each row keeps the date and commit that it was measured at. Throws when the two are not of
 * one machine, since their figures cannot stand in one table.
 */
export function mergeReports(kept: Report, fresh: Report): Report {
  for (const what of ['machine', 'device'] as const) {
    if (kept[what] === fresh[what]) continue
    throw new Error(
      `the record is of another ${what}: expected "${kept[what]}", got "${fresh[what]}"; ` +
        'measure everything here, without names, and its record takes the place of that one',
    )
  }
  return {
    ...fresh,
    torch: fresh.torch ?? kept.torch,
    workloads: merged(stamped(kept.workloads, kept), stamped(fresh.workloads, fresh), rowKey).sort(byTitle),
    growth: merged(kept.growth, fresh.growth, ({ title }: GrowthLine) => title),
    app: merged(stamped(kept.app, kept), stamped(fresh.app, fresh), ({ name }: FigureRow) => name),
  }
}

const rowKey = ({ workload, backend }: Row) => `${workload} ${backend}`

/** One work's backends stay in the order in which they were measured. */
const byTitle = (a: Row, b: Row) => (a.title < b.title ? -1 : a.title > b.title ? 1 : 0)

const stamped = <T extends Row | FigureRow>(rows: T[], { date, commit }: Report): T[] =>
  rows.map((row) => ({ ...row, measured: row.measured ?? { date, commit } }))

function merged<T>(kept: T[], fresh: T[], key: (row: T) => string): T[] {
  const anew = new Map(fresh.map((row) => [key(row), row]))
  const before = new Set(kept.map(key))
  return [...kept.map((row) => anew.get(key(row)) ?? row), ...fresh.filter((row) => !before.has(key(row)))]
}
