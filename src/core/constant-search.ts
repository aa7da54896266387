/**
 * The search for the weight c of "be misread" against "stay near", for each row by itself: ten times more
 * until it succeeds once, then halfway between the largest that failed and the smallest that succeeded.
 * Carlini & Wagner 2017, §VI.C, arXiv:1608.04644.
 */
export class ConstantSearch {
  readonly values: Float64Array
  readonly #lower: Float64Array
  readonly #upper: Float64Array

  constructor(rows: number, initial: number) {
    this.values = new Float64Array(rows).fill(initial)
    this.#lower = new Float64Array(rows)
    this.#upper = new Float64Array(rows).fill(Infinity)
  }

  /**
   * Sets the next constants, given which rows the present ones won, and returns the share that they won. Capped at
   * 1e10, as in the authors' code.
   */
  next(found: ArrayLike<number>): number {
    let won = 0
    for (let i = 0; i < this.values.length; i++) {
      if (found[i]) won++
      const bound = found[i] ? this.#upper : this.#lower
      bound[i] = this.values[i]!
      const untried = this.#upper[i] === Infinity
      this.values[i] = untried
        ? Math.min(this.values[i]! * 10, 1e10)
        : (this.#lower[i]! + this.#upper[i]!) / 2
    }
    return won / Math.max(1, this.values.length)
  }
}
