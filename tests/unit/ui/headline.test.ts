import { describe, expect, it } from 'vitest'
import { headline, sizeInWords, spoken, stepText, type Bench } from '../../../src/ui/home/headline.ts'
import { article } from '../../../src/ui/parts/numbers.ts'

const say = (change: Partial<Extract<Bench, { state: 'read' }>>) =>
  spoken(headline({ state: 'read', own: false, before: 3, after: 8, truth: 3, epsilon: 0.08, ...change }))

describe('the headline', () => {
  it('reads as a sentence, with the right article', () => {
    expect(say({})).toBe('This is a 3. One step of 0.08, and it is an 8.')
    expect(say({ after: 3 })).toBe('This is a 3. One step of 0.08, and it is still a 3.')
    expect(say({ before: 8, truth: 8, after: 1 })).toBe('This is an 8. One step of 0.08, and it is a 1.')
  })

  it('says of a drawing only what was read', () => {
    expect(say({ own: true })).toBe('It reads a 3. One step of 0.08, and it reads an 8.')
    expect(say({ own: true, after: 3 })).toBe('It reads a 3. One step of 0.08, and it still reads a 3.')
  })

  it('does not call a digit what it is not when the reader is wrong from the start', () => {
    expect(say({ before: 5 })).toBe('This is a 3, and without any step it is read as a 5.')
  })

  it('promises nothing of a step of zero', () => {
    expect(say({ epsilon: 0, after: 3 })).toBe('This is a 3. Now take one step.')
  })

  it('never rounds the step across its reading', () => {
    expect([0.08, 0.085, 0.3, 0.005].map(stepText)).toEqual(['0.08', '0.085', '0.30', '0.005'])
  })

  it('has words for blank, unfinished and unavailable', () => {
    expect(spoken(headline({ state: 'blank' }))).toBe('Draw a digit. Then nudge it.')
    expect(spoken(headline({ state: 'not-a-digit' }))).toMatch(/Not a digit yet/)
    expect(spoken(headline({ state: 'unavailable' }))).toMatch(/could not start/)
  })

  it('puts "an" before what sounds so', () => {
    expect([0, 1, 8, 11, 18, 80, 110, 180, 'apple', 'bus'].map(article)).toEqual([
      'a',
      'a',
      'an',
      'an',
      'an',
      'an',
      'a',
      'a',
      'an',
      'a',
    ])
    expect(sizeInWords(0.08)).toMatch(/20 of 255/)
  })
})
