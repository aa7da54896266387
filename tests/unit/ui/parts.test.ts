import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { along, rowsOf, ticksOf } from '../../../src/ui/parts/chart.ts'
import { classWords, digitNaming, shortNames } from '../../../src/ui/parts/naming.ts'
import { grouped, percent } from '../../../src/ui/parts/numbers.ts'
import { gainFor, paint } from '../../../src/ui/parts/pixels.ts'
import {
  decimals,
  positionOf,
  positions,
  ruler,
  shareOf,
  valueAt,
  type Scale,
} from '../../../src/ui/parts/scale.ts'

const epsilon: Scale = { min: 0, max: 0.3, step: 0.005, scale: 'linear' }
const rate: Scale = { min: 0.0001, max: 1, step: 0.0001, scale: 'log' }

describe('a slider', () => {
  it('has no dust in its values', () => {
    const values = Array.from({ length: positions(epsilon) + 1 }, (_, i) => valueAt(epsilon, i))
    expect(values.at(-1)).toBe(0.3)
    expect(values.every((value) => String(value).length <= 5)).toBe(true)
  })

  it('comes back to where it was put', () => {
    for (const scale of [epsilon, rate]) {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: positions(scale) }), (position) => {
          const value = valueAt(scale, position)
          expect(valueAt(scale, positionOf(scale, value))).toBe(value)
          expect(shareOf(scale, value)).toBeGreaterThanOrEqual(0)
          expect(shareOf(scale, value)).toBeLessThanOrEqual(1)
        }),
      )
    }
  })

  it('stays in its range whatever it is given', () => {
    expect([shareOf(epsilon, 7), shareOf(epsilon, -1)]).toEqual([1, 0])
    expect([shareOf(rate, 7), shareOf(rate, 0)]).toEqual([1, 0])
  })

  it('is ruled in round numbers that begin and end at its ends', () => {
    expect(ruler(epsilon, 8).numbers).toEqual(['0', '0.05', '0.10', '0.15', '0.20', '0.25', '0.30'])
    expect(ruler(epsilon, 4).numbers).toEqual(['0', '0.1', '0.2', '0.3'])
    expect(ruler({ min: 1, max: 40, step: 1, scale: 'linear' }, 8).numbers.at(-1)).toBe('40')
    expect(ruler({ min: 1, max: 100, step: 1, scale: 'linear' }, 8)).toMatchObject({
      numbers: ['1', '20', '40', '60', '80', '100'],
      at: [0, 19 / 99, 39 / 99, 59 / 99, 79 / 99, 1],
    })
    expect(ruler({ min: 0.005, max: 0.3, step: 0.005, scale: 'linear' }, 4).numbers).toEqual([
      '0.005',
      '0.1',
      '0.2',
      '0.3',
    ])
    expect(ruler({ min: 0.05, max: 6, step: 0.05, scale: 'linear' }, 4).numbers).toEqual([
      '0.05',
      '2',
      '4',
      '6',
    ])
    expect(ruler(rate, 8).numbers).toEqual(['0.0001', '0.001', '0.01', '0.1', '1'])
    expect(ruler(rate, 3).numbers).toEqual(['0.0001', '0.01', '1'])
    expect(decimals(0.005)).toBe(3)
  })

  it('is ruled in whole steps: a square has no half pixel', () => {
    const side: Scale = { min: 1, max: 16, step: 1, scale: 'linear' }
    for (const most of [2, 4, 6, 8])
      for (const number of ruler(side, most).numbers) expect(number).toMatch(/^\d+$/)
  })

  it('is ruled in powers of ten where it is logarithmic, and by 1, 2, 5 where there are too few', () => {
    const scale = (min: number, max: number): Scale => ({ min, max, step: min, scale: 'log' })
    expect(ruler(scale(1, 1000), 5).numbers).toEqual(['1', '10', '100', '1000'])
    expect(ruler(scale(1, 5000), 3).numbers).toEqual(['1', '100', '5000'])
    expect(ruler(scale(0.0001, 100), 5).numbers).toEqual(['0.0001', '0.01', '1', '100'])
    expect(ruler(scale(10, 500), 5).numbers).toEqual(['10', '50', '200', '500'])
    expect(ruler(scale(1, 5000), 3).at).toEqual([0, 2 / Math.log10(5000), 1])
  })

  it('has numbers that rise and do not touch, whatever its ends', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-4, max: 10, noNaN: true }),
        fc.double({ min: 1.5, max: 1e6, noNaN: true }),
        fc.integer({ min: 2, max: 8 }),
        (min, times, most) => {
          const { at, numbers } = ruler({ min, max: min * times, step: min, scale: 'log' }, most)
          expect(numbers.length).toBe(at!.length)
          for (const [i, share] of at!.entries())
            if (i > 0) expect(share - at![i - 1]!).toBeGreaterThan(0.9 / most - 1e-9)
        },
      ),
    )
  })

  it('writes the digits that a step has', () => {
    expect(decimals(0.005)).toBe(3)
    expect(decimals(1e-7)).toBe(7)
  })
})

