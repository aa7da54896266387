/**
 * The nearest rows, exactly: a k-d tree (Bentley 1975) with a box around each branch, over rows of plain
 * numbers, Euclidean. Distances are summed in double precision from the first number to the last and equals
 * go to the earlier row, so the answer is the same on every machine. In hundreds of dimensions the tree
 * prunes little and the search is a plain one.
 */
import { PerturbError } from './errors.ts'

export interface Neighbours {
  /** Places of the rows, nearest first. */
  places: number[]
  /** Their squared distances. */
  squares: number[]
}

/**
 * Rows from `from` to `to` of `order`, and the box that they lie in: least and largest value of each number.
 * A leaf has no parts.
 */
interface Node {
  readonly from: number
  readonly to: number
  readonly low: Float32Array
  readonly high: Float32Array
  readonly parts?: readonly [Node, Node]
}

const leafRows = 24

export class NeighbourIndex {
  readonly #x: Float32Array
  readonly #size: number
  readonly #order: Int32Array
  readonly #root: Node

  /**
   * x: rows × size numbers, row-major; it is read, not copied. Throws `bad-input` when a number is not
   * finite.
   */
  constructor(x: Float32Array, size: number) {
    const bad = x.findIndex((value) => !Number.isFinite(value))
    if (bad >= 0 || !(size > 0) || x.length % size !== 0)
      throw new PerturbError(
        'bad-input',
        `neighbours: expected rows of ${size} finite numbers; got ${x.length} numbers${bad >= 0 ? `, row ${Math.floor(bad / size)} with ${x[bad]}` : ''}`,
      )
    this.#x = x
    this.#size = size
    this.#order = Int32Array.from({ length: x.length / size }, (_, place) => place)
    this.#root = this.#split(0, this.#order.length)
  }

  /**
   * The `count` rows nearest to `query` (fewer when there are fewer), without the row at place `except`.
   * Throws RangeError unless count is a whole number of at least 1.
   */
  nearest(query: ArrayLike<number>, count: number, except = -1): Neighbours {
    if (!(Number.isInteger(count) && count >= 1))
      throw new RangeError(`neighbours: count must be a whole number of at least 1; got ${count}`)
    const found: Neighbours = { places: [], squares: [] }
    this.#search(this.#root, this.#toBox(this.#root, query), query, count, except, found)
    return found
  }

  #split(from: number, to: number): Node {
    const box = this.#boxOf(from, to)
    const axis = box.low.reduce(
      (best, low, k) => (box.high[k]! - low > box.high[best]! - box.low[best]! ? k : best),
      0,
    )
    if (to - from <= leafRows || !(box.high[axis]! > box.low[axis]!)) return { from, to, ...box }
    const value = (place: number) => this.#x[place * this.#size + axis]!
    const part = this.#order.subarray(from, to).sort((a, b) => value(a) - value(b) || a - b)
    const at = value(part[part.length >> 1]!)
    // Equal values stay together, whichever side of the middle they begin on.
    const first = part.findIndex((place) => value(place) >= at)
    const middle = from + (first > 0 ? first : part.findIndex((place) => value(place) > at))
    return { from, to, ...box, parts: [this.#split(from, middle), this.#split(middle, to)] }
  }

  #boxOf(from: number, to: number): { low: Float32Array; high: Float32Array } {
    const low = new Float32Array(this.#size).fill(Infinity)
    const high = new Float32Array(this.#size).fill(-Infinity)
    for (let i = from; i < to; i++)
      for (let k = 0, at = this.#order[i]! * this.#size; k < this.#size; k++, at++) {
        const value = this.#x[at]!
        if (value < low[k]!) low[k] = value
        if (value > high[k]!) high[k] = value
      }
    return { low, high }
  }

  /**
   * Least squared distance of a row in the box. Summed in the order in which rows are: rounding never lifts
   * it above a distance that it bounds.
   */
  #toBox({ low, high }: Node, query: ArrayLike<number>): number {
    let square = 0
    for (let k = 0; k < this.#size; k++) {
      const value = query[k]!
      const apart = value < low[k]! ? low[k]! - value : value > high[k]! ? value - high[k]! : 0
      square += apart * apart
    }
    return square
  }

  #search(
    node: Node,
    least: number,
    query: ArrayLike<number>,
    count: number,
    except: number,
    found: Neighbours,
  ): void {
    // At an equal distance there may still be an earlier row.
    if (found.places.length >= count && least > found.squares[count - 1]!) return
    if (!node.parts) {
      for (let i = node.from; i < node.to; i++)
        if (this.#order[i] !== except) this.#offer(this.#order[i]!, query, count, found)
      return
    }
    const [below, above] = node.parts
    const [toBelow, toAbove] = [this.#toBox(below, query), this.#toBox(above, query)]
    const parts: [Node, number][] = [
      [below, toBelow],
      [above, toAbove],
    ]
    if (toAbove < toBelow) parts.reverse()
    for (const [part, near] of parts) this.#search(part, near, query, count, except, found)
  }

  #offer(place: number, query: ArrayLike<number>, count: number, { places, squares }: Neighbours): void {
    const limit = places.length < count ? Infinity : squares[count - 1]!
    const start = place * this.#size
    let square = 0
    for (let k = 0; k < this.#size && square <= limit; k++) {
      const apart = query[k]! - this.#x[start + k]!
      square += apart * apart
    }
    if (square > limit) return
    let at = places.length
    while (at > 0 && (squares[at - 1]! > square || (squares[at - 1] === square && places[at - 1]! > place)))
      at--
    if (at >= count) return
    places.splice(at, 0, place)
    squares.splice(at, 0, square)
    if (places.length > count) {
      places.pop()
      squares.pop()
    }
  }
}
