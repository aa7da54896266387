import { describe, expect, test } from 'vitest'
import { clock, rowFigures } from '../../../src/ui/evidence/figures.ts'
import { actionOf } from '../../../src/ui/player/keys.ts'
import type { EvidenceRow } from '../../../src/grading/verdict.ts'

const row = (part: Partial<EvidenceRow>): EvidenceRow => ({
  id: 'r',
  name: 'Digits misread',
  measured: 62.5,
  unit: '%',
  needed: { relation: 'at-least', value: 85 },
  precision: 1,
  scaleMax: 100,
  hard: false,
  satisfied: false,
  status: 'failed',
  ...part,
})

describe('an evidence row', () => {
  test('says how much is short, over, spare', () => {
    expect(rowFigures(row({}))).toMatchObject({
      value: '62.5',
      needed: '≥ 85.0 %',
      margin: '22.5 short',
      at: 62.5,
      threshold: 85,
    })
    expect(rowFigures(row({ measured: 90, satisfied: true, status: 'passed' })).margin).toBe('5.0 over')
    const limit = { relation: 'at-most', value: 0.25 } as const
    const norm = (measured: number, satisfied: boolean) =>
      rowFigures(
        row({
          measured,
          satisfied,
          needed: limit,
          precision: 3,
          unit: '',
          scaleMax: 0.5,
          status: satisfied ? 'passed' : 'failed',
        }),
      )
    expect(norm(0.25, true).margin).toBe('at the limit')
    expect(norm(0.1, true).margin).toBe('0.150 spare')
    expect(norm(0.3, false).margin).toBe('0.050 over')
  })

  test('says of what is infinite that it is, not where it is drawn', () => {
    const figures = rowFigures(
      row({
        measured: 2,
        never: true,
        unit: '×',
        needed: { relation: 'at-most', value: 1.22 },
        precision: 2,
        scaleMax: 2,
      }),
    )
    expect(figures).toMatchObject({ value: '∞', unit: '', margin: 'beyond any bar', at: 100 })
    expect(figures.spoken).toBe('Digits misread: infinite, needs at most 1.22 ×')
  })

  test('is never rounded across its threshold', () => {
    expect(rowFigures(row({ measured: 84.97 })).value).toBe('84.97')
    expect(rowFigures(row({ measured: 84.97 })).margin).toBe('a hair short')
    const close = row({
      measured: 0.2502,
      needed: { relation: 'at-most', value: 0.25 },
      precision: 3,
      unit: '',
      scaleMax: 0.5,
    })
    expect(rowFigures(close).value).toBe('0.2502')
  })

  test('undecided shows its interval, unavailable no figure', () => {
    const undecided = rowFigures(row({ status: 'undecided', interval: [75, 88], precision: 0 }))
    expect(undecided).toMatchObject({ value: '75–88', margin: 'crosses 85', interval: { from: 75, to: 88 } })
    const missing = rowFigures(row({ status: 'unavailable' }))
    expect(missing).toMatchObject({ value: '–', margin: 'not measured', at: 0 })
    expect(missing.spoken).toBe('Digits misread: not measured, needs at least 85.0 %')
  })

  test('a time of today is a clock, an older one has its day', () => {
    const now = new Date('2026-11-23T12:00:00')
    expect(clock('2026-11-23T09:41:00', now)).toBe('09:41')
    expect(clock('2026-11-21T09:41:00', now)).toBe('21 Nov 09:41')
    expect(clock('nonsense', now)).toBe('')
  })
})

describe('keys', () => {
  const press = { key: 'h', ctrlKey: false, metaKey: false, altKey: false, typing: false }
  test('single letters are off while typing and by setting; run and cancel never', () => {
    expect(actionOf(press, true)).toBe('hint')
    expect(actionOf({ ...press, typing: true }, true)).toBeUndefined()
    expect(actionOf(press, false)).toBeUndefined()
    expect(actionOf({ ...press, ctrlKey: true }, true)).toBeUndefined()
    expect(actionOf({ ...press, key: 'Enter', metaKey: true, typing: true }, false)).toBe('run')
    expect(actionOf({ ...press, key: 'Escape', typing: true }, false)).toBe('cancel')
  })
})
