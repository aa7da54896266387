/**
 * Plain arithmetic on what was handed in, row by row: no tensors, so nothing can leak and every realm
 * gets the same digits. Arrays are row-major, `count` rows of equal length.
 */

export interface Perturbation {
  count: number
  /** Largest change of one element, by row. */
  linf: Float64Array
  /** Euclidean length of the change, by row. */
  l2: Float64Array
  /** Largest change of any element of any row. */
  largest: number
  /** Elements that moved, of all. */
  moved: number
  /** How far the farthest element lies outside the bounds; 0 when all are inside. */
  overshoot: number
  /** Elements outside the bounds by more than a float's error. */
  outside: number
  /** Rows with such an element. */
  rowsOutside: number
  /** Smallest and largest element handed in. */
  range: [number, number]
}

/** Smaller changes are float dust: a step of 0 that went through an addition and a clip. */
const dust = 1e-7

/** What was done to each image. Throws RangeError when the arrays do not fit. */
export function measurePerturbation(
  originals: Float32Array,
  pixels: Float32Array,
  count: number,
  bounds: readonly [number, number],
): Perturbation {
  const size = rowLength(originals, count)
  if (pixels.length !== originals.length)
    throw new RangeError(`measurePerturbation: ${originals.length} and ${pixels.length} elements`)
  const linf = new Float64Array(count)
  const l2 = new Float64Array(count)
  const range: [number, number] = [Infinity, -Infinity]
  let moved = 0
  let outside = 0
  let rowsOutside = 0
  let overshoot = 0
  for (let row = 0; row < count; row++) {
    let squares = 0
    let rowOutside = false
    for (let i = row * size; i < (row + 1) * size; i++) {
      const pixel = pixels[i]!
      const change = Math.abs(pixel - originals[i]!)
      if (change > dust) moved++
      if (change > linf[row]!) linf[row] = change
      squares += change * change
      if (pixel < range[0]) range[0] = pixel
      if (pixel > range[1]) range[1] = pixel
      const over = Math.max(bounds[0] - pixel, pixel - bounds[1], 0)
      if (over > overshoot) overshoot = over
      if (over > 1e-6) {
        outside++
        rowOutside = true
      }
    }
    l2[row] = Math.sqrt(squares)
    if (rowOutside) rowsOutside++
  }
  return {
    count,
    linf,
    l2,
    largest: linf.reduce((a, b) => Math.max(a, b), 0),
    moved,
    overshoot,
    outside,
    rowsOutside,
    range,
  }
}

export interface Direction {
  /**
   * Share of the moved elements that moved the way of the gradient's sign, where the gradient is not 0.
   * 1 climbs the loss, 0 descends it, about one half has nothing to do with it.
   */
  agreement: number
  /** Elements that were compared. */
  compared: number
  /**
   * Mean change of the elements that can move the gradient's way without leaving the bounds, as a share of
   * their image's largest change: near 1 for a sign step, small for the gradient itself.
   */
  evenness: number
}

/** How a perturbation lies to a gradient of the same shape. */
export function compareDirection(
  originals: Float32Array,
  pixels: Float32Array,
  gradient: Float32Array,
  perturbation: Perturbation,
  bounds: readonly [number, number],
): Direction {
  const size = rowLength(originals, perturbation.count)
  let agree = 0
  let compared = 0
  let even = 0
  let free = 0
  for (let i = 0; i < originals.length; i++) {
    const slope = gradient[i]!
    if (slope === 0) continue
    const change = pixels[i]! - originals[i]!
    const largest = perturbation.linf[Math.floor(i / size)]!
    if (Math.abs(change) > dust) {
      compared++
      if (change > 0 === slope > 0) agree++
      // An element that its bound stopped says nothing about how even the step was.
      if (pixels[i]! > bounds[0] + 1e-6 && pixels[i]! < bounds[1] - 1e-6 && largest > 0) {
        free++
        even += Math.abs(change) / largest
      }
    }
  }
  return { agreement: compared ? agree / compared : 0.5, compared, evenness: free ? even / free : 1 }
}

/** Index of the largest figure of each row. */
export function topOfRows(scores: Float32Array, count: number): Int32Array {
  const size = rowLength(scores, count)
  return Int32Array.from({ length: count }, (_, row) => {
    let best = 0
    for (let i = 1; i < size; i++) if (scores[row * size + i]! > scores[row * size + best]!) best = i
    return best
  })
}

function rowLength(values: Float32Array, count: number): number {
  if (!(count > 0) || values.length % count !== 0)
    throw new RangeError(`measure: ${values.length} elements are not ${count} equal rows`)
  return values.length / count
}
