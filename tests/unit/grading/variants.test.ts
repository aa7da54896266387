import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomVariantSeed, variantSeed } from '../../../src/grading/variants.ts'

test('is HMAC-SHA-256 of key, learner and lab, its first 32 bits', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string(), fc.string(), (key, learner, lab) => {
      const expected = createHmac('sha256', key)
        .update(JSON.stringify([learner, lab]))
        .digest()
        .readUInt32BE(0)
      expect(variantSeed(key, learner, lab)).toBe(expected)
    }),
  )
})

test('tells learners, labs and keys apart, and where one name ends', () => {
  const seeds = [
    variantSeed('k', 'ada', 'evasion'),
    variantSeed('k', 'bob', 'evasion'),
    variantSeed('k', 'ada', 'poison'),
    variantSeed('l', 'ada', 'evasion'),
    variantSeed('k', 'adae', 'vasion'),
  ]
  expect(new Set(seeds).size).toBe(seeds.length)
})

test('without a course a seed is drawn, and is 32 bits', () => {
  const seeds = Array.from({ length: 50 }, randomVariantSeed)
  expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff)).toBe(true)
  expect(new Set(seeds).size).toBeGreaterThan(45)
})
