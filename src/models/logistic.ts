import { cholesky, solve } from '../core/cholesky.ts'
import { PerturbError } from '../core/errors.ts'
import { exp } from '../core/portable-math.ts'

/** A logistic regression of two classes: P(class 1 | x) = 1 / (1 + e^−(w·x + bias)). */
export interface LogisticModel {
  weights: number[]
  bias: number
}

/** 1 / (1 + e^−z), the same bits everywhere. */
export const sigmoid = (z: number): number => (z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z)))

/** w·x + bias. */
export function logOdds({ weights, bias }: LogisticModel, x: ArrayLike<number>): number {
  let sum = bias
  for (let i = 0; i < weights.length; i++) sum += weights[i]! * x[i]!
  return sum
}

const mostRounds = 50

/**
 * Logistic regression with an L2 penalty of ½·λ‖w‖² beside the *summed* cross-entropy; the bias is free. Newton's method
 * (iteratively reweighted least squares; Hastie, Tibshirani, Friedman 2009, §4.4.1). The optimum is one point, so the
 * result depends on the rows alone and not on a start. x: N rows of d numbers; y: 0 or 1. Throws `bad-input` unless λ > 0.
 */
export function trainLogistic(
  x: readonly ArrayLike<number>[],
  y: ArrayLike<number>,
  lambda = 1,
): LogisticModel {
  if (!(lambda > 0)) throw new PerturbError('bad-input', `logistic: lambda must be above 0; got ${lambda}`)
  if (x.length === 0 || x.length !== y.length)
    throw new PerturbError(
      'bad-input',
      `logistic: one label a row is needed; got ${x.length} rows and ${y.length}`,
    )
  const d = x[0]!.length
  const n = d + 1
  let model: LogisticModel = { weights: new Array<number>(d).fill(0), bias: 0 }
  for (let round = 0; round < mostRounds; round++) {
    const slope = new Float64Array(n)
    const curve = new Float64Array(n * n)
    for (let i = 0; i < d; i++) {
      slope[i] = lambda * model.weights[i]!
      curve[i * n + i] = lambda
    }
    for (const [row, values] of x.entries()) {
      const p = sigmoid(logOdds(model, values))
      const spread = Math.max(p * (1 - p), 1e-12)
      for (let i = 0; i <= d; i++) {
        const a = i === d ? 1 : values[i]!
        slope[i]! += (p - y[row]!) * a
        for (let j = 0; j <= i; j++) curve[i * n + j]! += spread * a * (j === d ? 1 : values[j]!)
      }
    }
    const step = solve(cholesky(curve, n), slope)
    model = { weights: model.weights.map((w, i) => w - step[i]!), bias: model.bias - step[d]! }
    if (Math.max(...step.map(Math.abs)) < 1e-12) break
  }
  return model
}
