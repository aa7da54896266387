import { PerturbError } from '../core/errors.ts'
import { createTeller, type Teller } from '../defences/answers.ts'
import type { ApiSpec } from '../grading/grader.ts'
import { readWhole } from './wire.ts'

/** One request as the provider's log has it. */
export interface ApiRequest {
  /** Of the simulated clock: every request takes one second. */
  second: number
  key: number
  rows: number
  /** How exactly it was answered: `exact`, `rounded` or `top-1`. */
  format: AnswerFormat
  outcome: 'answered' | 'refused'
  /** Why it was refused. */
  why?: string
  /** The first rows that were asked about, when rows are short. */
  asked?: number[][]
  /** The same of an API that reads pictures, as bytes. */
  picture?: { shape: number[]; pixels: Uint8Array }
}
export type AnswerFormat = 'exact' | 'rounded' | 'top-1'

export interface ApiLog {
  requests: ApiRequest[]
  /** Requests after the last that the log holds. */
  dropped: number
  cents: number
}

const mostRequests = 2000
const longestRow = 64
/** Rows that are kept of one request, and of all together. */
const rowsKept = { ofOne: 40, ofAll: 4000 }
/** A colour picture of 32 × 32. */
const largestPicture = 3072

/**
 * A prediction API around a victim: keys with a quota each, answers rounded, every request in a log. A refused request is
 * logged, and neither answered nor booked, whoever refuses it.
 */
export class PredictionApi {
  readonly #spec: ApiSpec
  readonly #tell: Teller
  readonly #format: AnswerFormat
  readonly #spent = new Map<number, number>()
  readonly #refused = new Set<number>()
  readonly #log: ApiRequest[] = []
  #second = 0
  #dropped = 0
  #kept = 0
  #rows = 0

  /** `seed`: where answers of chance come from. Throws `missing` or `bad-input` for an answer format that there is not. */
  constructor(spec: ApiSpec, seed = 0) {
    this.#spec = spec
    const answers = spec.answers ?? []
    this.#tell = createTeller(answers, seed)
    const has = (id: string) => answers.some((answer) => answer.id === id)
    this.#format = has('top-one') ? 'top-1' : has('rounding') ? 'rounded' : 'exact'
  }

  /**
   * Runs `answer` for a request of `rows` rows by a key and notes what came of it. Throws `bad-input` for a key that there
   * is not, `budget-spent` when the key has fewer rows left, and whatever `answer` throws; all rows or none.
   */
  async serve<T>(
    capability: string,
    request: {
      account: unknown
      rows: number
      values: Float32Array
      /** Of one row. */
      shape: readonly number[]
      topOnly?: boolean
    },
    answer: () => Promise<T>,
  ): Promise<T> {
    const { keys = 1, perKey = Infinity } = this.#spec
    const { account, rows, values, shape, topOnly = false } = request
    const key =
      account === undefined || account === null ? 0 : readWhole(`${capability}: key`, account, 0, keys - 1)
    const width = values.length / rows
    const entry: ApiRequest = {
      second: this.#second++,
      key,
      rows,
      format: topOnly ? 'top-1' : this.#format,
      outcome: 'answered',
      ...(width <= longestRow ? this.#shown(values, width) : {}),
      ...(shape.length === 3 && width <= largestPicture
        ? { picture: { shape: [...shape], pixels: bytes(values.subarray(0, width)) } }
        : {}),
    }
    if (this.#log.length < mostRequests) this.#log.push(entry)
    else this.#dropped++
    try {
      const spent = this.#spent.get(key) ?? 0
      if (spent + rows > perKey) {
        this.#refused.add(key)
        throw new PerturbError(
          'budget-spent',
          `key ${key} may ask about ${perKey} rows and has ${Math.max(0, perKey - spent)} left; ${rows} were asked for. ` +
            `Nothing was answered; ask for fewer rows${keys > 1 ? ', or with another key' : ''}.`,
        )
      }
      const answered = await answer()
      this.#spent.set(key, spent + rows)
      this.#rows += rows
      return answered
    } catch (error) {
      entry.outcome = 'refused'
      entry.why = error instanceof Error ? error.message : String(error)
      throw error
    }
  }

  /** What the log keeps of a request's rows; one too many, and it says nothing of them. */
  #shown(values: Float32Array, width: number): Pick<ApiRequest, 'asked'> {
    const count = Math.min(values.length / width, rowsKept.ofOne, rowsKept.ofAll - this.#kept)
    this.#kept += count
    const asked = Array.from({ length: count }, (_, i) =>
      Array.from(values.subarray(i * width, (i + 1) * width)),
    )
    return count > 0 ? { asked } : {}
  }

  /** Probabilities as this API tells them. */
  told(probabilities: Float32Array, numClasses: number): Float32Array {
    return this.#tell(probabilities, numClasses)
  }

  /** Keys that asked, and those that were refused. */
  figures(): { used: number; closed: number } {
    return { used: this.#spent.size, closed: this.#refused.size }
  }

  log(): ApiLog {
    return { requests: this.#log, dropped: this.#dropped, cents: this.#rows * (this.#spec.cents ?? 0) }
  }
}

const bytes = (values: Float32Array) =>
  Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))))
