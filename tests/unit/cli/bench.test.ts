import { expect, test } from 'vitest'
import { mergeReports } from '../../../src/cli/bench/record.ts'
import { tables, type Report } from '../../../src/cli/bench/report.ts'
import type { Row } from '../../../src/cli/bench/rows.ts'

const row = (workload: string, backend: string, ours: number, more: Row['cells'] = {}): Row => ({
  workload,
  title: `Work ${workload}`,
  backend,
  cells: { ours: { ms: ours, tensors: 0 }, ...more },
})

const report = (commit: string, date: string, workloads: Row[], more: Partial<Report> = {}): Report => ({
  date,
  commit,
  machine: 'a processor, 2 cores',
  device: 'a browser',
  workloads,
  growth: [],
  app: [],
  ...more,
})

const before = report(
  'aaaaaaa',
  '2026-01-01',
  [row('a', 'wasm', 1), row('a', 'cpu', 10), row('c', 'wasm', 3)],
  {
    torch: '1.0',
    app: [
      { name: 'knob', title: 'Knob', unit: 'ms', budget: 100, value: 40 },
      { name: 'open', title: 'Opening', unit: 'ms', value: 1000 },
    ],
  },
)

test('what was measured anew takes the place of its last figure, at its own commit', () => {
  const after = mergeReports(
    before,
    report('bbbbbbb', '2026-02-02', [row('a', 'wasm', 2), row('b', 'wasm', 5)], {
      app: [{ name: 'knob', title: 'Knob', unit: 'ms', budget: 100, value: 30 }],
    }),
  )
  expect(
    after.workloads.map(({ workload, backend, cells, measured }) => [
      workload,
      backend,
      cells.ours!.ms,
      measured!.commit,
    ]),
  ).toEqual([
    ['a', 'wasm', 2, 'bbbbbbb'],
    ['a', 'cpu', 10, 'aaaaaaa'],
    ['b', 'wasm', 5, 'bbbbbbb'],
    ['c', 'wasm', 3, 'aaaaaaa'],
  ])
  expect(after.app.map(({ value, measured }) => [value, measured!.date])).toEqual([
    [30, '2026-02-02'],
    [1000, '2026-01-01'],
  ])
  // A run that had no PyTorch leaves the version that the other rows were compared with.
  expect(after.torch).toBe('1.0')
})

test('a third run leaves the stamps of the first two', () => {
  const second = mergeReports(before, report('bbbbbbb', '2026-02-02', [row('b', 'wasm', 5)]))
  const third = mergeReports(second, report('ccccccc', '2026-03-03', [row('c', 'wasm', 4)]))
  expect(third.workloads.map(({ measured }) => measured!.commit)).toEqual([
    'aaaaaaa',
    'aaaaaaa',
    'bbbbbbb',
    'ccccccc',
  ])
})

test('figures of two machines are refused', () => {
  const elsewhere = report('bbbbbbb', '2026-02-02', [], { machine: 'another processor' })
  expect(() => mergeReports(before, elsewhere)).toThrow(
    /another machine: expected "a processor, 2 cores", got "another processor"; measure everything/,
  )
})

test('the tables name each row’s commit only where there are several', () => {
  expect(tables(before)).not.toContain('| commit |')
  expect(tables(before)).toContain('- 2026-01-01, commit aaaaaaa')
  const text = tables(mergeReports(before, report('bbbbbbb', '2026-02-02', [row('a', 'wasm', 2)])))
  expect(text).toContain('2026-01-01 to 2026-02-02, each row at the commit that it names')
  expect(text).toContain('| Work a | wasm | 2 ms |  | bbbbbbb |')
  expect(text).toContain('| Work c | wasm | 3 ms |  | aaaaaaa |')
  expect(text).toContain('| Opening | 1000 ms |  | aaaaaaa |')
})

test('threads have a table of their own, and what is left behind counts every row that is kept', () => {
  const threads = { oursThreads: { ms: 2 }, stock: { ms: 8 }, stockThreads: { ms: 6 } }
  const text = tables(report('aaaaaaa', '2026-01-01', [row('a', 'wasm', 4, threads), row('b', 'cpu', 1)]))
  expect(text).toContain('| Work a | wasm | 4 ms | 8 ms | 2.0 × |  |')
  expect(text).toContain('| Work a | 4 ms | 2 ms | 8 ms | 6 ms | 2.0 × |')
  expect(text).not.toContain('| Work b | 1 ms')
  expect(text).toContain('| Tensors left behind by 2 runs of our workloads | 0 | 0 |')
})
