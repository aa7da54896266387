/**
 * A drawing as strokes, and the picture a digit reader should be given of it. MNIST's digits were scaled to
 * fit a 20 × 20 box, drawn with grey edges, and placed in 28 × 28 so that their centre of mass is in the
 * middle (LeCun et al. 1998, "The MNIST database"). A drawing that is not treated so is misread before any
 * attack. Strokes are vectors, so a small drawing gets the same pen width as a large one.
 */

/** Unit square: x to the right, y down. */
export interface Spot {
  x: number
  y: number
}
export type Stroke = readonly Spot[]

export const side = 28
const box = 20
/** Half the pen's width in pixels of the reader's picture, as thick as MNIST's average stroke. */
const pen = 1.15
/** A drawing smaller than this share of the square is not enlarged further: a dot stays a dot. */
const smallest = 0.12

/** Pixels of the strokes where they were drawn, (28 × 28) in 0..1: what the drawing area shows. */
export function inPlace(strokes: readonly Stroke[]): Float32Array {
  return render(strokes.map((stroke) => stroke.map(({ x, y }) => ({ x: x * side, y: y * side }))))
}

/** The picture the model is given, (28 × 28) in 0..1; blank when nothing is drawn. */
export function likeMnist(strokes: readonly Stroke[]): Float32Array {
  const extent = extentOf(strokes)
  if (!extent) return new Float32Array(side * side)
  const scale = (box - 2 * pen) / Math.max(extent.size, smallest)
  const fitted = strokes.map((stroke) =>
    stroke.map(({ x, y }) => ({
      x: side / 2 + (x - extent.x) * scale,
      y: side / 2 + (y - extent.y) * scale,
    })),
  )
  const middle = centreOfMass(render(fitted))
  const shift = { x: side / 2 - middle.x, y: side / 2 - middle.y }
  return render(fitted.map((stroke) => stroke.map(({ x, y }) => ({ x: x + shift.x, y: y + shift.y }))))
}

/** Whether there is enough of a drawing to ask a reader about. */
export function isDrawn(strokes: readonly Stroke[]): boolean {
  const extent = extentOf(strokes)
  return extent !== undefined && extent.size >= smallest
}

/** Centre of the box around the strokes and the length of its longer side. */
function extentOf(strokes: readonly Stroke[]): { x: number; y: number; size: number } | undefined {
  const spots = strokes.flat()
  if (spots.length === 0) return undefined
  const low = { x: Infinity, y: Infinity }
  const high = { x: -Infinity, y: -Infinity }
  for (const { x, y } of spots) {
    low.x = Math.min(low.x, x)
    low.y = Math.min(low.y, y)
    high.x = Math.max(high.x, x)
    high.y = Math.max(high.y, y)
  }
  return { x: (low.x + high.x) / 2, y: (low.y + high.y) / 2, size: Math.max(high.x - low.x, high.y - low.y) }
}

/** Ink by distance to the nearest segment: full inside the pen, fading over one pixel at its edge. */
function render(strokes: readonly Stroke[]): Float32Array {
  const pixels = new Float32Array(side * side)
  const reach = pen + 0.5
  for (const stroke of strokes) {
    for (let i = 0; i < stroke.length; i++) {
      const a = stroke[Math.max(0, i - 1)]!
      const b = stroke[i]!
      const columns = span(a.x, b.x, reach)
      const rows = span(a.y, b.y, reach)
      for (let row = rows.from; row < rows.to; row++) {
        for (let column = columns.from; column < columns.to; column++) {
          const ink = Math.min(1, reach - distance(column + 0.5, row + 0.5, a, b))
          const at = row * side + column
          if (ink > pixels[at]!) pixels[at] = ink
        }
      }
    }
  }
  return pixels
}

const span = (a: number, b: number, reach: number) => ({
  from: Math.max(0, Math.floor(Math.min(a, b) - reach)),
  to: Math.min(side, Math.ceil(Math.max(a, b) + reach)),
})

function distance(x: number, y: number, a: Spot, b: Spot): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y]
  const length = dx * dx + dy * dy
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - a.x) * dx + (y - a.y) * dy) / length))
  return Math.hypot(x - a.x - t * dx, y - a.y - t * dy)
}

/** In pixels from the upper left corner; the middle of the picture when it is blank. */
export function centreOfMass(pixels: ArrayLike<number>): Spot {
  let [total, x, y] = [0, 0, 0]
  for (let i = 0; i < pixels.length; i++) {
    const ink = pixels[i]!
    total += ink
    x += ink * ((i % side) + 0.5)
    y += ink * (Math.floor(i / side) + 0.5)
  }
  return total === 0 ? { x: side / 2, y: side / 2 } : { x: x / total, y: y / total }
}
