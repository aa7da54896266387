/**
 * The log of a prediction API, account by account: honest customers, and thieves who ask as the attacks of the library
 * do. Made from a short description, so that a task can carry it and engine and referee make the same one. The victim
 * answers every question itself; nothing in here is invented but who asks.
 */
import type { DecisionOracle, WhiteBoxAccess } from '../core/classifier.ts'
import { PerturbError } from '../core/errors.ts'
import { createRng, type Rng } from '../core/rng.ts'
import { indexOfMax, readRows } from '../core/rows.ts'
import * as tf from '../core/tf.ts'
import { jacobianAugmentation } from '../attacks/extraction/jacobian-augmentation.ts'
import type { DataSet, Split } from '../data/data-set.ts'
import type { Architecture, Model } from '../models/model.ts'
import { askedBy } from './query-streams.ts'

/**
 * Who asks. `customer`: pictures of every class, as they come. `skewed`: a customer with three classes only. `natural`: a thief
 * with pictures like a customer's (knockoff nets). `foreign`: a thief with pictures of something else. `jacobian`: Papernot's
 * augmentation. `diluted`: the same with a customer's picture between every two questions. `noise`: random pixels.
 * `probes`: HopSkipJump around one picture. `stock`: no account, but what a thief has before
 * asking: `stockOwn` questions of Papernot's augmentation, in no order, then pictures like a customer's.
 */
export type AccountKind =
  'customer' | 'skewed' | 'natural' | 'foreign' | 'jacobian' | 'diluted' | 'noise' | 'probes' | 'stock'

export interface AccountSpec {
  kind: AccountKind
  seed: number
}

export interface LogSpec {
  /** By account number. */
  accounts: AccountSpec[]
  /** Questions of each account. */
  rows: number
  /** The data set of a thief who has pictures of something else. */
  foreign: string
  /** Accounts that are known to be honest, and those of today. */
  known: number[]
  today: number[]
}

/** One account as the provider has it. */
export interface AccountLog {
  /** The class that each question was answered with, and how sure the victim was of it, 0 to 1. */
  answers: Int32Array
  confidences: Float32Array
  /** L2 distance of each question to every one of the account: (n, n), row-major. */
  distances: Float32Array
}

export interface LogMeans {
  model: Model
  /** What honest customers ask about. */
  data: DataSet
  foreign: DataSet
}

/** Questions with which Papernot's thief begins, which are pictures like a customer's. */
export const seedPictures = 30
/** Of a stock, how many questions are the augmentation's, and with how many it began. */
export const stockOwn = 1000
const stockSeeds = 250

/** What one account asks about, in order: rows pictures, row-major each. */
export async function questionsOf(
  { kind, seed }: AccountSpec,
  rows: number,
  { model, data, foreign }: LogMeans,
): Promise<Float32Array[]> {
  const rng = createRng(seed, kind)
  switch (kind) {
    case 'customer':
    case 'natural':
      return pictures(data.test, rng, rows)
    case 'skewed': {
      const classes = rng.shuffle(data.classes.map((_, label) => label)).slice(0, 3)
      return pictures(data.test, rng, rows, (label) => classes.includes(label))
    }
    case 'foreign':
      return pictures(foreign.train, rng, rows)
    case 'noise':
      return Array.from({ length: rows }, () =>
        Float32Array.from({ length: sizeOf(model) }, () => rng.uniform()),
      )
    case 'jacobian':
      return augmented(model, data.test, rng, rows)
    case 'diluted': {
      const [own, cover] = [
        await augmented(model, data.test, rng, Math.ceil(rows / 2)),
        pictures(data.test, rng, Math.floor(rows / 2)),
      ]
      return Array.from({ length: rows }, (_, i) => (i % 2 ? cover : own)[i >> 1]!)
    }
    case 'stock':
      return [
        ...rng.shuffle(await augmented(model, data.test, rng, stockOwn, stockSeeds)),
        ...pictures(data.test, rng, rows - stockOwn),
      ]
    case 'probes':
      return probes(model, data.test, rng, rows)
  }
}

const sizeOf = ({ inputShape }: WhiteBoxAccess) => inputShape.reduce((product, n) => product * n, 1)

function pictures(
  split: Split,
  rng: Rng,
  count: number,
  wanted: (label: number) => boolean = () => true,
): Float32Array[] {
  const ids = rng
    .shuffle(Array.from({ length: split.count }, (_, id) => id))
    .filter((id) => wanted(split.labels[id]!))
    .slice(0, count)
  if (ids.length < count)
    throw new PerturbError('bad-input', `account-log: ${count} pictures are needed; there are ${ids.length}`)
  const all = split.pixels(ids)
  const size = all.length / count
  return ids.map((_, i) => all.subarray(i * size, (i + 1) * size))
}

/** The thief's own copy: one dense layer is enough to say which way the victim leans. */
const substitute = ({ inputShape, numClasses, bounds, architecture }: Model): Architecture => ({
  name: 'substitute',
  inputShape: [...inputShape],
  numClasses,
  bounds: [bounds[0], bounds[1]],
  classes: architecture.classes,
  layers: [{ type: 'flatten' }, { type: 'dense', units: numClasses }],
})

