import { expect, test } from 'vitest'
import { readStatic } from '../../../src/cli/node-platform.ts'
import { loadDataSet } from '../../../src/data/load.ts'
import { parseTable } from '../../../src/data/table.ts'

const schema = {
  file: 'data.csv',
  rows: 3,
  trainRows: 2,
  target: 'ill',
  classes: ['no', 'yes'],
  columns: [
    { name: 'age', type: 'number', mean: 40, std: 10 },
    { name: 'ill', type: 'category' },
    { name: 'dose', type: 'number', mean: 0, std: 2 },
  ],
}
const parse = (text: string) => parseTable('tiny', schema, text, 'data/tiny/data.csv')

test('numbers are standardised, the class is found wherever it stands, the first rows are for training', () => {
  const data = parse('age,ill,dose\n50,yes,1\n40,no,-4\r\n30,yes,0\n')
  expect(data.features?.map(({ name }) => name)).toEqual(['age', 'dose'])
  expect(data.shape).toEqual([1, 1, 2])
  expect(Array.from(data.train.pixels([0, 1]))).toEqual([1, 0.5, 0, -2])
  expect(Array.from(data.train.labels)).toEqual([1, 0])
  expect(Array.from(data.test.pixels([0]))).toEqual([-1, 0])
  expect(() => data.test.pixels([1])).toThrow(/no row 1; ids are whole numbers from 0 to 0/)
})

test.each([
  ['another header', 'age,dose,ill\n1,2,no\n', /must name the columns/],
  ['a row too few', 'age,ill,dose\n50,yes,1\n', /expected 3 rows, got 1/],
  [
    'a class that there is not',
    'age,ill,dose\n1,no,1\n1,maybe,1\n1,no,1\n',
    /row 2 must have 3 cells and a class of no, yes/,
  ],
  ['an empty cell', 'age,ill,dose\n1,no,1\n1,no,\n1,no,1\n', /row 2, dose: expected a number, got ""/],
  ['a word', 'age,ill,dose\n1,no,1\n1,no,1\nold,no,1\n', /row 3, age: expected a number, got "old"/],
])('refuses %s, with its place', (_, text, sentence) => {
  expect(() => parse(text)).toThrow(sentence)
})

test('the shipped table: 398 and 171 patients, 30 measurements, means of about 0', async () => {
  const data = await loadDataSet('breast-cancer', readStatic)
  expect([data.train.count, data.test.count, data.features?.length]).toEqual([398, 171, 30])
  expect(data.classes).toEqual(['benign', 'malignant'])
  const values = data.train.pixels(Array.from({ length: 398 }, (_, id) => id))
  expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(0, 3)
})
