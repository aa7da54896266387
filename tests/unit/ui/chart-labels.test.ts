import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alongLine, dense, placeWords, type Placed } from '../../../src/ui/parts/chart-labels.ts'

const frame = { left: 44, right: 460, top: 14, bottom: 180 }
const flat = (y: number) =>
  dense([
    [44, y],
    [460, y],
  ])
const middle = 250
const boxes = (words: readonly string[], placed: readonly Placed[]) =>
  words.map((text, i) => {
    const { x, y, anchor } = placed[i]!
    const left = anchor === 'start' ? x : x - text.length * 6.7
    return { left, right: left + text.length * 6.7, top: y - 10, bottom: y + 3 }
  })

describe('words on a chart', () => {
  it('name a line at its end when nothing is in the way', () => {
    const line = flat(100)
    expect(placeWords([{ text: 'loss', places: alongLine(line, middle) }], [line], frame)).toEqual([
      { x: 460, y: 91, anchor: 'end' },
    ])
  })

  it('do not lie on each other where two lines end together', () => {
    const lines = [flat(100), flat(103)]
    const words = ['along the slope', 'at random']
    const placed = placeWords(
      words.map((text, i) => ({ text, places: alongLine(lines[i]!, middle) })),
      lines,
      frame,
    )
    const [a, b] = boxes(words, placed) as [ReturnType<typeof boxes>[0], ReturnType<typeof boxes>[0]]
    expect(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top).toBe(true)
  })

  it('leave a line that climbs through the end of another', () => {
    const across = dense([
      [440, 180],
      [440, 14],
    ])
    const [placed] = placeWords(
      [{ text: 'at random', places: alongLine(flat(100), middle) }],
      [flat(100), across],
      frame,
    )
    expect(placed!.x).toBeLessThan(440)
  })

  it('keep inside the picture, wherever the lines run', () => {
    const point = fc.tuple(
      fc.double({ min: 44, max: 460, noNaN: true }),
      fc.double({ min: 14, max: 180, noNaN: true }),
    )
    fc.assert(
      fc.property(
        fc.array(fc.array(point, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 }),
        (drawn) => {
          const lines = drawn.map((line) => dense(line))
          const words = drawn.map((_, i) => `line ${i}`)
          const placed = placeWords(
            lines.map((line, i) => ({ text: words[i]!, places: alongLine(line, middle) })),
            lines,
            frame,
          )
          for (const box of boxes(words, placed)) {
            expect(box.left).toBeGreaterThanOrEqual(frame.left - 0.01)
            expect(box.right).toBeLessThanOrEqual(frame.right + 0.01)
            expect(box.top).toBeGreaterThanOrEqual(frame.top - 0.01)
            expect(box.bottom).toBeLessThanOrEqual(frame.bottom + 0.01)
          }
        },
      ),
    )
  })
})
