import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyTrigger, type Trigger } from '../../../src/attacks/trigger.ts'
import { sinTurns } from '../../../src/core/portable-math.ts'

const grey = (height: number, width: number, value = 0.5) => new Float32Array(height * width).fill(value)
const corner: Trigger = {
  kind: 'patch',
  top: 1,
  left: 2,
  height: 2,
  width: 1,
  pixels: [1, 0],
  opacity: 1,
}

describe('triggers', () => {
  test('a patch covers its pixels and no others, in all channels', () => {
    expect([...applyTrigger(grey(3, 3), [3, 3, 1], corner)]).toEqual([
      0.5, 0.5, 0.5, 0.5, 0.5, 1, 0.5, 0.5, 0,
    ])
    const colours: Trigger = {
      kind: 'patch',
      top: 0,
      left: 1,
      height: 1,
      width: 1,
      pixels: [1, 0],
      opacity: 1,
    }
    expect([...applyTrigger(new Float32Array(4).fill(0.25), [1, 2, 2], colours)]).toEqual([0.25, 0.25, 1, 0])
  })

  test('opacity mixes: one number for all, or one for each pixel', () => {
    const faint = applyTrigger(grey(3, 3), [3, 3, 1], { ...corner, opacity: 0.5 })
    expect([faint[5], faint[8]]).toEqual([0.75, 0.25])
    const shaped = applyTrigger(grey(3, 3), [3, 3, 1], { ...corner, opacity: [0, 1] })
    expect([shaped[5], shaped[8]]).toEqual([0.5, 0])
  })

  test('a blend mixes a whole picture in', () => {
    const blend: Trigger = { kind: 'blend', pixels: [1, 0, 1, 0], opacity: 0.25 }
    expect([...applyTrigger(grey(2, 2), [2, 2, 1], blend)]).toEqual([0.625, 0.375, 0.625, 0.375])
  })

  test('a wave runs along a row, is the same in every row, and is clipped', () => {
    const wave: Trigger = { kind: 'wave', amplitude: 0.6, frequency: 1, along: 'width' }
    // sin at 0, ¼, ½ and ¾ of a turn: 0, 1, 0, −1.
    expect([...applyTrigger(grey(2, 4), [2, 4, 1], wave)]).toEqual([0.5, 1, 0.5, 0, 0.5, 1, 0.5, 0])
    expect([...applyTrigger(grey(4, 1), [4, 1, 1], { ...wave, along: 'height' })]).toEqual([0.5, 1, 0.5, 0])
  })

  test('a wave too low to be told from nothing changes nothing', () => {
    const wave: Trigger = { kind: 'wave', amplitude: 5e-324, frequency: 0.1, along: 'width' }
    expect([...applyTrigger(grey(3, 4), [3, 4, 1], wave)]).toEqual([...grey(3, 4)])
  })

  test('the original stays, and the result stays in [0, 1]', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 12, maxLength: 12 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0.1, max: 1.9, noNaN: true }),
        (pixels, amplitude, frequency) => {
          const original = Float32Array.from(pixels)
          const got = applyTrigger(original, [3, 4, 1], {
            kind: 'wave',
            amplitude,
            frequency,
            along: 'width',
          })
          expect(original).toEqual(Float32Array.from(pixels))
          for (const value of got) expect(value >= 0 && value <= 1).toBe(true)
        },
      ),
    )
  })

  test.each<[string, Trigger, RegExp]>([
    ['larger than the image', { ...corner, height: 4 }, /4 × 1 pixels, larger than the image of 3 × 3/],
    [
      'over the edge',
      { ...corner, left: 3 },
      /must lie inside the image of 3 × 3; it begins at row 1, column 3/,
    ],
    ['off the grid', { ...corner, top: 0.5 }, /must lie inside/],
    ['of no pixels', { ...corner, width: 0 }, /width must be a whole number of at least 1; got 0/],
    ['with too few numbers', { ...corner, pixels: [1] }, /needs 2 numbers; got 1/],
    ['of NaN', { ...corner, pixels: [1, NaN] }, /pixels must lie in \[0, 1\]; got NaN/],
    ['more than opaque', { ...corner, opacity: 2 }, /opacity must lie in \[0, 1\]; got 2/],
    ['with too few opacities', { ...corner, opacity: [1] }, /opacity must be one number or 2; got 1/],
    ['a picture of another size', { kind: 'blend', pixels: [1], opacity: 1 }, /needs 9 numbers, as many/],
    [
      'a wave without a frequency',
      { kind: 'wave', amplitude: 0.1, frequency: NaN, along: 'width' },
      /frequency must be a finite number/,
    ],
    [
      'a wave that is 0 at every pixel',
      { kind: 'wave', amplitude: 0.1, frequency: 3, along: 'width' },
      /frequency 3 is 0 at each of 3 pixels; take one that is no multiple of 1.5/,
    ],
  ])('refuses one %s', (_, trigger, message) => {
    expect(() => applyTrigger(grey(3, 3), [3, 3, 1], trigger)).toThrow(message)
  })

  test('refuses rows of a table', () => {
    expect(() => applyTrigger([1, 2], [2], corner)).toThrow(
      'needs images of shape [height, width, channels]; got [2]',
    )
  })
})

test('sinTurns is the sine, exact at the quarters', () => {
  for (let i = -400; i <= 400; i++)
    expect(Math.abs(sinTurns(i / 97) - Math.sin((2 * Math.PI * i) / 97))).toBeLessThan(2e-14)
  expect([0, 0.25, 0.5, 0.75, 1, -0.25].map(sinTurns).map((value) => value + 0)).toEqual([0, 1, 0, -1, 0, -1])
})
