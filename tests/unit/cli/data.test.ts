import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { repository } from '../../../src/cli/node-platform.ts'
import { generators } from '../../../src/cli/data/generators.ts'
import { dataFiles } from '../../../src/cli/data/write.ts'
import { tableFiles } from '../../../src/cli/data/table.ts'
import { decodePng } from '../../../src/data/png.ts'

describe.each(Object.entries(generators))('npm run data %s', (name, generator) => {
  test('writes the shipped files byte for byte from its seed', () => {
    const files = dataFiles(name, generator, generator.seed, generator.simulate(generator.seed))
    for (const [file, bytes] of Object.entries(files)) {
      const shipped = readFileSync(join(repository, 'static/data', name, file))
      expect(
        Buffer.compare(Buffer.from(bytes), shipped),
        `${name}/${file} differs from what is shipped`,
      ).toBe(0)
    }
  })

  test('another seed makes another set of the same kind', () => {
    const other = generator.simulate(generator.seed + 1)
    expect(other.features).toEqual(generator.simulate(generator.seed).features)
    expect(other.rows[0]).not.toEqual(generator.simulate(generator.seed).rows[0])
    expect(other.rows.every(({ values }) => values.every(Number.isFinite))).toBe(true)
  })
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
