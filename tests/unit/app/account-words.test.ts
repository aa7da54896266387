import { describe, expect, test } from 'vitest'
import {
  accountWords,
  alarmRows,
  alarmsAt,
  closedAt,
  crowdWords,
  rocOf,
  rocPoints,
  testedDistances,
  type Rules,
} from '../../../src/app/account-words.ts'
import { judgements, pWords, trialWords, verdictWords } from '../../../src/app/watermark-words.ts'
import type { AccountReading } from '../../../src/engine/methods/watch-account.ts'
import type { CrowdAccount } from '../../../src/engine/methods/watch-crowd.ts'

const rules: Rules = { shape: 0.9, near: 5, far: 9, sure: 0.95 }
const reading = (rows: number, w = 0.98, median = 7, mean = 0.99): AccountReading => ({
  rows,
  w,
  median,
  mean,
})
const customer: CrowdAccount = { kind: 'customer', readings: [reading(100), reading(200)] }
const pushed: CrowdAccount = {
  kind: 'jacobian',
  readings: [reading(60, 0.5), reading(100), reading(150, 0.85), reading(200, 0.7)],
}
const noise: CrowdAccount = { kind: 'noise', readings: [reading(100, 0.99, 10.9, 0.97)] }

describe('alarms', () => {
  test('each figure has its own limit, and the edge is no alarm', () => {
    expect(alarmsAt(reading(100, 0.9, 5, 0.95), rules)).toEqual([])
    expect(alarmsAt(reading(100, 0.89), rules)).toEqual(['shape'])
    expect(alarmsAt(reading(100, 0.99, 4.9), rules)).toEqual(['distance'])
    expect(alarmsAt(reading(100, 0.99, 9.1), rules)).toEqual(['distance'])
    expect(alarmsAt(reading(100, 0.99, 7, 0.94), rules)).toEqual(['confidence'])
  })

  test('nothing is said before the hundredth question', () => {
    expect(closedAt(pushed.readings, rules)).toBe(150)
    expect(closedAt(customer.readings, rules)).toBeUndefined()
    expect(closedAt(noise.readings, rules, 'shape')).toBeUndefined()
    expect(closedAt(noise.readings, rules, 'distance')).toBe(100)
  })

  test('the table counts who is closed, and by what', () => {
    const rows = alarmRows([customer, customer, pushed, noise], rules)
    expect(rows.map(({ kind, accounts, closed, after }) => [kind, accounts, closed, after])).toEqual([
      ['customer', 2, 0, undefined],
      ['jacobian', 1, 1, 150],
      ['noise', 1, 1, 100],
    ])
    expect(rows[1]!.by).toEqual({ shape: 1, distance: 0, confidence: 0 })
    expect(crowdWords(rows)).toBe('0 of 2 honest accounts closed, 2 of 2 thieves.')
  })

  test('a signal that separates has an area of 1, one that does not has a half, and the natural thief is left out', () => {
    const natural: CrowdAccount = { ...customer, kind: 'natural' }
    expect(rocOf([customer, customer, pushed, natural], 'shape')!.auc).toBe(1)
    expect(rocOf([customer, customer, pushed, natural], 'distance')!.auc).toBe(0.5)
    expect(rocOf([customer, natural], 'shape')).toBeUndefined()
    // One point for each share of false alarms, as a chart wants it.
    expect(rocPoints(rocOf([customer, customer, pushed], 'shape')!)).toEqual([
      [0, 100],
      [100, 100],
    ])
  })
})

test('distances are tested without what lies beyond three deviations, and without the first of each answer', () => {
  const usual = Array.from({ length: 40 }, (_, i) => 7 + (i % 5) / 10)
  const { values, mean, deviation } = testedDistances([NaN, ...usual, 60])
  expect(values).toHaveLength(40)
  expect(mean).toBeCloseTo(7.2)
  expect(deviation).toBeLessThan(0.2)
  expect(testedDistances([NaN]).values).toEqual([])
})

test('an account in a sentence', () => {
  const said = accountWords({
    kind: 'noise',
    distances: [],
    answers: [],
    readings: noise.readings,
    pictures: [],
    shape: [28, 28, 1],
  })
  expect(said).toContain('noise: after 100 questions W is 0.990')
  expect(said).toContain('10.90')
})

describe('a trial in words', () => {
  const suspect = (kind: 'copied' | 'extracted' | 'innocent', hits: number, pValue: number) => ({
    kind,
    hits,
    triggers: 100,
    pValue,
    accuracy: 0.9,
  })
  const result = {
    suspects: [
      suspect('copied', 98, 1e-90),
      suspect('extracted', 11, 0.42),
      suspect('innocent', 9, 0.68),
      suspect('innocent', 30, 1e-8),
    ],
    unmarked: 0.91,
    enough: 27,
    dawn: [],
  }

  test('who is accused, and whether that is right', () => {
    expect(judgements(result).map((one) => [one.name, verdictWords(one)])).toEqual([
      ['copied file', 'proved'],
      ['clone made of answers', 'escapes'],
      ['innocent model 1', 'free'],
      ['innocent model 2', 'accused, and innocent'],
    ])
    expect(trialWords(result)).toContain('1 of 2 stolen models proved, 1 of 2 innocent ones accused')
    expect(judgements({ ...result, enough: undefined }).some(({ accused }) => accused)).toBe(false)
  })

  test('p-values keep what can be read', () => {
    expect([1, 0.446, 0.0123, 3.2e-53, 0].map(pWords)).toEqual(['1', '0.45', '0.012', '1e-53', '0'])
  })
})
