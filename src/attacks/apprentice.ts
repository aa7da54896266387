/**
 * A surrogate in the making: what has been asked, what was answered, and the network that is trained on it. What the thefts
 * by example share; they differ in what they ask.
 */
import type { ClassifierInfo, DecisionOracle, ScoreOracle } from '../core/classifier.ts'
import { PerturbError } from '../core/errors.ts'
import { scoresFrom } from '../core/row-search.ts'
import { indexOfMax, oneHotRows } from '../core/rows.ts'
import type { RunContext, TraceStep } from '../core/run.ts'
import * as tf from '../core/tf.ts'
import type { Split } from '../data/data-set.ts'
import type { Architecture, Model, Weight } from '../models/model.ts'
import { createModel } from '../models/network.ts'
import { train } from '../models/train.ts'
import { initialWeights } from '../models/weights.ts'
import type { ExtractionResult, NumberParameter, Shortfall, ThiefMeans } from './attack.ts'
import { aboveZero, wholeNumber } from './check.ts'
import { checkVictim, inputSize, Questions } from './questions.ts'

/** How each surrogate is trained. */
export type Schooling = {
  /** Rows asked about in all. */
  maxQueries: number
  /** Adam steps of each training, which starts anew. */
  steps: number
  /** Peak of the one-cycle rate. */
  learningRate: number
}

export const schooling: Schooling = { maxQueries: 1000, steps: 400, learningRate: 4e-3 }

export const schoolingKnobs = (): NumberParameter[] => [
  {
    kind: 'number',
    name: 'maxQueries',
    label: 'Queries',
    help: 'Rows that are asked about in all. More make a better copy, and a longer bill.',
    min: 10,
    max: 10000,
    step: 10,
    unit: '',
    scale: 'log',
  },
  {
    kind: 'number',
    name: 'steps',
    label: 'Training steps',
    help: 'Steps of each training of the copy, 64 answers at a time. They cost the victim nothing.',
    min: 10,
    max: 2000,
    step: 10,
    unit: '',
    scale: 'log',
  },
  {
    kind: 'number',
    name: 'learningRate',
    label: 'Learning rate',
    help: 'How far each training step goes at most.',
    min: 0.0001,
    max: 0.05,
    step: 0.0001,
    unit: '',
    scale: 'log',
  },
]

const batchSize = 64

/** Inputs to ask about, each as long as one input. */
export type Inputs = readonly Float32Array[]

export class Apprentice {
  readonly inputs: Float32Array[] = []
  /** One row of probabilities for each input; a class alone is a 1 among zeros. */
  readonly answers: Float32Array[] = []
  readonly trace: TraceStep[] = []
  readonly architecture: Architecture
  readonly questions: Questions<Float32Array>
  #weights: Weight[]
  #broken = 0

  /**
   * `name`: the attack's, for its errors. Throws RangeError for a schooling out of range, `bad-input` when no architecture was
   * brought, or one that does not read what the victim reads.
   */
  constructor(
    name: string,
    oracle: ScoreOracle,
    means: ThiefMeans,
    private readonly schooling: Schooling,
    private readonly run: RunContext,
  ) {
    this.architecture = readArchitecture(name, means)
    this.questions = new Questions(oracle, scoresFrom(oracle), run)
    wholeNumber(name, 'maxQueries', schooling.maxQueries, 1)
    wholeNumber(name, 'steps', schooling.steps, 1)
    aboveZero(name, 'learningRate', schooling.learningRate)
    checkVictim(name, oracle)
    const { inputShape, numClasses } = this.architecture
    if (inputShape.join() !== oracle.inputShape.join() || numClasses !== oracle.numClasses)
      throw new PerturbError(
        'bad-input',
        `${name}: the surrogate must read (${oracle.inputShape.join(', ')}) into ${oracle.numClasses} classes like the victim; got (${inputShape.join(', ')}) into ${numClasses}`,
      )
    this.#weights = initialWeights(this.architecture, run.seed)
  }

  get info(): ClassifierInfo {
    return this.questions.info
  }

  /** Queries that may still be asked; none after a refusal. */
  get left(): number {
    return this.questions.refusal === undefined ? this.schooling.maxQueries - this.questions.asked : 0
  }

  /** Asks about as many of these as may still be asked. Answers with a number that is not finite are left out. */
  async ask(inputs: Inputs): Promise<void> {
    const affordable = inputs.slice(0, Math.max(0, this.left))
    for (const [i, answer] of (await this.questions.ask(affordable)).entries()) {
      const told = completed(answer)
      if (!told) this.#broken++
      else {
        this.inputs.push(affordable[i]!)
        this.answers.push(told)
      }
    }
  }

  /**
   * Trains a surrogate anew on all answers so far, and notes how many it repeats (`learned`, a share) and how many classes have
   * been answered. `part` of `parts` trainings, for progress. Without answers the surrogate stays as it is.
   */
  async study(part: number, parts: number, values: Record<string, number> = {}): Promise<void> {
    const { run, schooling, architecture } = this
    if (this.inputs.length > 0) {
      const batches = Math.ceil(this.inputs.length / batchSize)
      const { weights } = await train(
        {
          architecture,
          weights: initialWeights(architecture, run.seed),
          data: splitOf(this.inputs, architecture.inputShape),
          targets: joined(this.answers),
          epochs: schooling.steps / batches,
          batchSize,
          learningRate: schooling.learningRate,
          readLossEvery: schooling.steps,
        },
        {
          seed: run.seed,
          ...(run.signal && { signal: run.signal }),
          onStep: (done, total) =>
            run.onStep?.(
              Math.max(1, Math.floor(100 * (part + done / total))),
              100 * parts,
              this.trace.at(-1)?.values,
            ),
        },
      )
      this.#weights = weights
    }
    const tops = this.answers.map(indexOfMax)
    this.trace.push({
      step: this.trace.length,
      values: {
        queries: this.questions.asked,
        classes: new Set(tops).size,
        learned: await this.#learned(tops),
        ...values,
      },
    })
    run.onStep?.(100 * (part + 1), 100 * parts, this.trace.at(-1)!.values)
  }

