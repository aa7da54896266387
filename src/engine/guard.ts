import { PerturbError } from '../core/errors.ts'
import { QueryWatch, thumbnail, type WatchRule } from '../defences/detection/query-watch.ts'
import type { WireTensor } from './capability-protocol.ts'
import { readWhole } from './wire.ts'

/** A black box's accounts: each has a memory of its own, and is closed for good when its queries are too alike. */
export class Guard {
  readonly #rule: WatchRule & { accounts: number }
  readonly #watches = new Map<number, QueryWatch>()
  readonly #closed = new Map<number, string>()

  constructor(rule: WatchRule & { accounts: number }) {
    this.#rule = rule
  }

  /**
   * Looks at the rows one by one, before anything is counted or answered. Throws `budget-spent` when the account is
   * closed, or by one of these rows; then none of them is answered. `bad-input` for an account that there is not.
   */
  admit(capability: string, input: WireTensor, from: unknown): void {
    const account =
      from === undefined || from === null
        ? 0
        : readWhole(`${capability}: account`, from, 0, this.#rule.accounts - 1)
    const before = this.#closed.get(account)
    if (before) throw new PerturbError('budget-spent', `account ${account} is closed: ${before}. ${next}`)
    let watch = this.#watches.get(account)
    if (!watch) this.#watches.set(account, (watch = new QueryWatch(this.#rule)))
    const [rows = 0, ...shape] = input.shape
    const width = input.values.length / rows
    for (let row = 0; row < rows; row++) {
      const { distance, alarm } = watch.see(
        thumbnail(input.values.subarray(row * width, (row + 1) * width), shape),
      )
      if (!alarm) continue
      const why = `a picture lay ${distance!.toFixed(2)} from the ${this.#rule.neighbours} nearest that it had asked about, nearer than ${this.#rule.threshold}`
      this.#closed.set(account, why)
      throw new PerturbError('budget-spent', `account ${account} has been closed: ${why}. ${next}`)
    }
  }

  figures(): { used: number; closed: number } {
    return { used: this.#watches.size, closed: this.#closed.size }
  }
}

const next = 'Nothing was answered; ask from another account, or about pictures less alike.'
