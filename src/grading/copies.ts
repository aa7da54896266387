/**
 * Measuring a network that learned from a victim's answers. Agreement on digits alone proves little, since an honest model of
 * the same task agrees too: whoever grades with these says beside it what an honest one reaches.
 */
import { knockoff } from '../attacks/extraction/knockoff.ts'
import { QueryLedger } from '../core/ledger.ts'
import { scoreOracle } from '../core/oracle.ts'
import * as tf from '../core/tf.ts'
import type { Split } from '../data/data-set.ts'
import type { AnswerSpec } from '../defences/answer.ts'
import { tellingLess } from '../defences/answers.ts'
import { agreement } from '../metrics/extraction.ts'
import { architectureOf } from '../models/architectures.ts'
import type { Model, Weight } from '../models/model.ts'
import type { Artefact, LedgerSummary } from './artefact.ts'
import type { Task, Trusted } from './grader.ts'
import { atMost } from './rows.ts'
import type { EvidenceRow } from './verdict.ts'

/** What a model reads in some images, and how sure it is of each. */
export interface Reads {
  top: Int32Array
  /** Probability of that class. */
  sure: Float32Array
}

/** Reads images of a split; nothing of them is left behind. */
export async function readRows(model: Model, split: Split, ids: ArrayLike<number>): Promise<Reads> {
  const x = split.images(ids)
  try {
    return await readsOf(model, x)
  } finally {
    x.dispose()
  }
}

/** x: (N, …inputShape), borrowed. */
export async function readsOf(model: Model, x: tf.Tensor): Promise<Reads> {
  const rows = x.shape[0]!
  const owned: tf.Tensor[] = []
  try {
    const logits = await model.logits(x)
    owned.push(logits)
    const scores = tf.softmax(logits)
    owned.push(scores)
    const values = await scores.data()
    const classes = model.numClasses
    const top = Int32Array.from({ length: rows }, (_, row) => {
      let best = row * classes
      for (let k = best + 1; k < (row + 1) * classes; k++) if (values[k]! > values[best]!) best = k
      return best - row * classes
    })
    return { top, sure: Float32Array.from(top, (k, row) => values[row * classes + k]!) }
  } finally {
    tf.dispose(owned)
  }
}

/** Share of the images (0..1) that both read alike. */
export const sameReads = (a: Reads, b: Reads): number => agreement(a.top, b.top)

/** Share (0..1) of the most frequent class: 1 is a constant answer. */
export function oftenest({ top }: Reads): number {
  const counts = new Map<number, number>()
  for (const read of top) counts.set(read, (counts.get(read) ?? 0) + 1)
  return Math.max(0, ...counts.values()) / Math.max(1, top.length)
}

/** Mean of a model's sureness. */
export const meanSure = ({ sure }: Reads): number =>
  sure.reduce((sum, p) => sum + p, 0) / Math.max(1, sure.length)

/** Lends the handed-in copy as a model. Throws TypeError for another artefact: the referee has checked its tensors. */
export async function withCopy<T>(
  { task, artefact, trusted }: { task: Task; artefact: Artefact; trusted: Trusted },
  use: (copy: Model) => Promise<T>,
): Promise<T> {
  if (artefact.kind !== 'model-weights' || !task.copy)
    throw new TypeError(`withCopy: expected a task with a copy and its weights; got ${artefact.kind}`)
  const copy = await trusted.modelWithWeights(task.copy.model, artefact.tensors)
  try {
    return await use(copy)
  } finally {
    copy.dispose()
  }
}

/** Largest difference of any weight: 0 for the victim's own file, which no answers give. */
export function weightDistance(artefact: Artefact, weights: readonly Weight[]): number {
  if (artefact.kind !== 'model-weights') return Infinity
  let most = 0
  for (const [i, { values }] of weights.entries()) {
    const own = artefact.tensors[i]?.values
    if (own?.length !== values.length) return Infinity
    for (let k = 0; k < values.length; k++) most = Math.max(most, Math.abs(values[k]! - own[k]!))
  }
  return most
}

/** Hard row: the copy has learned from answered pictures and from nothing else. The engine counts. */
export function answeredRow(ledger: LedgerSummary | undefined): EvidenceRow {
  const learned = ledger?.learned
  return atMost(0, {
    id: 'unanswered',
    name: 'Learned from pictures that nobody answered',
    detail: learned
      ? `${learned.unanswered} of ${learned.rows} rows that the copy was shown`
      : 'no ledger came with this hand-in',
    measured: learned ? learned.unanswered : Number.NaN,
    precision: 0,
    scaleMax: Math.max(100, learned?.rows ?? 0),
    hard: true,
    claimed: true,
  })
}

/** How the referee steals by itself. */
export interface ThiefPlan {
  /** Name of the copy's layers; see `architectureOf`. */
  model: string
  /** Pictures to ask about, row-major. All of them are asked. */
  pool: Float32Array
  /** What stands between the victim's probabilities and the thief. */
  answers?: readonly AnswerSpec[]
  steps: number
  learningRate: number
  seed: number
}

/** Copies the victim from answers about these pictures (knockoff), and reads images with the copy. Nothing of it is left behind. */
export async function stealAndRead(
  trusted: Trusted,
  victim: Model,
  { model, pool, answers = [], steps, learningRate, seed }: ThiefPlan,
  read: (copy: Model) => Promise<Reads>,
): Promise<Reads> {
  const size = victim.inputShape.reduce((product, n) => product * n, 1)
  const oracle = tellingLess(scoreOracle(victim, new QueryLedger()), answers, seed)
  const means = { architecture: architectureOf(model), pool }
  const options = { maxQueries: pool.length / size, steps, learningRate }
  const { surrogate } = await knockoff(oracle, means, options, { seed })
  const copy = await trusted.modelWithWeights(model, surrogate.weights)
  try {
    return await read(copy)
  } finally {
    copy.dispose()
  }
}
