import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { repository } from '../../../src/cli/node-platform.ts'
import { generators } from '../../../src/cli/data/generators.ts'
import { setFiles } from '../../../src/cli/data/write.ts'
import { simulateRatings } from '../../../src/cli/data/shop.ts'
import { tableFiles } from '../../../src/cli/data/table.ts'
import { decodePng } from '../../../src/data/png.ts'

const shippedFile = (name: string, file: string) => readFileSync(join(repository, 'static/data', name, file))

describe.each(Object.entries(generators))('npm run data %s', (name, { seed, simulate, kept = [] }) => {
  test('writes the shipped files byte for byte from its seed', () => {
    const others = Object.fromEntries(kept.map((file) => [file, shippedFile(name, file)]))
    for (const [file, bytes] of Object.entries(setFiles(simulate(seed), others)))
      expect(
        Buffer.compare(Buffer.from(bytes), shippedFile(name, file)),
        `${name}/${file} differs from what is shipped`,
      ).toBe(0)
  })

  test('another seed makes another set of the same kind', () => {
    const [other, own] = [simulate(seed + 1).files, simulate(seed).files]
    expect(Object.keys(other)).toEqual(Object.keys(own))
    const changed = Object.keys(own).filter((file) => Buffer.compare(own[file]!, other[file]!) !== 0)
    expect(changed.length).toBeGreaterThanOrEqual(2)
  })
})

test('every invented shopper rates each item once at most, in stars and in the order of time', () => {
  const rows = simulateRatings(5)
  expect(new Set(rows.map(({ shopper, item }) => 200 * shopper + item)).size).toBe(rows.length)
  for (const [i, { shopper, item, stars, day }] of rows.entries()) {
    expect(item >= 0 && item < 200 && [1, 2, 3, 4, 5].includes(stars)).toBe(true)
    if (rows[i - 1]?.shopper === shopper) expect(day).toBeGreaterThanOrEqual(rows[i - 1]!.day)
  }
  expect(new Set(rows.map(({ shopper }) => shopper)).size).toBe(600)
})

test('a table is written so that it can be read again, and what exceeds a feature is cut off', () => {
  const files = tableFiles('tiny', {
    noun: 'row',
    classes: ['a', 'b'],
    features: [
      { name: 'one', title: 'One', scale: 'linear', low: 0, high: 2 },
      { name: 'two', title: 'Two', scale: 'flag', low: 0, high: 1 },
    ],
    rows: [
      { values: [1, 1], label: 0, split: 'train' },
      { values: [9, 0], label: 1, split: 'train' },
      { values: [-1, 0], label: 1, split: 'test' },
    ],
  })
  const { pixels, width } = decodePng(files['train.png']!, 'train.png')
  expect(width).toBe(128)
  expect([...pixels.slice(0, 4)]).toEqual([128, 255, 255, 0])
  expect([...decodePng(files['test.png']!, 'test.png').pixels.slice(0, 2)]).toEqual([0, 0])
  const header = JSON.parse(Buffer.from(files['header.json']!).toString()) as {
    simulated: boolean
    train: { labels: string }
  }
  expect(header).toMatchObject({ simulated: true, train: { count: 2, labels: '01' } })
})
