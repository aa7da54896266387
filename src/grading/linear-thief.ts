/**
 * The referee's own thieves of a logistic model, to price a defence with, and what the bench draws. Equations: Tramèr et
 * al. 2016, §4.1 (arXiv:1609.02943). Border search: Lowd and Meek 2005, as label-only extraction.
 */
import { cholesky, solve } from '../core/cholesky.ts'
import { nullVector } from '../core/linear-algebra.ts'
import { createRng, type Rng } from '../core/rng.ts'
import { log } from '../core/portable-math.ts'
import { logOdds, sigmoid, trainLogistic, type LogisticModel } from '../models/logistic.ts'

type Point = ArrayLike<number>
/** Probabilities of the second class, one a row. */
export type AskRows = (rows: readonly Point[]) => number[]

/** A victim behind an API that rounds to multiples of step; 0 is exact (in float32), 1 tells the class alone. */
export function roundedAnswers(victim: LogisticModel, step: number): AskRows {
  return (rows) =>
    rows.map((x) => {
      const p = Math.fround(sigmoid(logOdds(victim, x)))
      return step === 0 ? p : step === 1 ? Number(p > 0.5) : Math.round(p / step) * step
    })
}

/** The origin, and one step along each axis. */
export function unitQuestions(d: number, scale = 1): Float32Array[] {
  return Array.from({ length: d + 1 }, (_, row) =>
    Float32Array.from({ length: d }, (_, i) => (i === row - 1 ? scale : 0)),
  )
}

/** A logistic model from probabilities, by least squares on their log-odds; what rounding hides is halved away. */
export function fitLogOdds(rows: readonly Point[], answers: readonly number[], step: number): LogisticModel {
  const edge = step > 0 ? step / 4 : 1e-7
  const told = answers.map((p) => Math.min(1 - edge, Math.max(edge, p)))
  const d = rows[0]!.length
  const n = d + 1
  const [a, b] = [new Float64Array(n * n), new Float64Array(n)]
  for (const [row, x] of rows.entries()) {
    const p = told[row]!
    const odds = log(p / (1 - p))
    // Where the curve is flat, rounding costs most: the row counts less.
    const weight = step > 0 ? (p * (1 - p)) ** 2 : 1
    for (let i = 0; i <= d; i++) {
      const left = weight * (i === d ? 1 : x[i]!)
      if (left === 0) continue
      b[i]! += left * odds
      for (let j = 0; j <= i; j++) a[i * n + j]! += left * (j === d ? 1 : x[j]!)
    }
  }
  // A whisper of a penalty, so that fewer rows than unknowns still give one answer.
  let trace = 0
  for (let i = 0; i <= d; i++) trace += a[i * n + i]!
  const whisper = (1e-8 * trace) / n || 1e-300
  for (let i = 0; i <= d; i++) a[i * n + i]! += whisper
  const solved = solve(cholesky(a, n), b)
  return { weights: Array.from(solved.subarray(0, d)), bias: solved[d]! }
}

/** A logistic model from labels alone, as any passive observer would train it. */
export const fitLabels = (rows: readonly Point[], answers: readonly number[]): LogisticModel =>
  trainLogistic(
    rows,
    answers.map((p) => Number(p > 0.5)),
    0.01,
  )

/** Points on the border between the classes, by bisection, and the plane through them. Rows asked: see `rows`. */
export function borderThief(
  ask: AskRows,
  d: number,
  { points, bits, seed }: { points: number; bits: number; seed: number },
): { model: LogisticModel; rows: number } {
  const rng = createRng(seed, 'border')
  let rows = 0
  const isSecond = (x: Point) => {
    rows++
    return ask([x])[0]! > 0.5
  }
  const sides: [Float32Array[], Float32Array[]] = [[], []]
  while (rows < 1.2 * points || sides.some((side) => side.length === 0)) {
    if (rows >= 4 * points) break
    const x = normal(rng, d)
    sides[Number(isSecond(x))]!.push(x)
  }
  const [first, second] = sides
  if (first.length === 0 || second.length === 0)
    return { model: { weights: new Array<number>(d).fill(0), bias: second.length ? 1 : -1 }, rows }
  const border = Array.from({ length: points }, (_, k) => {
    let a: Float32Array = first[k % first.length]!
    let b: Float32Array = second[(7 * k + Math.floor(k / second.length)) % second.length]!
    for (let bit = 0; bit < bits; bit++) {
      const middle = a.map((value, i) => (value + b[i]!) / 2)
      if (isSecond(middle)) b = middle
      else a = middle
    }
    return [...a.map((value, i) => (value + b[i]!) / 2), 1]
  })
  const plane = nullVector(border)
  const model = { weights: plane.slice(0, d), bias: plane[d]! }
  const sign = logOdds(model, second[0]!) > logOdds(model, first[0]!) ? 1 : -1
  return { model: { weights: model.weights.map((w) => sign * w), bias: sign * model.bias }, rows }
}

/** Equations asked again at other lengths, round after round, until `done` is satisfied or the rows are used up. */
export function equationThief(
  ask: AskRows,
  d: number,
  {
    step,
    seed,
    maxRows,
    done,
  }: { step: number; seed: number; maxRows: number; done(model: LogisticModel): boolean },
): { model: LogisticModel; rows: number } | undefined {
  const rng = createRng(seed, 'equations')
  const [asked, answers]: [Point[], number[]] = [[], []]
  for (let round = 0; asked.length + d + 1 <= maxRows; round++) {
    const questions = unitQuestions(d, round === 0 ? 2 : (round % 2 ? -1 : 1) * (1.2 + 1.6 * rng.uniform()))
    asked.push(...questions)
    answers.push(...ask(questions))
    const model = fitLogOdds(asked, answers, step)
    if (done(model)) return { model, rows: asked.length }
  }
  return undefined
}

const normal = (rng: Rng, d: number) => Float32Array.from({ length: d }, () => rng.normal())
