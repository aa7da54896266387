import { softCrossEntropyRows } from '../core/losses.ts'
import { createRng } from '../core/rng.ts'
import * as tf from '../core/tf.ts'
import type { LedgerSummary } from '../grading/artefact.ts'
import type { Task } from '../grading/grader.ts'
import { architectureOf } from '../models/architectures.ts'
import type { Model, Weight } from '../models/model.ts'
import { createTrainer, type Trainer } from '../models/trainer.ts'
import { initialWeights } from '../models/weights.ts'
import type { WireTensor } from './capability-protocol.ts'

/** Steps between two copies of the weights: what a lost device costs at most. */
const copyEvery = 25

/**
 * The network that a program is lent to train on answers (`task.copy`). It keeps count of what it was shown: a copy that
 * has learned from rows that nobody answered is no copy of the victim.
 */
export class LentSurrogate {
  readonly #spec: NonNullable<Task['copy']>
  readonly #begun: Weight[]
  readonly #salt: number
  readonly #answered = new Set<number>()
  readonly #learned = { rows: 0, unanswered: 0 }
  #live: { trainer: Trainer; beside: Model } | undefined
  #kept: Weight[]
  #steps = 0

  /** `begun`: the weights of `spec.weightsFrom`. `seed`: the run's, which its program is not told. */
  constructor(spec: NonNullable<Task['copy']>, seed: number, begun?: Weight[]) {
    this.#spec = spec
    this.#begun = this.#kept = begun ?? initialWeights(architectureOf(spec.model), spec.seed)
    this.#salt = createRng(seed, 'answered rows').uint32() | 1
  }

  /** The network on the running backend; `beside` is the victim there, and another one means that it was restarted. */
  #trainer(beside: Model): Trainer {
    if (this.#live?.beside === beside) return this.#live.trainer
    this.dispose()
    const trainer = createTrainer(architectureOf(this.#spec.model), this.#kept)
    this.#live = { trainer, beside }
    return trainer
  }

  model(beside: Model): Model {
    return this.#trainer(beside).model
  }

  /** Notes rows that the victim has answered. */
  answered({ values, shape }: WireTensor): void {
    for (const digest of this.#digests(values as Float32Array, shape[0]!)) this.#answered.add(digest)
  }

  /** One Adam step towards these probabilities; resolves with the mean loss, which may be no number. */
  async learn(beside: Model, x: WireTensor, answers: WireTensor, rate: number): Promise<number> {
    const trainer = this.#trainer(beside)
    const owned: tf.Tensor[] = [tf.tensor(x.values, x.shape)]
    try {
      const targets = tf.tensor2d(answers.values, answers.shape as [number, number])
      owned.push(targets)
      const loss = trainer.stepOn(owned[0]!, (logits) => tf.mean(softCrossEntropyRows(logits, targets)), rate)
      owned.push(loss)
      const mean = (await loss.data())[0]!
      this.#steps++
      this.#learned.rows += x.shape[0]!
      for (const digest of this.#digests(x.values as Float32Array, x.shape[0]!))
        if (!this.#answered.has(digest)) this.#learned.unanswered++
      if (this.#steps % copyEvery === 0) this.#kept = await trainer.weights()
      return mean
    } finally {
      tf.dispose(owned)
    }
  }

  /** Back to where it began. What it was shown stays counted. */
  restart(): void {
    this.dispose()
    this.#kept = this.#begun
  }

  /** Undefined before the first step. */
  async trained(): Promise<{ weights: Weight[]; steps: number } | undefined> {
    if (this.#steps === 0) return undefined
    try {
      if (this.#live) return { weights: await this.#live.trainer.weights(), steps: this.#steps }
    } catch {
      // The device was lost with them: what was copied last is still here.
    }
    return { weights: this.#kept, steps: this.#steps }
  }

  summary(): NonNullable<LedgerSummary['learned']> {
    return { ...this.#learned }
  }

  dispose(): void {
    this.#live?.trainer.dispose()
    this.#live = undefined
  }

  /** 52 bits a row, salted: two rows that look alike to it are not found from inside the run. */
  *#digests(values: Float32Array, rows: number): Generator<number> {
    const words = new Int32Array(values.buffer, values.byteOffset, values.length)
    const width = words.length / rows
    for (let from = 0; from < words.length; from += width) {
      let [a, b] = [this.#salt, ~this.#salt]
      for (let i = from; i < from + width; i++) {
        a = Math.imul(a ^ words[i]!, 0x85ebca6b)
        a ^= a >>> 15
        b = Math.imul(b ^ words[i]!, 0xc2b2ae35)
        b ^= b >>> 13
      }
      yield (a >>> 0) * 2 ** 20 + (b >>> 12)
    }
  }
}
