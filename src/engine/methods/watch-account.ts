import { nearestDistance } from '../../defences/detection/nearest-query.ts'
import { TheftWatch, type TheftRules } from '../../defences/detection/theft-watch.ts'
import { indexOfMax } from '../../core/rows.ts'
import { answersTo, questionsOf, type AccountKind, type LogMeans } from '../../grading/account-log.ts'
import { defineMethod } from '../method.ts'
import { createPace } from '../pace.ts'

export interface WatchAccountParams {
  model: string
  dataset: string
  /** The data set of whoever asks about something else. */
  foreign: string
  kind: AccountKind
  seed: number
  rows: number
}

/** What the three watches read of an account after so many questions. */
export interface AccountReading {
  rows: number
  /** PRADA's W, the median distance to the nearest earlier question, the mean top probability. */
  w: number
  median: number
  mean: number
}

export interface WatchedAccount {
  kind: AccountKind
  /** Each question's distance to the nearest earlier one with the same answer; NaN for the first of its answer. */
  distances: number[]
  answers: number[]
  /** Every few questions, from the first on at which they say anything. */
  readings: AccountReading[]
  /** Some of the questions, spread over the account. */
  pictures: { pixels: Float32Array; row: number; answer: number; confidence: number }[]
  shape: readonly number[]
}

/** Questions before a reading, between two, and pictures that are shown. */
const [atLeast, every, shown] = [50, 10, 10]
/** Rules under which nobody ever alarms: only the readings count. */
const silent: TheftRules = {
  prada: { delta: 1e-9, atLeast },
  nearest: { low: 0, high: Infinity, atLeast },
  confidence: { least: 0, atLeast },
}

/** One account, as its provider sees it. */
export async function watchAccount(
  { kind, seed, rows }: Pick<WatchAccountParams, 'kind' | 'seed' | 'rows'>,
  means: LogMeans,
  pace: () => Promise<void>,
): Promise<WatchedAccount> {
  const questions = await questionsOf({ kind, seed }, rows, means)
  await pace()
  const told = await answersTo(means.model, questions)
  const answers = told.map(indexOfMax)
  const watch = new TheftWatch(silent)
  const byAnswer = new Map<number, Float32Array[]>()
  const distances: number[] = []
  const readings: AccountReading[] = []
  for (const [i, question] of questions.entries()) {
    const earlier = byAnswer.get(answers[i]!) ?? []
    distances.push(earlier.length > 0 ? nearestDistance(question, earlier) : NaN)
    byAnswer.set(answers[i]!, [...earlier, question])
    const { w, median, mean } = watch.see(question, told[i]!)
    if ((i + 1) % every === 0 && w !== undefined && median !== undefined && mean !== undefined)
      readings.push({ rows: i + 1, w, median, mean })
    if (i % 25 === 0) await pace()
  }
  const pictures = Array.from({ length: shown }, (_, i) => {
    const row = Math.floor(((i + 0.5) * questions.length) / shown)
    const answer = answers[row]!
    return { pixels: questions[row]!.slice(), row, answer, confidence: told[row]![answer]! }
  })
  return { kind, distances, answers, readings, pictures, shape: means.model.inputShape }
}

/** Asks as somebody does who is named, and reads the account as its provider would. */
export const method = defineMethod<WatchAccountParams, WatchedAccount>({
  name: 'watch-account',
  runsOn: ['engine'],
  async run({ model, dataset, foreign, ...who }, { signal }, workshop) {
    const means = {
      model: await workshop.model(model),
      data: await workshop.dataset(dataset),
      foreign: await workshop.dataset(foreign),
    }
    return watchAccount(who, means, createPace(signal))
  },
})
