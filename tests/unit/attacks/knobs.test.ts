import { expect, test } from 'vitest'
import { attacks } from '../../../src/attacks/registry.ts'
import { dependsOnNorm, epsilonKnob, rangeFor, stepsKnob } from '../../../src/attacks/knobs.ts'

test('a length has a ruler for each norm, and a count has one', () => {
  expect(rangeFor(epsilonKnob(), { norm: 'linf' })).toMatchObject({ max: 0.3, step: 0.005 })
  expect(rangeFor(epsilonKnob(), { norm: 'l2' })).toMatchObject({ max: 6, step: 0.05, start: 2.5 })
  expect(rangeFor(epsilonKnob(), {})).not.toHaveProperty('byNorm')
  expect(rangeFor(epsilonKnob(), { norm: 'constructor' })).toMatchObject({ max: 0.3 })
  expect([dependsOnNorm(epsilonKnob()), dependsOnNorm(stepsKnob())]).toEqual([true, false])
})

test('an attack’s own words and range win', () => {
  expect(stepsKnob({ max: 300, label: 'Steps at most' })).toMatchObject({
    name: 'steps',
    max: 300,
    label: 'Steps at most',
  })
})

test.each([...attacks.values()])('$id: a start in another norm lies on its ruler', ({ parameters }) => {
  for (const parameter of parameters)
    for (const ruler of parameter.kind === 'number' ? Object.values(parameter.byNorm ?? {}) : []) {
      expect(ruler.start).toBeGreaterThanOrEqual(ruler.min)
      expect(ruler.start).toBeLessThanOrEqual(ruler.max)
    }
})
