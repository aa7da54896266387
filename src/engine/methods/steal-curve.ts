import { createRng } from '../../core/rng.ts'
import { nextTask } from '../../core/platform.ts'
import { axisQuestions } from '../../attacks/extraction/equation-solving.ts'
import { fitEquations, fitLabels, roundedAnswers } from '../../grading/linear-thief.ts'
import { agreement, logisticVictim, randomProbes, tableRows, weightError } from '../../grading/surrogate.ts'
import { throwIfCancelled } from '../../core/run.ts'
import { defineMethod } from '../method.ts'

export const questionKinds = ['unit', 'patients', 'random'] as const
export type QuestionKind = (typeof questionKinds)[number]

export interface StealCurveParams {
  victim: { model: string; seed?: number }
  dataset: string
  /** What is asked about: unit vectors, rows of the table, or random points. */
  questions: QuestionKind
  /** Answers are multiples of this; 0 is exact, 1 tells the class alone. */
  step: number
  maxRows: number
  seed: number
}

export interface StealPoint {
  rows: number
  /** Share of random probes, and of the test split's rows, on which copy and victim say the same. */
  probes: number
  test: number
  /** Largest error of a weight; absent where labels settle no scale. */
  error?: number
}

const probeCount = 2000
const counts = [
  1, 2, 4, 8, 12, 16, 20, 24, 28, 30, 31, 40, 50, 62, 93, 124, 155, 200, 250, 310, 400, 500, 600,
]

/** Copies a logistic victim from more and more answers, and measures each copy. */
export const method = defineMethod<StealCurveParams, StealPoint[]>({
  name: 'steal-curve',
  runsOn: ['engine'],
  async run({ victim, dataset, questions, step, maxRows, seed }, { signal, progress }, workshop) {
    const original = await logisticVictim(await workshop.model(victim.model, victim.seed))
    const data = await workshop.dataset(dataset)
    const d = original.weights.length
    const asked = questionsOf(questions, d, maxRows, seed, () => tableRows(data, 'train'))
    const answers = roundedAnswers(original, step)(asked)
    const [probes, test] = [randomProbes(probeCount, d, seed), tableRows(data, 'test')]
    const points: StealPoint[] = []
    const steps = counts.filter((count) => count <= asked.length)
    for (const rows of steps) {
      throwIfCancelled({ seed, signal })
      const [some, told] = [asked.slice(0, rows), answers.slice(0, rows)]
      const copy = step === 1 ? fitLabels(some, told) : fitEquations(some, told)
      points.push({
        rows,
        probes: agreement(copy, original, probes),
        test: agreement(copy, original, test),
        ...(step === 1 ? {} : { error: weightError(copy, original) }),
      })
      progress(points.length, steps.length)
      await nextTask()
    }
    return points
  },
})

function questionsOf(
  kind: QuestionKind,
  d: number,
  count: number,
  seed: number,
  patients: () => Float32Array[],
): ArrayLike<number>[] {
  const rng = createRng(seed, 'questions')
  if (kind === 'patients') return rng.shuffle(patients()).slice(0, count)
  if (kind === 'random') return randomProbes(count, d, rng.uint32())
  const centre = new Float64Array(d)
  const all: Float64Array[] = []
  for (let round = 0; all.length < count; round++)
    all.push(...axisQuestions(centre, [-Infinity, Infinity], 1, round, rng))
  return all.slice(0, count)
}
