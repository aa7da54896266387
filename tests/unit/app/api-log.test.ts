import { expect, test } from 'vitest'
import { logTotals, logWords, matching, othersOf, rowWords } from '../../../src/app/api-log.ts'
import { rowsToCopy, theftWords } from '../../../src/app/theft-bench.svelte.ts'
import type { ApiRequest } from '../../../src/engine/prediction-api.ts'

const request = (change: Partial<ApiRequest> = {}): ApiRequest => ({
  second: 0,
  key: 0,
  rows: 1,
  format: 'top-1',
  outcome: 'answered',
  ...change,
})
const log = [
  request({ rows: 30 }),
  request({ key: 3, rows: 2 }),
  request({ key: 3, outcome: 'refused', rows: 9 }),
]

test('filters by key and by outcome', () => {
  expect(matching(log, { key: 'all', outcome: 'all' })).toHaveLength(3)
  expect(matching(log, { key: '3', outcome: 'all' })).toHaveLength(2)
  expect(matching(log, { key: '3', outcome: 'refused' })).toEqual([log[2]])
})

test('counts only what was answered, and says it in a sentence', () => {
  expect(logTotals(log)).toEqual({ requests: 3, rows: 32, refused: 1, keys: [0, 3] })
  expect(logWords(log, 160)).toBe('32 rows answered in 2 requests by 2 keys, 1 request refused; €1.60.')
  expect(logWords([], 0)).toBe('0 rows answered in 0 requests by 0 keys.')
})

test('a made-up patient is told as one', () => {
  expect(rowWords([0, 0, 0])).toBe('average in all 3')
  expect(rowWords([0, 2, 0])).toBe('average in 2; number 2 is 2')
  expect(rowWords([0.5, -1, 2.25, 3, 9])).toBe('0.50, −1.00, 2.25, 3.00, …')
  expect(rowWords(undefined)).toBe('not kept')
})

test('the rows of one request stand behind its first, and what was not kept is counted', () => {
  const asked = [[0, 0], [1, 0], [0, -2]] // prettier-ignore
  expect(othersOf(request({ rows: 3, asked }))).toEqual({
    words: ['average in 1; number 1 is 1', 'average in 1; number 2 is −2'],
    label: 'the 2 others',
  })
  expect(othersOf(request({ rows: 90, asked })).label).toBe('2 of the 89 others')
  expect(othersOf(request({ rows: 1, asked: [[0, 0]] })).words).toEqual([])
  expect(othersOf(request({ rows: 5 })).words).toEqual([])
})

test('a theft in a sentence: from where on the copy stays a copy', () => {
  const point = (rows: number, probes: number) => ({ rows, probes, test: 0.98 })
  const run = {
    number: 1,
    settings: 'exact, real patients',
    points: [point(8, 0.995), point(31, 0.7), point(62, 1)],
  }
  expect(rowsToCopy(run)).toBe(62)
  expect(theftWords(run)).toMatch(
    /^A copy after 62 rows: it agrees on 100\.0 % of random points and 98\.0 % of test/,
  )
  expect(theftWords({ ...run, points: [point(8, 0.5)] })).toMatch(/^No copy after 8 rows/)
})
