/**
 * Equation solving: a softmax regression's probabilities are linear equations in its weights, so as many well chosen
 * questions as there are unknowns give the model away.
 * Tramèr, Zhang, Juels, Reiter, Ristenpart 2016, "Stealing machine learning models via prediction APIs", §4.1,
 * arXiv:1609.02943; rounded answers and hidden classes as in its §7.
 *
 * Threat model: score-based black box around a logistic or softmax regression.
 */
import type { ScoreOracle } from '../../core/classifier.ts'
import { createRng, type Rng } from '../../core/rng.ts'
import { scoresFrom } from '../../core/row-search.ts'
import type { RunContext, TraceStep } from '../../core/run.ts'
import type { ExtractionEntry, ExtractionResult, Shortfall, ThiefMeans } from '../attack.ts'
import { aboveZero, readOptions, wholeNumber } from '../check.ts'
import { linearSurrogate } from '../linear-surrogate.ts'
import { checkVictim, clip, inputSize, Questions } from '../questions.ts'
import {
  hasLogit,
  isTopOnly,
  solveSoftmax,
  solveTopAnswers,
  type SoftmaxSolution,
} from '../softmax-equations.ts'

export type EquationSolvingOptions = {
  /** Where the questions lie: the origin and a step along each axis, or normally distributed points. */
  points: 'axes' | 'random'
  /** Length of a step, or deviation of the points, in the units of x. */
  scale: number
  /** How often there are as many questions as unknowns of a class: one suffices for exact answers. */
  rounds: number
}

const defaults: EquationSolvingOptions = { points: 'axes', scale: 1, rounds: 1 }

/** Where an answer has no finite logit, the question is asked again nearer to the centre, at most so often. */
const retries = 3
const shrink = 1 / 4

interface Answered {
  point: Float64Array
  answer: Float32Array
}

/**
 * Asks d + 1 questions a round (the centre, which is 0 or what is nearest to it in bounds, and one for each of the d inputs; later
 * rounds step the other way and by other lengths), and again, nearer, where an answer has no finite logit. Solves by least
 * squares. With more than two classes and only the likeliest told, take `random` points and at least as many
 * rounds as classes. Class 0's scores are zeros: only differences can be seen.
 *
 * Always comes back with a surrogate, and says by `shortfall` what is missing: the oracle refused (the answers before
 * are used), the answers are the same throughout, they are 0 and 1, hold numbers that are not finite (those are
 * left out), or leave unknowns open (which are then 0). Throws RangeError when scale or rounds is out of range, `bad-input`
 * for a victim of one class.
 *
 * Differs from the paper: points along the axes instead of random ones, since a random one often saturates the answer.
 */
export async function equationSolving(
  oracle: ScoreOracle,
  _: ThiefMeans,
  options: Partial<EquationSolvingOptions>,
  run: RunContext,
): Promise<ExtractionResult> {
  const { points, scale, rounds } = readOptions(entry, options) as EquationSolvingOptions
  aboveZero('equation-solving', 'scale', scale)
  wholeNumber('equation-solving', 'rounds', rounds, 1)
  checkVictim('equation-solving', oracle)
  const size = inputSize(oracle)
  const questions = new Questions(oracle, scoresFrom(oracle), run)
  const centre = new Float64Array(size).fill(clip(0, oracle.bounds))
  const all: Answered[] = []
  const trace: TraceStep[] = []
  for (let round = 0; round < rounds && questions.refusal === undefined; round++) {
    const rng = createRng(run.seed, `equation-solving ${round}`)
    const wanted =
      points === 'axes'
        ? axisQuestions(centre, oracle.bounds, scale, round, rng)
        : Array.from({ length: size + 1 }, () =>
            centre.map((value) => clip(value + scale * rng.normal(), oracle.bounds)),
          )
    await askUntilTold(wanted, centre, questions, all)
    const { settled, unknowns } = solve(all, size, oracle.numClasses)
    trace.push({ step: round, values: { queries: questions.asked, settled, unknowns } })
    run.onStep?.(round + 1, rounds, trace.at(-1)!.values)
  }
  const solution = solve(all, size, oracle.numClasses)
  const shortfall = shortfallOf(all, solution, questions)
  return {
    surrogate: linearSurrogate(oracle, solution),
    queriesUsed: questions.asked,
    trace,
    ...(shortfall && { shortfall }),
  }
}

/**
 * A round of d + 1 questions: the centre, and a step along each axis. The first round's steps are `scale` long, later ones
 * go the other way and by other lengths, so that rounding errs differently in each.
 */
export function axisQuestions(
  centre: Float64Array,
  bounds: readonly [number, number],
  scale: number,
  round: number,
  rng: Rng,
): Float64Array[] {
  return axes(centre, round === 0 ? scale : laterStep(scale, round, rng), bounds)
}

