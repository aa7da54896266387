import { describe, expect, test } from 'vitest'
import { atLeast, atMost } from '../../../src/grading/rows.ts'
import { disagreement } from '../../../src/labs/needs.ts'

const rows = [
  atLeast(75, { id: 'fooled', name: 'Digits misread', measured: 90, unit: '%' }),
  atMost(0.25, { id: 'linf', name: 'Largest change', measured: 0.25, hard: true }),
  atMost(0, { id: 'range', name: 'Farthest outside', measured: 0, hard: true }),
]
const need = (...values: string[]) => values.map((value, i) => ({ name: `need ${i}`, value }))

describe('needs in lab.json beside the rows of the grader', () => {
  test('agree when each plain bar is a row’s and each row’s is told', () => {
    expect(disagreement(need('at least 75 %', 'at most 0.25', 'inside [0, 1]'), rows)).toBeUndefined()
  })
  test('a bar that was moved in one place only is named', () => {
    expect(disagreement(need('at least 70 %', 'at most 0.25'), rows)).toMatch(
      /"need 0" needs at least 70.*at least 75 %/,
    )
    expect(disagreement(need('at most 75 %', 'at most 0.25'), rows)).toMatch(/needs at most 75/)
  })
  test('a row that nobody told is named, unless the author says it in other words', () => {
    expect(disagreement(need('at least 75 %'), rows)).toMatch(/row "Largest change" needs at most 0.25/)
    expect(disagreement(need('at least 75 %', 'at most 1.22 × the referee’s own'), rows)).toBeUndefined()
  })
  test('thousands are read as people write them', () => {
    const queries = [atMost(3200, { id: 'queries', name: 'Rows', measured: 10, precision: 0 })]
    expect(disagreement(need('at most 3,200'), queries)).toBeUndefined()
    expect(disagreement(need('at most 3,000'), queries)).toMatch(/at most 3000/)
  })
})
