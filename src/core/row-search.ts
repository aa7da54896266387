/**
 * Black-box attacks look at one image at a time, and an oracle answers many at once. So the search of each
 * row is a generator that yields the points it wants to know about and goes on with the answers, and here
 * the questions of all rows travel together. A row's search knows nothing of its batch: alone or among a
 * thousand, it asks the same and finds the same.
 */
import type { ClassifierInfo, DecisionOracle, ScoreOracle } from './classifier.ts'
import { createRng, type Rng } from './rng.ts'
import { throwIfCancelled, type RunContext, type TraceStep } from './run.ts'
import * as tf from './tf.ts'

/** Yields points (each as long as one input, values in bounds); is resumed with one answer for each. */
export type RowSearch<A> = Generator<readonly Float32Array[], void, readonly A[]>

/** One row on its way. */
export interface SearchRow {
  /** Its place in the batch. */
  readonly index: number
  readonly x: Float32Array
  /** Seeded by the run and by what the row shows, so that its place in the batch does not matter. */
  readonly rng: Rng
  /** Queries answered, and how many more may be asked. */
  readonly asked: number
  readonly left: number
  /** What comes back when the search ends here, wherever that is; at first x itself. */
  best: Float32Array
  /** Is `best` a success? */
  found: boolean
  /** What the trace tells of `best`; undefined as long as there is nothing to tell. */
  figure: number | undefined
}

interface SearchOptions<A> {
  x: tf.Tensor
  info: ClassifierInfo
  /** Queries that each row may ask. */
  maxQueries: number
  /** Names the stream of random numbers. */
  name: string
  /** What `figure` is, in the trace. */
  figure: string
  ask(points: tf.Tensor): Promise<readonly A[]>
  search(row: SearchRow): RowSearch<A>
  run: RunContext
}

export interface SearchResult {
  /** Shape of x; the caller's to dispose. */
  adversarial: tf.Tensor
  /**
   * What was known after how many queries, at distances that grow with them: `queries` (mean over rows), `most` (those
   * of the row that asked most), `found` (share of rows, 0 to 1), and the median figure of the rows, where half of them have one.
   */
  trace: TraceStep[]
  /** Queries answered for each row. */
  queries: Int32Array
}

/** Points in one question: bounds the memory, and lets a cancel be heard between two. */
const pointsAtOnce = 256
/** The trace notes the state when the queries have grown by this share. */
const traceGrowth = 1.04

/** Progress and answers of one row, which its search sees as a SearchRow. */
class Searched<A> implements SearchRow {
  asked = 0
  found = false
  figure: number | undefined
  best: Float32Array
  readonly rng: Rng
  readonly search: RowSearch<A>
  #points: readonly Float32Array[] | undefined

  constructor(
    readonly index: number,
    readonly x: Float32Array,
    readonly maxQueries: number,
    seed: number,
    name: string,
    begin: (row: SearchRow) => RowSearch<A>,
  ) {
    this.best = x
    this.rng = createRng(seed, `${name} ${fingerprint(x)}`)
    this.search = begin(this)
    this.resume(undefined)
  }
  get left(): number {
    return this.maxQueries - this.asked
  }
  /** The points it waits for; none when it is over, or cannot afford them. */
  get points(): readonly Float32Array[] {
    return this.#points && this.#points.length <= this.left ? this.#points : []
  }
  resume(answers: readonly A[] | undefined): void {
    this.asked += answers?.length ?? 0
    let step = answers === undefined ? this.search.next() : this.search.next(answers)
    while (!step.done && step.value.length === 0) step = this.search.next([])
    this.#points = step.done ? undefined : step.value
  }
}

/**
 * Searches all rows to their end: each until it returns or asks for more than is left to it. When the oracle
 * itself has spent its budget, all end with what they have found; nothing is lost, and nothing is thrown.
 * Throws `cancelled`, and whatever else the oracle throws.
 */
