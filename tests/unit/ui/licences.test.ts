import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parseLicences } from '../../../src/ui/home/licences.ts'
import { parseSamples } from '../../../src/ui/home/samples.ts'

const read = (path: string) => readFileSync(new URL(`../../../static/${path}`, import.meta.url), 'utf8')

it('the licences page shows every row of LICENSES.md', () => {
  const { head, body } = parseLicences(read('LICENSES.md'))
  expect(head).toEqual(['Path', 'What', 'Source', 'Licence'])
  expect(body.length).toBeGreaterThan(5)
  expect(body.every((row) => row.length === 4 && row.every((cell) => cell !== ''))).toBe(true)
  expect(body.find(([path]) => path === 'data/mnist10k/')?.[3]).toMatch(/CC BY-SA 3\.0/)
  expect(() => parseLicences('no table')).toThrow(/expected a table/)
})

it('the digits of the home page are whole, and a broken file is refused by name', () => {
  const samples = parseSamples(JSON.parse(read('data/mnist-samples/digits.json')))
  expect(samples.map(({ label }) => label)).toEqual([2, 3, 4, 7])
  expect(samples.every(({ pixels }) => pixels.length === 784 && Math.max(...pixels) > 0.9)).toBe(true)
  expect(() => parseSamples({ digits: [{ label: 1, pixels: btoa('short') }] })).toThrow(
    /784 bytes for digit 0; got 5/,
  )
  expect(() => parseSamples({})).toThrow(/list of digits/)
})
