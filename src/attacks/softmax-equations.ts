/**
 * The equations behind a softmax regression's answers: the logarithm of the ratio of two probabilities is linear in the
 * input, so each answer is one linear equation a class. Tramèr et al. 2016, §4.1, arXiv:1609.02943.
 */
import { leastSquares } from '../core/least-squares.ts'
import { exp, log } from '../core/portable-math.ts'
import type { LinearScores } from './linear-surrogate.ts'

export interface SoftmaxSolution extends LinearScores {
  /**
   * Unknowns that are solved for together, and how many of them are settled: a class's weights and bias (of the class that has
   * fewest), or those of all classes where only the likeliest was told.
   */
  unknowns: number
  settled: number
  /** When some are open: a change of a class's (weights, bias) that no answer so far would notice. */
  open?: Float64Array
}

/** Does this probability have a finite logit? 0 and 1 do not: they say only that the score is far out. */
export const hasLogit = (p: number): boolean => p > 0 && p < 1

/**
 * The scores that give these answers, class 0's all zero. points: N of d numbers; answers: N rows of probabilities, one a
 * class. An equation whose probabilities have no finite logit is left out; unknowns that nothing settles are 0. Answers
 * that are rounded count by how much their rounding hides. Float64 throughout: answers in double precision give
 * weights to about 1e-13, in float32 to about 1e-6, to two decimals to about 0.04 (unit vectors as points).
 */
export function solveSoftmax(
  points: readonly ArrayLike<number>[],
  answers: readonly ArrayLike<number>[],
  inputs: number,
  numClasses: number,
): SoftmaxSolution {
  const solution: SoftmaxSolution = {
    weights: new Float64Array(inputs * numClasses),
    bias: new Float64Array(numClasses),
    unknowns: inputs + 1,
    settled: inputs + 1,
  }
  const decimals = decimalsOf(answers)
  const rows = points.map((point) => Float64Array.from([...Array.from(point), 1]))
  const usable = (k: number) =>
    [...answers.keys()].filter((i) => hasLogit(answers[i]![k]!) && hasLogit(answers[i]![0]!))
  // Classes with the same equations on the left share one factorisation.
  const groups = new Map<string, { classes: number[]; used: number[] }>()
  for (let k = 1; k < numClasses; k++) {
    const used = usable(k)
    const name = decimals === undefined ? used.join() : String(k)
    const group = groups.get(name) ?? { classes: [], used }
    groups.set(name, { classes: [...group.classes, k], used })
  }
  for (const { classes, used } of groups.values()) {
    const weights = used.map((i) => (decimals === undefined ? 1 : trust(answers[i]!, classes[0]!)))
    const { solutions, rank, open } = leastSquares(
      used.map((i, at) => rows[i]!.map((value) => weights[at]! * value)),
      classes.map((k) => used.map((i, at) => weights[at]! * logRatio(answers[i]!, k))),
      inputs + 1,
    )
    for (const [at, k] of classes.entries()) {
      for (let j = 0; j < inputs; j++) solution.weights[j * numClasses + k] = solutions[at]![j]!
      solution.bias[k] = solutions[at]![inputs]!
    }
    if (rank < solution.settled) {
      solution.settled = rank
      if (open) solution.open = open
    }
  }
  return solution
}

/** The linear side of an answer: z_k − z_0. */
const logRatio = (answer: ArrayLike<number>, k: number): number => log(answer[k]!) - log(answer[0]!)

/** An error of the same size in both probabilities moves the equation by so much less. */
const trust = (answer: ArrayLike<number>, k: number): number => 1 / (1 / answer[k]! + 1 / answer[0]!)

const mostDecimals = 5

/** How many decimals the answers are rounded to, by the look of them; undefined when they are not. */
export function decimalsOf(answers: readonly ArrayLike<number>[]): number | undefined {
  for (let decimals = 1, scale = 10; decimals <= mostDecimals; decimals++, scale *= 10) {
    // A float32 holds a decimal fraction to 6e-8 of its size.
    const isRounded = (p: number) => Math.abs(p * scale - Math.round(p * scale)) < 1e-7 * scale
    if (answers.every((answer) => Array.prototype.every.call(answer, isRounded))) return decimals
  }
  return undefined
}

/**
 * Scores from answers that name the likeliest class and its probability and hide the rest (zeros). With two classes the
 * other probability follows; with more, one equation a row is left, log(p/(1 − p)) = z_top − log Σ e^z of the others, which
 * is solved by Levenberg and Marquardt's damped Gauss–Newton steps (Marquardt 1963), from the scores that an even spread of the
 * hidden rest would mean. A class that is never the likeliest is not seen apart from the others.
 */