/** What Papernot's thief asks about: recorded as it asks. */
async function augmented(
  model: Model,
  split: Split,
  rng: Rng,
  rows: number,
  seeds = seedPictures,
): Promise<Float32Array[]> {
  const asked: Float32Array[] = []
  const heard: DecisionOracle = {
    inputShape: model.inputShape,
    numClasses: model.numClasses,
    bounds: model.bounds,
    async decide(x) {
      asked.push(...(await readRows(x)))
      return model.predict(x)
    },
  }
  const first = pictures(split, rng, seeds)
  const pool = new Float32Array(first.length * first[0]!.length)
  for (const [i, one] of first.entries()) pool.set(one, i * one.length)
  await jacobianAugmentation(
    heard,
    { pool, architecture: substitute(model) },
    {
      firstInputs: first.length,
      rounds: Math.ceil(Math.log2(rows / first.length)),
      maxQueries: rows,
      steps: 60,
    },
    { seed: rng.uint32() },
  )
  return asked.slice(0, rows)
}

/** One picture's neighbourhood, as an attack on decisions feels its way through it. */
async function probes(model: Model, split: Split, rng: Rng, rows: number): Promise<Float32Array[]> {
  const label = rng.below(model.numClasses)
  const [image] = pictures(split, rng, 1, (one) => one === label)
  const [start] = pictures(split, rng, 1, (one) => one !== label)
  const asked = await askedBy(
    model,
    { pixels: image!, label },
    {
      attack: 'hop-skip-jump',
      options: { maxQueries: rows, firstProbes: 40 },
      seed: rng.uint32(),
      start: start!,
    },
  )
  return asked.slice(0, rows)
}

/** The model's probabilities for each question. */
export async function answersTo(model: Model, questions: readonly Float32Array[]): Promise<Float32Array[]> {
  const x = stacked(model, questions)
  const logits = await model.logits(x)
  const probabilities = tf.softmax(logits)
  try {
    return await readRows(probabilities)
  } finally {
    tf.dispose([x, logits, probabilities])
  }
}

/** What the provider notes of these questions. */
export async function noted(model: Model, questions: readonly Float32Array[]): Promise<AccountLog> {
  const told = await answersTo(model, questions)
  const answers = Int32Array.from(told, indexOfMax)
  const x = stacked(model, questions)
  try {
    return {
      answers,
      confidences: Float32Array.from(answers, (answer, i) => told[i]![answer]!),
      distances: await pairwise(x, questions.length),
    }
  } finally {
    x.dispose()
  }
}

function stacked({ inputShape }: Model, questions: readonly Float32Array[]): tf.Tensor {
  const size = inputShape.reduce((product, n) => product * n, 1)
  const flat = new Float32Array(questions.length * size)
  for (const [i, one] of questions.entries()) flat.set(one, i * size)
  return tf.tensor(flat, [questions.length, ...inputShape])
}

/** ‖a − b‖² = ‖a‖² + ‖b‖² − 2 a·b, around the mean, so that little is lost to rounding. */
async function pairwise(x: tf.Tensor, n: number): Promise<Float32Array> {
  const distances = tf.tidy(() => {
    const rows = tf.reshape(x, [n, -1]) as tf.Tensor2D
    const centred = tf.sub(rows, tf.mean(rows, 0, true)) as tf.Tensor2D
    const squares = tf.sum(tf.square(centred), 1, true)
    const products = tf.matMul(centred, tf.transpose(centred))
    return tf.sqrt(tf.relu(tf.sub(tf.add(squares, tf.transpose(squares)), tf.mul(2, products))))
  })
  try {
    return (await distances.data()) as Float32Array
  } finally {
    distances.dispose()
  }
}

const kept = new WeakMap<Model, Map<string, Promise<AccountLog>>>()
/** Accounts that are kept for the next run: one log and a little more. */
const most = 84

/** One account's log; made once for a model and kept, since a learner reads the same log run after run. */
export function accountLog(spec: AccountSpec, rows: number, means: LogMeans): Promise<AccountLog> {
  const key = `${spec.kind} ${spec.seed} ${rows}`
  const known = kept.get(means.model) ?? new Map<string, Promise<AccountLog>>()
  kept.set(means.model, known)
  let log = known.get(key)
  if (!log) {
    log = questionsOf(spec, rows, means).then((questions) => noted(means.model, questions))
    log.catch(() => known.delete(key))
  }
  known.delete(key)
  known.set(key, log)
  if (known.size > most) known.delete(known.keys().next().value!)
  return log
}

/** Seconds of a day, and of the hour at which customers begin to work. */
const [day, morning] = [86_400, 8 * 3600]

/**
 * When an account asks, in seconds from its first question on: a few sittings a working day, in each a handful of pictures one after
 * another, now and then a whole box of them. Thieves keep the same hours, or the clock alone would tell.
 */
export function arrivals({ seed }: Pick<AccountSpec, 'seed'>, rows: number): Float64Array {
  const rng = createRng(seed, 'arrivals')
  const usual = 4 + rng.below(9)
  const times: number[] = []
  for (let today = 0; times.length < rows; today++) {
    const sittings = 1 + rng.below(4)
    const starts = Array.from({ length: sittings }, () => morning + rng.below(9 * 3600)).sort((a, b) => a - b)
    let second = 0
    for (const start of starts) {
      second = Math.max(second, start)
      const box = rng.below(25) === 0 ? 25 + rng.below(15) : 0
      const pictures = box || Math.max(1, Math.round(usual * (0.5 + rng.uniform())))
      for (let i = 0; i < pictures && times.length < rows; i++) {
        times.push(today * day + second)
        second += 1 + rng.below(4)
      }
    }
  }
  return Float64Array.from(times, (time) => time - times[0]!)
}
