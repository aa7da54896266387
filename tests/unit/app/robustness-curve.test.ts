import { expect, test } from 'vitest'
import { readCurveSetup } from '../../../src/app/robustness-curve.svelte.ts'

test('reads the attacks to compare, with seeds only where a start is random', () => {
  const { lines, max, weightsFrom } = readCurveSetup({
    victim: 'hardened',
    max: '0.2',
    compare: 'fgsm | pgd steps=3 | pgd steps=20 restarts=2',
  })
  expect({ max, weightsFrom }).toEqual({ max: 0.2, weightsFrom: 'hardened' })
  expect(lines.map(({ name, options, seeds }) => [name, options, seeds.length])).toEqual([
    ['FGSM', {}, 1],
    ['PGD, 3 steps', { steps: 3 }, 1],
    ['PGD, 20 steps, best of 3', { steps: 20, restarts: 2 }, 3],
  ])
})

test('without attributes it compares one step with many on the shipped model', () => {
  const { lines, model, max } = readCurveSetup({})
  expect({ model, max }).toEqual({ model: 'digits-cnn', max: 0.3 })
  expect(lines.map(({ attack }) => attack)).toEqual(['fgsm', 'pgd', 'pgd'])
})