/** The centre, and one step along each axis; the other way where the bounds are nearer than the step. */
function axes(centre: Float64Array, step: number, bounds: readonly [number, number]): Float64Array[] {
  const along = (i: number) =>
    centre.map((value, j) => {
      if (i !== j) return value
      const there = clip(value + step, bounds)
      return Math.fround(there === value ? clip(value - step, bounds) : there)
    })
  return [centre, ...Array.from(centre, (_, i) => along(i))]
}

const laterStep = (scale: number, round: number, rng: Rng) =>
  Math.fround((round % 2 === 1 ? -1 : 1) * scale * (0.6 + 0.8 * rng.uniform()))

/** Asks, and asks again nearer to the centre where fewer classes have a finite logit than at the centre. */
async function askUntilTold(
  wanted: readonly Float64Array[],
  centre: Float64Array,
  questions: Questions<Float32Array>,
  all: Answered[],
): Promise<void> {
  let open = wanted.map((point) => Float64Array.from(point, Math.fround))
  let best = 0
  for (let attempt = 0; attempt <= retries && open.length > 0; attempt++) {
    const answers = await questions.ask(open)
    const answered = answers.map((answer, i) => ({ point: open[i]!, answer }))
    all.push(...answered)
    best = Math.max(best, ...all.map(({ answer }) => finiteLogits(answer)))
    open = answered
      .filter(
        ({ answer, point }) => finiteLogits(answer) < best && point.some((value, i) => value !== centre[i]),
      )
      .map(({ point }) => point.map((value, i) => Math.fround(centre[i]! + shrink * (value - centre[i]!))))
  }
}

const finiteLogits = (answer: Float32Array): number => answer.filter(hasLogit).length

/** From all answers that are numbers. */
function solve(all: readonly Answered[], size: number, numClasses: number): SoftmaxSolution {
  const told = all.filter(({ answer }) => answer.every(Number.isFinite))
  const points = told.map(({ point }) => point)
  const answers = told.map(({ answer }) => answer)
  const how = isTopOnly(answers) ? solveTopAnswers : solveSoftmax
  return how(points, answers, size, numClasses)
}

function shortfallOf(
  all: readonly Answered[],
  { settled, unknowns, open }: SoftmaxSolution,
  questions: Questions<Float32Array>,
): Shortfall | undefined {
  const known = `The answers settle ${settled} of ${unknowns} unknowns`
  const next = open ? `ask next about a point that moves ${nameOf(open)}` : ''
  const refused = questions.shortfall(open ? `${known}; with more to ask, ${next}.` : `${known}.`)
  if (refused) return refused
  const broken = all.filter(({ answer }) => !answer.every(Number.isFinite)).length
  if (broken > 0)
    return {
      kind: 'not-finite',
      message: `${broken} of ${all.length} answers hold numbers that are not finite and were left out. ${known}.`,
    }
  const first = all[0]!.answer
  if (all.every(({ answer }) => answer.every((p, k) => p === first[k])))
    return {
      kind: 'constant',
      message: `the API gave one answer to all ${all.length} questions, so every weight looks like 0; ask about points farther apart (a larger scale).`,
    }
  if (!open) return undefined
  const flat = all.filter(({ answer }) => finiteLogits(answer) === 0).length
  if (flat > 0)
    return {
      kind: 'saturated',
      message: `${flat} of ${all.length} answers are exactly 0 or 1 and have no finite logit. ${known}; ask nearer to where the API is in doubt (a smaller scale).`,
    }
  return { kind: 'singular', message: `${known}; ${next}.` }
}

/** The unknown that moves most along a direction that is open. */
function nameOf(open: Float64Array): string {
  const largest = open.reduce((best, value, i) => (Math.abs(value) > Math.abs(open[best]!) ? i : best), 0)
  return largest === open.length - 1 ? 'nothing (the centre itself)' : `input ${largest}`
}

export const entry: ExtractionEntry = {
  id: 'equation-solving',
  title: 'Equation solving',
  summary: 'Each answer is an equation in the weights: ask as often as there are unknowns, and solve.',
  family: 'extraction',
  access: 'score',
  needs: [],
  paper: { cite: 'Tramèr et al. 2016', url: 'https://arxiv.org/abs/1609.02943' },
  defaults,
  parameters: [
    {
      kind: 'choice',
      name: 'points',
      label: 'Questions',
      help: 'Along the axes each question moves one input alone; random points often land where the answer is a flat 0 or 1.',
      choices: [
        { value: 'axes', label: 'along the axes' },
        { value: 'random', label: 'at random' },
      ],
    },
    {
      kind: 'number',
      name: 'scale',
      label: 'Reach',
      help: 'How far the questions lie from the centre. Farther drowns rounding, until answers are a flat 0 or 1.',
      min: 0.01,
      max: 10,
      step: 0.01,
      unit: '',
      scale: 'log',
    },
    {
      kind: 'number',
      name: 'rounds',
      label: 'Rounds',
      help: 'How often there are as many questions as unknowns. More averages rounding out.',
      min: 1,
      max: 20,
      step: 1,
      unit: '',
      scale: 'linear',
    },
  ],
  run: equationSolving,
}
