/**
 * Three watches on one account, since each sees other thieves: PRADA inputs that are made from each other, the nearest query noise, probes
 * and foreign inputs, the mean confidence whatever the model doubts. None of them sees a thief who asks about inputs like the honest
 * ones; that one is slowed down by rate limits (access/token-bucket.ts) and by nothing in here.
 */
import { indexOfMax } from '../../core/rows.ts'
import { MeanConfidence, type ConfidenceRule } from './mean-confidence.ts'
import { NearestQuery, type DistanceBand } from './nearest-query.ts'
import { Prada, type PradaRule } from './prada.ts'

export interface TheftRules {
  prada?: PradaRule
  nearest?: DistanceBand
  confidence?: ConfidenceRule
}

export type Watcher = keyof TheftRules

export interface TheftReading {
  /** PRADA's W, the median distance to the nearest earlier query, and the mean top probability; undefined while they say nothing. */
  w?: number | undefined
  median?: number | undefined
  mean?: number | undefined
  /** Who alarms at this query; empty when nobody does. */
  alarms: Watcher[]
}

/** One account, watched by the rules that are given. */
export class TheftWatch {
  readonly #prada: Prada | undefined
  readonly #nearest: NearestQuery | undefined
  readonly #confidence: MeanConfidence | undefined

  /** Throws RangeError as the watches do. */
  constructor({ prada, nearest, confidence }: TheftRules) {
    this.#prada = prada && new Prada(prada)
    this.#nearest = nearest && new NearestQuery(nearest)
    this.#confidence = confidence && new MeanConfidence(confidence)
  }

  /** Notes a query, which is kept, and the model's own probabilities for it. */
  see(query: Float32Array, probabilities: Float32Array): TheftReading {
    const prada = this.#prada?.see(query, indexOfMax(probabilities))
    const nearest = this.#nearest?.see(query)
    const confidence = this.#confidence?.see(probabilities)
    const all: [Watcher, { alarm: boolean } | undefined][] = [
      ['prada', prada],
      ['nearest', nearest],
      ['confidence', confidence],
    ]
    return {
      w: prada?.w,
      median: nearest?.median,
      mean: confidence?.mean,
      alarms: all.flatMap(([name, reading]) => (reading?.alarm ? [name] : [])),
    }
  }
}

export interface StreamVerdict {
  /** The query, from 1, at which the account is closed; undefined when it never is. */
  at: number | undefined
  by: Watcher[]
  /** The last reading before or at that. */
  reading: TheftReading | undefined
}

/** A whole stream of queries, row-major numbers each, with the model's probabilities for each, until the first alarm. */
export function watchStream(
  queries: readonly Float32Array[],
  probabilities: readonly Float32Array[],
  rules: TheftRules,
): StreamVerdict {
  const watch = new TheftWatch(rules)
  let reading: TheftReading | undefined
  for (const [i, query] of queries.entries()) {
    reading = watch.see(query, probabilities[i]!)
    if (reading.alarms.length > 0) return { at: i + 1, by: reading.alarms, reading }
  }
  return { at: undefined, by: [], reading }
}