it('thousands are grouped as Intl groups them', () => {
  const figures = [0, 999, 1000, 30_000, 1_234_567, -12_345, 1234.5]
  expect(figures.map(grouped)).toEqual(figures.map((value) => value.toLocaleString('en-GB')))
})

it('a share that is nearly all or nothing is not rounded across', () => {
  expect([0, 0.001, 0.5, 0.9951, 0.999, 1].map(percent)).toEqual([
    '0 %',
    '< 1 %',
    '50 %',
    '> 99 %',
    '> 99 %',
    '100 %',
  ])
})

describe('a chart', () => {
  it('has round ticks inside its axis', () => {
    expect(ticksOf({ label: '', min: 0, max: 0.3 }, 6)).toEqual([0, 0.1, 0.2, 0.3])
    expect(ticksOf({ label: '', min: 0, max: 100 }, 6)).toEqual([0, 20, 40, 60, 80, 100])
    expect(ticksOf({ label: '', min: 0.001, max: 1, scale: 'log' })).toHaveLength(4)
    expect(ticksOf({ label: '', min: 5, max: 5 })).toEqual([5])
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
        (min, span) => {
          const ticks = ticksOf({ label: '', min, max: min + span })
          expect(ticks.length).toBeGreaterThan(0)
          expect(ticks.length).toBeLessThan(14)
        },
      ),
    )
  })

  it('puts values where they belong', () => {
    expect(along({ label: '', min: 0, max: 10 }, 5)).toBe(0.5)
    expect(along({ label: '', min: 0.01, max: 1, scale: 'log' }, 0.1)).toBeCloseTo(0.5)
    expect(along({ label: '', min: 1, max: 1 }, 1)).toBe(0)
  })

  it('has every point of every series in its table', () => {
    const a = {
      name: 'a',
      points: [
        [0, 1],
        [2, 1],
      ] as const,
    }
    const b = {
      name: 'b',
      points: [
        [1, 1],
        [2, 3],
      ] as const,
    }
    expect(rowsOf([a, b])).toEqual([0, 1, 2])
  })
})

describe('pixels', () => {
  const grey = (t: number) => [t * 255, t * 255, t * 255] as const
  it('of a signed picture have zero in the middle of the ramp', () => {
    const view = { width: 3, height: 1, channels: 1, gain: 1, signed: true, ramp: grey }
    expect([...paint([-1, 0, 1], view)].filter((_, i) => i % 4 === 0)).toEqual([0, 128, 255])
  })

  it('are red, green and blue themselves without a ramp, and never NaN', () => {
    const view = { width: 1, height: 1, channels: 3, gain: 1, signed: false, ramp: undefined }
    expect([...paint([1, 0.5, NaN], view)]).toEqual([255, 128, 0, 255])
  })

  it('are magnified by a whole number that is printed beside them', () => {
    expect([0, 0.05, 0.08, 0.1, 0.3, 1].map(gainFor)).toEqual([10, 10, 10, 10, 3, 1])
  })
})

describe('names of classes', () => {
  const signs = ['stop', 'speed limit 30', 'speed limit 50', 'turn left', 'turn right']
  it('a digit takes its article, a name stands alone', () => {
    expect(classWords(digitNaming, 8)).toBe('an 8')
    expect(classWords({ noun: 'sign', classes: signs }, 1)).toBe('speed limit 30')
  })
  it('narrow places leave out what several names share, as long as all stay different', () => {
    expect(shortNames(signs)).toEqual(['stop', '30', '50', 'left', 'right'])
    expect(shortNames(['left', 'turn left', 'turn right'])).toEqual(['left', 'turn left', 'turn right'])
    expect(shortNames(digitNaming.classes)).toEqual([...digitNaming.classes])
  })
})
