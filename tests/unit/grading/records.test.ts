import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bestAttempt,
  earlierOf,
  keptAttempts,
  mergeRecords,
  passedWork,
  trimAttempts,
} from '../../../src/grading/records.ts'
import { attempt, pixels, record, records, verdict } from './helpers.ts'

const at = (s: number) => new Date(Date.UTC(2026, 10, 22) + s * 1000).toISOString()
const trimmed = (r: ReturnType<typeof record>) => ({ ...r, attempts: trimAttempts(r.attempts) })

describe('merging what two tabs did', () => {
  test('does not depend on the order', () => {
    fc.assert(
      fc.property(records, records, (a, b) => {
        expect(mergeRecords(a, b)).toEqual(mergeRecords(b, a))
      }),
    )
  })

  test('changes nothing the second time', () => {
    fc.assert(
      fc.property(records, records, (a, b) => {
        expect(mergeRecords(a, a)).toEqual(trimmed(a))
        const merged = mergeRecords(a, b)
        expect(mergeRecords(merged, b)).toEqual(merged)
        expect(mergeRecords(a, merged)).toEqual(merged)
      }),
    )
  })

  test('loses no attempt, no step, no opened hint', () => {
    fc.assert(
      fc.property(records, records, (a, b) => {
        const merged = mergeRecords(a, b)
        const ids = new Set(merged.attempts.map(({ id }) => id))
        for (const { id } of [...a.attempts, ...b.attempts]) expect(ids).toContain(id)
        for (const step of [...a.stepsDone, ...b.stepsDone]) expect(merged.stepsDone).toContain(step)
        for (const [hint, opened] of Object.entries(a.hints))
          expect(merged.hints[hint]).toBeGreaterThanOrEqual(opened)
      }),
    )
  })

  test('takes each file from the tab that edited it last', () => {
    const a = record({
      updated: 9,
      files: { 'fgsm.ts': { text: 'old', updated: 1 }, 'again.ts': { text: 'new', updated: 8 } },
    })
    const b = record({
      updated: 5,
      files: { 'fgsm.ts': { text: 'new', updated: 4 }, 'again.ts': { text: 'old', updated: 2 } },
    })
    expect(mergeRecords(a, b).files).toEqual({
      'fgsm.ts': { text: 'new', updated: 4 },
      'again.ts': { text: 'new', updated: 8 },
    })
  })

  test('settles two edits of one instant the same way in both tabs', () => {
    const a = record({ files: { 'fgsm.ts': { text: 'a', updated: 1 } } })
    const b = record({ files: { 'fgsm.ts': { text: 'b', updated: 1 } } })
    expect(mergeRecords(a, b).files).toEqual(mergeRecords(b, a).files)
  })

  test('keeps the seed that was worked with', () => {
    const worked = record({ seed: 7, updated: 1, attempts: [attempt({ seed: 7 })] })
    const fresh = record({ seed: 3, updated: 9 })
    expect(mergeRecords(worked, fresh).seed).toBe(7)
    expect(mergeRecords(fresh, worked).seed).toBe(7)
  })

  test('refuses records of two labs', () => {
    expect(() => mergeRecords(record(), record({ lab: 'other' }))).toThrow(/one lab/)
  })
})

describe('which attempts are kept', () => {
  const many = Array.from({ length: 80 }, (_, i) =>
    attempt({ id: `n${i}`, time: at(i), verdict: verdict('failed', i === 3 ? 70 : 10) }),
  )

  test('the best and the last fifty of each checkpoint', () => {
    const other = attempt({ id: 'other', checkpoint: 'targeted', time: at(0) })
    const kept = trimAttempts([...many, other]).map(({ id }) => id)
    expect(kept).toHaveLength(keptAttempts + 2)
    expect(kept).toContain('n3')
    expect(kept).toContain('other')
    expect(kept).toContain('n79')
    expect(kept).not.toContain('n4')
  })

  test('and what a kept one builds on', () => {
    const repair = Array.from({ length: 60 }, (_, i) =>
      attempt({ id: `r${i}`, checkpoint: 'repaired', time: at(i), verdict: verdict('passed', i) }),
    )
    const again = attempt({
      id: 'again',
      checkpoint: 'broken-again',
      time: at(61),
      earlier: { repaired: 'r2' },
    })
    expect(trimAttempts([...repair, again]).map(({ id }) => id)).toContain('r2')
  })

  test('a pass is better than a higher score, and the earlier of equals wins', () => {
    const passed = attempt({ id: 'p', verdict: verdict('passed', 76), time: at(5) })
    const high = attempt({ id: 'h', verdict: verdict('failed', 99), time: at(1) })
    const equal = attempt({ id: 'e', verdict: verdict('passed', 76), time: at(3) })
    expect(bestAttempt([passed, high], 'fooled')?.id).toBe('p')
    expect(bestAttempt([passed, high, equal], 'fooled')?.id).toBe('e')
    expect(bestAttempt([passed], 'nowhere')).toBeUndefined()
  })
})

describe('what an attempt builds on', () => {
  const first = attempt({
    id: 'r1',
    checkpoint: 'repaired',
    time: at(1),
    verdict: verdict('passed', 50),
    artefact: pixels(0.1),
  })
  const second = attempt({
    id: 'r2',
    checkpoint: 'repaired',
    time: at(3),
    verdict: verdict('passed', 60),
    artefact: pixels(0.2),
  })
  const failed = attempt({
    id: 'r3',
    checkpoint: 'repaired',
    time: at(4),
    verdict: verdict('failed', 90),
    artefact: pixels(0.3),
  })

  test('is the best passed work, with the ids to keep', () => {
    expect(passedWork([first, second, failed])).toEqual({
      ids: { repaired: 'r2' },
      artefacts: { repaired: second.artefact },
    })
    expect(passedWork([failed])).toEqual({ ids: {}, artefacts: {} })
  })

  test('is what it names, else what had passed by then', () => {
    const again = attempt({ id: 'b', checkpoint: 'broken-again', time: at(2) })
    expect(earlierOf(again, [first, second, again])).toEqual({ repaired: first.artefact })
    expect(earlierOf({ ...again, time: at(9) }, [first, second])).toEqual({ repaired: second.artefact })
    expect(earlierOf({ ...again, time: at(9), earlier: { repaired: 'r1' } }, [first, second])).toEqual({
      repaired: first.artefact,
    })
    expect(earlierOf({ ...again, earlier: { repaired: 'gone' } }, [])).toEqual({})
  })
})
