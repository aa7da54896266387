import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { centreOfMass, inPlace, isDrawn, likeMnist, side, type Stroke } from '../../../src/ui/home/drawing.ts'
import { runs } from '../../helpers/runs.ts'

const one: Stroke[] = [
  [
    { x: 0.5, y: 0.2 },
    { x: 0.5, y: 0.8 },
  ],
]
const seven: Stroke[] = [
  [
    { x: 0.2, y: 0.2 },
    { x: 0.8, y: 0.2 },
    { x: 0.4, y: 0.9 },
  ],
]
const moved = (strokes: Stroke[], scale: number, dx: number, dy: number): Stroke[] =>
  strokes.map((stroke) => stroke.map(({ x, y }) => ({ x: x * scale + dx, y: y * scale + dy })))
const inkOf = (pixels: Float32Array) => pixels.reduce((sum, value) => sum + value, 0)

/** First and last row and column with ink. */
function boxOf(pixels: Float32Array) {
  const at = [...pixels.keys()].filter((i) => pixels[i]! > 0.02)
  const rows = at.map((i) => Math.floor(i / side))
  const columns = at.map((i) => i % side)
  return {
    height: Math.max(...rows) - Math.min(...rows) + 1,
    width: Math.max(...columns) - Math.min(...columns) + 1,
  }
}

describe('a drawing as the reader is given it', () => {
  it('is the same picture wherever and however large it was drawn', () => {
    const reference = likeMnist(seven)
    fc.assert(
      fc.property(
        fc.double({ min: 0.2, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 0.2, noNaN: true }),
        (scale, shift) => {
          const picture = likeMnist(moved(seven, scale, shift, shift / 2))
          for (let i = 0; i < picture.length; i++) expect(picture[i]).toBeCloseTo(reference[i]!, 3)
        },
      ),
      { numRuns: runs(50) },
    )
  })

  it('fits a 20 pixel box and has its centre of mass in the middle', () => {
    for (const strokes of [one, seven]) {
      const picture = likeMnist(strokes)
      const { width, height } = boxOf(picture)
      expect(Math.max(width, height)).toBeGreaterThanOrEqual(19)
      expect(Math.max(width, height)).toBeLessThanOrEqual(22)
      expect(centreOfMass(picture).x).toBeCloseTo(side / 2, 1)
      expect(centreOfMass(picture).y).toBeCloseTo(side / 2, 1)
    }
  })

  it('has a pen as thick as the digits it was trained on, with grey edges', () => {
    // MNIST digits hold about 100 units of ink; a 1 about half of that.
    expect(inkOf(likeMnist(seven))).toBeGreaterThan(60)
    expect(inkOf(likeMnist(seven))).toBeLessThan(140)
    expect(likeMnist(seven).some((value) => value > 0.1 && value < 0.9)).toBe(true)
    expect(likeMnist(seven).every((value) => value >= 0 && value <= 1)).toBe(true)
  })

  it('is not centred in the drawing area: the pen stays under the hand', () => {
    const shown = inPlace(moved(one, 0.5, 0, 0))
    expect(centreOfMass(shown).x).toBeLessThan(10)
  })

  it('is blank when blank, and a dot is not blown up to a digit', () => {
    expect(inkOf(likeMnist([]))).toBe(0)
    expect(isDrawn([])).toBe(false)
    const dot: Stroke[] = [[{ x: 0.3, y: 0.3 }]]
    expect(isDrawn(dot)).toBe(false)
    expect(boxOf(likeMnist(dot)).width).toBeLessThan(6)
    expect(isDrawn(one)).toBe(true)
  })
})