export async function searchRows<A>(options: SearchOptions<A>): Promise<SearchResult> {
  const { x, info, maxQueries, name, figure, ask, search, run } = options
  throwIfCancelled(run)
  const pixels = Float32Array.from(await x.data())
  const count = x.shape[0] ?? 0
  const width = pixels.length / Math.max(1, count)
  const rows = Array.from(
    { length: count },
    (_, i) =>
      new Searched(i, pixels.subarray(i * width, (i + 1) * width), maxQueries, run.seed, name, search),
  )
  const trace: TraceStep[] = []
  let farthest = 0
  const note = () => {
    const queries = rows.reduce((sum, row) => sum + row.asked, 0) / Math.max(1, count)
    const median = medianOf(rows.map((row) => row.figure ?? Infinity))
    const found = rows.filter((row) => row.found).length / Math.max(1, count)
    trace.push({
      step: trace.length,
      values: { queries, most: farthest, found, ...(Number.isFinite(median) && { [figure]: median }) },
    })
  }

  let spent = false
  let nextNote = 1
  for (let active = rows; !spent;) {
    throwIfCancelled(run)
    active = active.filter((row) => row.points.length > 0)
    if (active.length === 0) break
    const answers = await askAll(
      active.flatMap(({ points }) => points),
      info,
      ask,
      run,
    )
    spent = answers.spent
    let at = 0
    for (const row of active) {
      const mine = answers.given.slice(at, at + row.points.length)
      at += row.points.length
      if (mine.length < row.points.length) break
      row.resume(mine)
    }
    for (const { asked } of active) farthest = Math.max(farthest, asked)
    if (farthest >= nextNote) {
      note()
      nextNote = Math.ceil(farthest * traceGrowth)
    }
    run.onStep?.(Math.min(farthest, maxQueries), maxQueries, trace.at(-1)?.values)
  }
  note()

  const best = new Float32Array(pixels.length)
  for (const row of rows) best.set(row.best, row.index * width)
  return {
    adversarial: tf.tensor(best, x.shape),
    trace,
    queries: Int32Array.from(rows, ({ asked }) => asked),
  }
}

/** Asks in parts; `spent` when the oracle refused one, with the answers until then. */
async function askAll<A>(
  points: readonly Float32Array[],
  { inputShape }: ClassifierInfo,
  ask: (points: tf.Tensor) => Promise<readonly A[]>,
  run: RunContext,
): Promise<{ given: A[]; spent: boolean }> {
  const given: A[] = []
  for (let from = 0; from < points.length; from += pointsAtOnce) {
    throwIfCancelled(run)
    const part = points.slice(from, from + pointsAtOnce)
    const width = part[0]!.length
    const values = new Float32Array(part.length * width)
    part.forEach((point, i) => values.set(point, i * width))
    const x = tf.tensor(values, [part.length, ...inputShape])
    try {
      given.push(...(await ask(x)))
    } catch (error) {
      // From the sandbox's port an error comes as a plain one with the code on it.
      if ((error as { code?: unknown }).code !== 'budget-spent') throw error
      return { given, spent: true }
    } finally {
      x.dispose()
    }
  }
  return { given, spent: false }
}

/** Each row's probabilities. */
export const scoresFrom =
  (oracle: ScoreOracle) =>
  async (points: tf.Tensor): Promise<Float32Array[]> => {
    const scores = await oracle.scores(points)
    try {
      const all = (await scores.data()) as Float32Array
      return Array.from({ length: points.shape[0]! }, (_, i) =>
        all.slice(i * oracle.numClasses, (i + 1) * oracle.numClasses),
      )
    } finally {
      scores.dispose()
    }
  }

/** Each row's top class. */
export const decisionsFrom =
  (oracle: DecisionOracle) =>
  async (points: tf.Tensor): Promise<number[]> =>
    Array.from(await oracle.decide(points))

/** FNV-1a over the bits of the numbers. */
function fingerprint(values: Float32Array): string {
  const copy = Float32Array.from(values)
  let hash = 0x811c9dc5
  for (const word of new Uint32Array(copy.buffer)) hash = Math.imul(hash ^ word ^ (word >>> 15), 0x01000193)
  return (hash >>> 0).toString(16)
}

function medianOf(values: number[]): number {
  if (values.length === 0) return Infinity
  const sorted = [...values].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2
}

/** The Euclidean distance of two points, or the largest difference of two elements. */
export function distanceOf(a: Float32Array, b: Float32Array, norm: 'l2' | 'linf'): number {
  let size = 0
  for (let i = 0; i < a.length; i++) {
    const apart = a[i]! - b[i]!
    if (norm === 'l2') size += apart * apart
    else if (apart > size) size = apart
    else if (-apart > size) size = -apart
  }
  return norm === 'l2' ? Math.sqrt(size) : size
}

/** The index of the largest number; the first at a tie. */
export function topOf(values: ArrayLike<number>): number {
  let top = 0
  for (let k = 1; k < values.length; k++) if (values[k]! > values[top]!) top = k
  return top
}

/**
 * Fills with independent numbers of mean 0 and variance 1 whose sum over many directions looks the same
 * from everywhere: 32 coins, counted, and half a coin of dither. One draw a number where `Rng.normal` takes twelve.
 */
export function fillNoise(rng: Rng, out: Float32Array): Float32Array {
  // Variance of 32 fair coins, 8, and of the dither, 1/12.
  const scale = 1 / Math.sqrt(8 + 1 / 12)
  let dither = 0
  for (let i = 0; i < out.length; i++) {
    dither = i % 2 === 0 ? rng.uint32() : dither >>> 16
    out[i] = (coins(rng.uint32()) - 16.5 + ((dither & 0xffff) + 0.5) / 0x10000) * scale
  }
  return out
}

/** How many of the 32 bits are set. */
function coins(word: number): number {
  word -= (word >>> 1) & 0x55555555
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333)
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
