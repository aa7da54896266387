import type { ApiRequest } from '../engine/prediction-api.ts'

/** What a log is narrowed to. */
export interface LogFilter {
  key: 'all' | string
  outcome: 'all' | ApiRequest['outcome']
}

export const matching = (requests: readonly ApiRequest[], { key, outcome }: LogFilter): ApiRequest[] =>
  requests.filter(
    (request) =>
      (key === 'all' || request.key === Number(key)) && (outcome === 'all' || request.outcome === outcome),
  )

/** Totals of a log: rows that were answered, and requests refused. */
export function logTotals(requests: readonly ApiRequest[]) {
  const answered = requests.filter(({ outcome }) => outcome === 'answered')
  return {
    requests: requests.length,
    rows: answered.reduce((sum, { rows }) => sum + rows, 0),
    refused: requests.length - answered.length,
    keys: [...new Set(requests.map(({ key }) => key))].sort((a, b) => a - b),
  }
}

/** What a row looks like to somebody who knows patients. */
export function rowWords(row: readonly number[] | undefined): string {
  if (!row) return 'not kept'
  const other = row.flatMap((value, i) => (Math.abs(value) > 1e-6 ? [{ value, i }] : []))
  if (other.length === 0) return `average in all ${row.length}`
  if (other.length <= 2) {
    const said = other.map(({ value, i }) => `number ${i + 1} is ${signed(Number(value.toPrecision(3)))}`)
    return `average in ${row.length - other.length}; ${said.join(', ')}`
  }
  const shown = row.slice(0, 4).map((value) => signed(value.toFixed(2)))
  return `${shown.join(', ')}${row.length > 4 ? ', …' : ''}`
}

const signed = (value: number | string) => String(value).replace('-', '−')

/** What stands behind "show the others" of a request, and how many of them it holds. */
export function othersOf({ asked = [], rows }: ApiRequest): { words: string[]; label: string } {
  const words = asked.slice(1).map(rowWords)
  const label =
    asked.length < rows ? `${words.length} of the ${rows - 1} others` : `the ${words.length} others`
  return { words, label: words.length === 1 ? 'the other' : label }
}

/** The whole log in a sentence. */
export function logWords(requests: readonly ApiRequest[], cents: number): string {
  const { rows, refused, keys } = logTotals(requests)
  const count = (n: number, one: string) => `${n} ${one}${n === 1 ? '' : 's'}`
  return `${count(rows, 'row')} answered in ${count(requests.length - refused, 'request')} by ${count(keys.length, 'key')}${refused > 0 ? `, ${count(refused, 'request')} refused` : ''}${cents > 0 ? `; €${(cents / 100).toFixed(2)}` : ''}.`
}