  async #learned(tops: readonly number[]): Promise<number> {
    if (tops.length === 0) return 0
    const read = await this.withModel((model) => predictions(model, this.inputs))
    return tops.filter((top, i) => read[i] === top).length / tops.length
  }

  /** Lends the surrogate as it is now, as a model on the device. */
  async withModel<T>(use: (model: Model) => Promise<T>): Promise<T> {
    const model = createModel(this.architecture, this.#weights)
    try {
      return await use(model)
    } finally {
      model.dispose()
    }
  }

  result(otherwise?: Shortfall): ExtractionResult {
    const shortfall =
      this.questions.shortfall('The copy is trained on what was answered before; ask again with more.') ??
      this.#trouble() ??
      otherwise
    return {
      surrogate: { architecture: this.architecture, weights: this.#weights },
      queriesUsed: this.questions.asked,
      trace: this.trace,
      ...(shortfall && { shortfall }),
    }
  }

  #trouble(): Shortfall | undefined {
    const asked = this.questions.asked
    if (this.#broken > 0)
      return {
        kind: 'not-finite',
        message: `${this.#broken} of ${asked} answers hold numbers that are not finite and were left out; the copy is trained on the others.`,
      }
    const [first, ...others] = this.answers.map(indexOfMax)
    if (others.length > 0 && others.every((top) => top === first))
      return {
        kind: 'constant',
        message: `the API answered class ${first} to all ${asked} rows, so the copy knows no other; ask about other inputs.`,
      }
    return undefined
  }
}

/** An API that names classes alone, as one that gives each all of the probability. */
export function decisionsAsScores(oracle: DecisionOracle): ScoreOracle {
  const { inputShape, numClasses, bounds } = oracle
  return {
    inputShape,
    numClasses,
    bounds,
    scores: async (x) => oneHotRows(await oracle.decide(x), numClasses),
  }
}

/** Probabilities that sum to 1: what an answer hides is spread evenly over the classes it says nothing of. */
function completed(answer: Float32Array): Float32Array | undefined {
  if (!answer.every(Number.isFinite)) return undefined
  const row = answer.map((p) => Math.max(0, p))
  const sum = row.reduce((total, p) => total + p, 0)
  const hidden = row.filter((p) => p === 0).length
  if (sum < 1 && hidden > 0) return row.map((p) => (p === 0 ? (1 - sum) / hidden : p))
  return row.map((p) => p / sum)
}

/** The thief's architecture. Throws `bad-input` when none was brought. */
function readArchitecture(name: string, { architecture }: ThiefMeans): Architecture {
  if (architecture) return architecture
  throw new PerturbError(
    'bad-input',
    `${name}: needs layers for the surrogate; got none. Next: pass { architecture }, e.g. that of a recipe`,
  )
}

/** The thief's inputs, one by one. Throws `bad-input` when there are none, or they are no whole number of inputs. */
export function readPool(name: string, { pool }: ThiefMeans, info: ClassifierInfo): Inputs {
  const size = inputSize(info)
  if (!pool || pool.length === 0)
    throw new PerturbError(
      'bad-input',
      `${name}: needs inputs of the thief's own to ask about; got none. Next: pass { pool }`,
    )
  if (pool.length % size !== 0)
    throw new PerturbError(
      'bad-input',
      `${name}: pool must hold a whole number of inputs of ${size} numbers; got ${pool.length} numbers`,
    )
  const [low, high] = info.bounds
  const bad = pool.findIndex((value) => !(value >= low && value <= high))
  if (bad >= 0)
    throw new PerturbError(
      'bad-input',
      `${name}: pool must lie in [${low}, ${high}]; input ${Math.floor(bad / size)} holds ${pool[bad]}`,
    )
  return Array.from({ length: pool.length / size }, (_, i) => pool.subarray(i * size, (i + 1) * size))
}

/** Top class of each input. */
export async function predictions(model: Model, inputs: Inputs): Promise<Int32Array> {
  const x = tf.tensor(joined(inputs), [inputs.length, ...model.inputShape])
  try {
    return await model.predict(x)
  } finally {
    x.dispose()
  }
}

export function joined(rows: Inputs): Float32Array {
  const width = rows[0]?.length ?? 0
  const all = new Float32Array(rows.length * width)
  for (const [i, row] of rows.entries()) all.set(row, i * width)
  return all
}

/** Rows as something to train on; the labels are never looked at. */
function splitOf(rows: Inputs, shape: readonly number[]): Split {
  const pixels = (ids: ArrayLike<number>) => joined(Array.from(ids, (id) => rows[id]!))
  return {
    count: rows.length,
    labels: new Uint8Array(rows.length),
    pixels,
    images: (ids) => tf.tensor(pixels(ids), [ids.length, ...shape]),
  }
}
