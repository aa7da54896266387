/** Where the words of a chart go, so that none lies on a line or on another word. All in pixels. */

type Place = readonly [x: number, y: number]

/** A word, and the places it may take, best first. `y` is the line the letters stand on. */
export interface Wanted {
  text: string
  places: readonly { x: number; y: number; anchor: 'start' | 'end' }[]
}

export interface Placed {
  x: number
  y: number
  anchor: 'start' | 'end'
}

export interface Box {
  left: number
  right: number
  top: number
  bottom: number
}

/** Of the letters of `.ch text.l`: 12 px, bold. */
const letter = { width: 6.7, above: 10, below: 3 }
const air = 2

function boxOf(text: string, { x, y, anchor }: Placed): Box {
  const width = text.length * letter.width
  const left = anchor === 'start' ? x : x - width
  return {
    left: left - air,
    right: left + width + air,
    top: y - letter.above - air,
    bottom: y + letter.below,
  }
}

const area = (a: Box, b: Box) =>
  Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) *
  Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top))

/**
 * One place for each word: the first of its places at which it covers no line and no other word, or else the one at
 * which it covers least. `lines` are points along everything drawn (see `dense`); words keep inside `frame`.
 */
export function placeWords(
  wanted: readonly Wanted[],
  lines: readonly (readonly Place[])[],
  frame: Box,
): Placed[] {
  const taken: Box[] = []
  return wanted.map(({ text, places }) => {
    let best: { place: Placed; box: Box; cost: number } | undefined
    for (const [order, asked] of places.entries()) {
      const place = inside(text, asked, frame)
      const box = boxOf(text, place)
      const words = taken.reduce((sum, other) => sum + area(box, other), 0)
      const touched = lines.reduce(
        (sum, line) =>
          sum +
          line.filter(([x, y]) => x > box.left && x < box.right && y > box.top && y < box.bottom).length,
        0,
      )
      const cost = 20 * words + 30 * touched + order
      if (!best || cost < best.cost) best = { place, box, cost }
    }
    if (!best) throw new RangeError(`placeWords: "${text}" has no place to go`)
    taken.push(best.box)
    return best.place
  })
}

/** Pushed back into the frame where it would stick out. */
function inside(text: string, place: Placed, frame: Box): Placed {
  const box = boxOf(text, place)
  const x = place.x - Math.max(0, box.right - air - frame.right) + Math.max(0, frame.left - box.left - air)
  const y = place.y - Math.max(0, box.bottom - frame.bottom) + Math.max(0, frame.top - box.top - air)
  return { ...place, x, y }
}

/** Points along a line no farther apart than a letter is wide. */
export function dense(line: readonly Place[], step = 4): Place[] {
  return line.flatMap(([x, y], i) => {
    const next = line[i + 1]
    if (!next) return [[x, y]]
    const count = Math.max(1, Math.min(500, Math.ceil(Math.hypot(next[0] - x, next[1] - y) / step)))
    return Array.from({ length: count }, (_, k): Place => [
      x + ((next[0] - x) * k) / count,
      y + ((next[1] - y) * k) / count,
    ])
  })
}

/** Places for the name of a line: at its end, then back along it, above it and below. */
export function alongLine(points: readonly Place[], middle: number): Wanted['places'] {
  if (points.length === 0) return []
  return [1, 0.92, 0.84, 0.76, 0.68, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1].flatMap((share) => {
    const [x, y] = points[Math.round(share * (points.length - 1))]!
    const anchor = x > middle ? ('end' as const) : ('start' as const)
    return [
      { x, y: y - 9, anchor },
      { x, y: y + 17, anchor },
    ]
  })
}