export function solveTopAnswers(
  points: readonly ArrayLike<number>[],
  answers: readonly ArrayLike<number>[],
  inputs: number,
  numClasses: number,
  steps = 60,
): SoftmaxSolution {
  const start = solveSoftmax(points, answers.map(spreadEvenly), inputs, numClasses)
  if (numClasses === 2) return start
  const told = points.flatMap((point, i) => {
    const answer = Array.from(answers[i]!)
    const top = answer.indexOf(Math.max(...answer))
    const p = answer[top]!
    return hasLogit(p) ? [{ point, top, odds: log(p) - log(1 - p) }] : []
  })
  const size = inputs + 1
  const at = (scores: LinearScores) =>
    Float64Array.from({ length: (numClasses - 1) * size }, (_, i) => {
      const [k, j] = [1 + Math.floor(i / size), i % size]
      return j === inputs ? scores.bias[k]! : scores.weights[j * numClasses + k]!
    })
  const residuals = (theta: Float64Array) =>
    told.map(({ point, top, odds }) => {
      const z = scoresAt(theta, point, numClasses)
      const rest = logSum(z, top)
      return { missing: odds - (z[top]! - rest), z, rest, top, point }
    })
  const cost = (list: readonly { missing: number }[]) =>
    list.reduce((sum, { missing }) => sum + missing ** 2, 0)
  let theta = at(start)
  let now = residuals(theta)
  let damping = 1e-2
  const jacobianOf = (list: typeof now) =>
    list.map(({ z, rest, top, point }) => {
      const row = new Float64Array(theta.length)
      for (let k = 1; k < numClasses; k++) {
        const slope = k === top ? 1 : -exp(z[k]! - rest)
        for (let j = 0; j <= inputs; j++) row[(k - 1) * size + j] = slope * (j === inputs ? 1 : point[j]!)
      }
      return row
    })
  for (let step = 0; step < steps && cost(now) > 1e-24 * told.length && damping < 1e12; step++) {
    const jacobian = jacobianOf(now)
    const lean = Math.sqrt(damping)
    const damped = Array.from(theta, (_, i) => {
      const row = new Float64Array(theta.length)
      row[i] = lean
      return row
    })
    const right = [...now.map(({ missing }) => missing), ...damped.map(() => 0)]
    const change = leastSquares([...jacobian, ...damped], [right], theta.length).solutions[0]!
    const next = theta.map((value, i) => value + change[i]!)
    const there = residuals(next)
    if (cost(there) < cost(now)) {
      ;[theta, now] = [next, there]
      damping /= 5
    } else damping *= 4
  }
  const { rank, open } = leastSquares(jacobianOf(now), [], theta.length)
  const solution: SoftmaxSolution = {
    weights: new Float64Array(inputs * numClasses),
    bias: new Float64Array(numClasses),
    unknowns: theta.length,
    settled: rank,
    ...(open && { open: largestPart(open, size) }),
  }
  for (let k = 1; k < numClasses; k++) {
    for (let j = 0; j < inputs; j++) solution.weights[j * numClasses + k] = theta[(k - 1) * size + j]!
    solution.bias[k] = theta[(k - 1) * size + inputs]!
  }
  return solution
}

/** The class's share of a direction that has most of it. */
function largestPart(direction: Float64Array, size: number): Float64Array {
  const most = direction.reduce(
    (best, value, i) => (Math.abs(value) > Math.abs(direction[best]!) ? i : best),
    0,
  )
  const from = most - (most % size)
  return direction.slice(from, from + size)
}

/** Does every answer name one probability alone? With two classes a hidden one is known all the same. */
export const isTopOnly = (answers: readonly ArrayLike<number>[]): boolean =>
  answers.length > 0 &&
  answers.every((answer) => Array.from(answer).filter((p) => p !== 0).length === 1) &&
  answers.some((answer) => Math.max(...Array.from(answer)) < 1)

/** The hidden probabilities, as if they were all alike. */
function spreadEvenly(answer: ArrayLike<number>): number[] {
  const all = Array.from(answer)
  const top = all.indexOf(Math.max(...all))
  return all.map((p, k) => (k === top ? p : (1 - all[top]!) / (all.length - 1)))
}

function scoresAt(theta: Float64Array, point: ArrayLike<number>, numClasses: number): Float64Array {
  const size = point.length + 1
  return Float64Array.from({ length: numClasses }, (_, k) => {
    if (k === 0) return 0
    let z = theta[(k - 1) * size + point.length]!
    for (let j = 0; j < point.length; j++) z += theta[(k - 1) * size + j]! * point[j]!
    return z
  })
}

/** log Σ e^z over the classes but one. */
function logSum(z: Float64Array, without: number): number {
  const others = z.filter((_, k) => k !== without)
  const most = Math.max(...others)
  return most + log(others.reduce((sum, value) => sum + exp(value - most), 0))
}
