/**
 * The nearest rows, exactly: a k-d tree (Bentley 1975) over rows of plain numbers, Euclidean. Distances are summed in
 * double precision from the first number to the last and equals go to the earlier row, so the answer is the same
 * on every machine. In hundreds of dimensions the tree prunes little and the search is a plain one.
 */
import { PerturbError } from './errors.ts'

export interface Neighbours {
  /** Places of the rows, nearest first. */
  places: number[]
  /** Their squared distances. */
  squares: number[]
}

/** A branch splits one coordinate; a leaf holds a range of `order`. */
type Node =
  | { readonly from: number; readonly to: number }
  | { readonly axis: number; readonly at: number; readonly below: Node; readonly above: Node }

const leafRows = 24

export class NeighbourIndex {
  readonly #x: Float32Array
  readonly #size: number
  readonly #order: Int32Array
  readonly #root: Node

  /** x: rows × size numbers, row-major; it is read, not copied. Throws `bad-input` when a number is not finite. */
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
    this.#search(this.#root, query, count, except, found)
    return found
  }

  #split(from: number, to: number): Node {
    if (to - from <= leafRows) return { from, to }
    const axis = this.#widest(from, to)
    const value = (place: number) => this.#x[place * this.#size + axis]!
    const part = this.#order.subarray(from, to).sort((a, b) => value(a) - value(b) || a - b)
    const at = value(part[part.length >> 1]!)
    // Equal values stay together, below if that splits anything.
    let middle = from + part.findIndex((place) => value(place) >= at)
    if (middle === from) {
      const next = part.findIndex((place) => value(place) > at)
      if (next < 0) return { from, to }
      middle = from + next
    }
    const first = value(this.#order[middle]!)
    return { axis, at: first, below: this.#split(from, middle), above: this.#split(middle, to) }
  }

  /** The coordinate that spans most, told from at most some hundred rows. */
  #widest(from: number, to: number): number {
    const stride = Math.max(1, Math.floor((to - from) / 128))
    let [axis, widest] = [0, -1]
    for (let k = 0; k < this.#size; k++) {
      let [low, high] = [Infinity, -Infinity]
      for (let i = from; i < to; i += stride) {
        const value = this.#x[this.#order[i]! * this.#size + k]!
        low = Math.min(low, value)
        high = Math.max(high, value)
      }
      if (high - low > widest) [axis, widest] = [k, high - low]
    }
    return axis
  }

  #search(node: Node, query: ArrayLike<number>, count: number, except: number, found: Neighbours): void {
    if ('from' in node) {
      for (let i = node.from; i < node.to; i++)
        if (this.#order[i] !== except) this.#offer(this.#order[i]!, query, count, found)
      return
    }
    const apart = query[node.axis]! - node.at
    const [near, far] = apart < 0 ? [node.below, node.above] : [node.above, node.below]
    this.#search(near, query, count, except, found)
    // An equal distance may still belong to an earlier row.
    if (found.places.length < count || apart * apart <= found.squares[count - 1]!)
      this.#search(far, query, count, except, found)
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
