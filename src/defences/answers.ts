/** Finds the answer formats, one file in answers/ each, and puts them between a model's probabilities and whoever asks. */
import { readOptions } from '../attacks/check.ts'
import type { ScoreOracle } from '../core/classifier.ts'
import { PerturbError } from '../core/errors.ts'
import { createRng } from '../core/rng.ts'
import * as tf from '../core/tf.ts'
import type { AnswerEntry, AnswerSpec } from './answer.ts'

const modules = import.meta.glob<{ entry: AnswerEntry }>('./answers/*.ts', { eager: true })

/** Every answer format by id, the file's name. */
export const answerFormats: ReadonlyMap<string, AnswerEntry> = new Map(
  Object.entries(modules).map(([path, { entry }]) => {
    const name = /([^/]+)\.ts$/.exec(path)![1]!
    if (entry?.id !== name)
      throw new Error(
        `${path}: must export its AnswerEntry as \`entry\`, with the id "${name}"; got "${entry?.id}"`,
      )
    return [name, entry]
  }),
)

/** What is told of one answer after another: probabilities row-major, `numClasses` a row. */
export type Teller = (probabilities: Float32Array, numClasses: number) => Float32Array

/**
 * These formats in order, each applied to what the one before tells. Draws of chance go on from answer to answer; the same
 * seed tells the same from the first on. Throws `missing` or `bad-input` for a format or an option that there is not.
 */
export function createTeller(specs: readonly AnswerSpec[], seed: number): Teller {
  const parts = specs.map(({ id, ...given }) => {
    const entry = answerFormats.get(id)
    if (!entry)
      throw new PerturbError(
        'missing',
        `no answer format "${id}"; the formats are ${[...answerFormats.keys()].join(', ')}`,
      )
    const options = readOptions(entry, given)
    entry.check(options)
    return { entry, options, draw: createRng(seed, `answers ${id}`) }
  })
  return (probabilities, numClasses) => {
    const told = new Float32Array(probabilities.length)
    for (let from = 0; from < probabilities.length; from += numClasses) {
      let answer: Float32Array = probabilities.slice(from, from + numClasses)
      for (const { entry, options, draw } of parts) answer = entry.answer(answer, options, draw)
      told.set(answer, from)
    }
    return told
  }
}

/** The oracle, telling only what these formats let through. Its ledger counts as before. */
export function tellingLess(oracle: ScoreOracle, specs: readonly AnswerSpec[], seed: number): ScoreOracle {
  const tell = createTeller(specs, seed)
  const { inputShape, numClasses, bounds } = oracle
  return {
    inputShape,
    numClasses,
    bounds,
    async scores(x) {
      const scores = await oracle.scores(x)
      try {
        return tf.tensor(tell((await scores.data()) as Float32Array, numClasses), scores.shape)
      } finally {
        scores.dispose()
      }
    },
  }
}
