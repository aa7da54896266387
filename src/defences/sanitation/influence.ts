/**
 * Influence of a training row: by how much the loss on trusted rows would rise if the row weighed a little
 * more, without training again. Koh & Liang 2017, "Understanding Black-box Predictions via Influence
 * Functions", §2, eq. 2; §5.4 (mislabelled rows), arXiv:1703.04730.
 *
 * Differs from the paper: of the last layer alone, whose features are taken as given; its Hessian is then
 * exact, convex and small enough to factorise, where the paper estimates the whole one. What the layers below
 * learned from a row goes unseen.
 */
import { cholesky, forwardSolve, solve, type Factor } from '../../core/cholesky.ts'
import { PerturbError } from '../../core/errors.ts'
import { nextTask } from '../../core/platform.ts'
import { exp } from '../../core/portable-math.ts'
import { throwIfCancelled, type RunContext } from '../../core/run.ts'
import { wholeShare } from '../../attacks/flips.ts'
import type { Weight } from '../../models/model.ts'
import { checkFeatures, type FeatureRows } from './features.ts'
import { flagTop, type Suspicion } from './suspicion.ts'

export interface InfluenceOptions {
  /**
   * Rows known to be right: a row is suspicious when it raises their loss. Absent: a row's influence on its
   * own loss, which is large where a label stands alone against its neighbourhood (the paper's §5.4).
   */
  trusted?: FeatureRows
  /**
   * Added to the Hessian's diagonal, as weight decay would: the softmax has directions that it does not curve
   * in.
   */
  damping: number
  /** Share of all rows that is flagged, rounded down. */
  share: number
}

/** The last layer: features × classes, row-major, and one bias a class. */
export interface Head {
  kernel: Float32Array
  bias: Float32Array
}

/** The last layer of a network that ends with a dense one: its two last weights. */
export function headOf(weights: readonly Weight[]): Head {
  const [kernel, bias] = weights.slice(-2)
  if (kernel?.shape.length !== 2 || bias?.shape.length !== 1)
    throw new PerturbError('bad-input', 'influence: the network must end with a dense layer')
  return { kernel: kernel.values, bias: bias.values }
}

/** Above this many weights the Hessian takes too long to factorise. */
const mostWeights = 2000

/**
 * Scores are influences in nats: above 0, the row does harm. Needs (features + 1) · classes weights, at most
 * 2,000. Throws RangeError when damping is not positive or share outside [0, 1]; `bad-input` for features or
 * a head that do not fit, and no trusted row.
 */
export async function influenceSuspicion(
  features: FeatureRows,
  head: Head,
  { trusted, damping, share }: InfluenceOptions,
  run: RunContext,
): Promise<Suspicion> {
  if (!(damping > 0)) throw new RangeError(`influence: damping must be positive; got ${damping}`)
  if (!(share >= 0 && share <= 1)) throw new RangeError(`influence: share must lie in [0, 1]; got ${share}`)
  checkFit(features, head)
  if (trusted) {
    checkFit(trusted, head)
    if (trusted.ids.length === 0 || trusted.size !== features.size)
      throw new PerturbError(
        'bad-input',
        `influence: expected trusted rows of ${features.size} features; got ${trusted.ids.length} rows of ${trusted.size}`,
      )
  }
  const errors = residuals(features, head)
  const factor = await hessian(features, errors.probabilities, damping, run)
  const rows = features.ids.length
  const scores = new Float64Array(rows)
  if (trusted) {
    // −gᵀ·H⁻¹·g_row with g the trusted rows' mean gradient: one solution serves all rows.
    const direction = solve(factor, meanGradient(trusted, residuals(trusted, head).values))
    for (let i = 0; i < rows; i++) scores[i] = -dot(gradientOf(features, errors.values, i), direction)
  } else
    for (let i = 0; i < rows; i++) {
      if (i % 64 === 0) {
        await nextTask()
        throwIfCancelled(run)
      }
      const half = forwardSolve(factor, gradientOf(features, errors.values, i))
      scores[i] = dot(half, half)
    }
  return flagTop(features, scores, wholeShare(share, rows))
}

/** p and p − y of each row, rows × classes. */
function residuals(
  { x, size, labels, numClasses }: FeatureRows,
  { kernel, bias }: Head,
): { probabilities: Float64Array; values: Float64Array } {
  const probabilities = new Float64Array(labels.length * numClasses)
  const values = new Float64Array(labels.length * numClasses)
  for (const [i, label] of labels.entries()) {
    const logits = Float64Array.from({ length: numClasses }, (_, k) => {
      let z = bias[k]!
      for (let j = 0; j < size; j++) z += x[i * size + j]! * kernel[j * numClasses + k]!
      return z
    })
    const highest = Math.max(...logits)
    const powers = logits.map((z) => exp(z - highest))
    const sum = powers.reduce((total, power) => total + power, 0)
    for (let k = 0; k < numClasses; k++) {
      const p = powers[k]! / sum
      probabilities[i * numClasses + k] = p
      values[i * numClasses + k] = p - Number(k === label)
    }
  }
  return { probabilities, values }
}

/** Gradient of a row's loss by the head: class after class, a bias behind the features. */
function gradientOf({ x, size, numClasses }: FeatureRows, residual: Float64Array, row: number): Float64Array {
  const wide = size + 1
  const gradient = new Float64Array(numClasses * wide)
  for (let k = 0; k < numClasses; k++) {
    const error = residual[row * numClasses + k]!
    for (let j = 0; j < size; j++) gradient[k * wide + j] = error * x[row * size + j]!
    gradient[k * wide + size] = error
  }
  return gradient
}

function meanGradient(rows: FeatureRows, residual: Float64Array): Float64Array {
  const mean = new Float64Array(rows.numClasses * (rows.size + 1))
  for (let i = 0; i < rows.ids.length; i++)
    gradientOf(rows, residual, i).forEach((value, k) => (mean[k]! += value / rows.ids.length))
  return mean
}

/** Mean of (diag p − p·pᵀ) ⊗ f·fᵀ over the rows, with damping, factorised. */
async function hessian(
  { x, size, labels, numClasses }: FeatureRows,
  probabilities: Float64Array,
  damping: number,
  run: RunContext,
): Promise<Factor> {
  const wide = size + 1
  const n = wide * numClasses
  const matrix = new Float64Array(n * n)
  const f = new Float64Array(wide)
  f[size] = 1
  const rows = labels.length
  for (let i = 0; i < rows; i++) {
    if (i % 256 === 0) {
      await nextTask()
      throwIfCancelled(run)
      run.onStep?.(i + 1, rows)
    }
    for (let j = 0; j < size; j++) f[j] = x[i * size + j]!
    for (let a = 0; a < numClasses; a++)
      for (let b = 0; b <= a; b++) {
        const p = probabilities[i * numClasses + a]!
        const weight = (Number(a === b) * p - p * probabilities[i * numClasses + b]!) / rows
        for (let j = 0; j < wide; j++) {
          const factor = weight * f[j]!
          if (factor === 0) continue
          const from = (a * wide + j) * n + b * wide
          for (let k = 0; k < wide; k++) matrix[from + k]! += factor * f[k]!
        }
      }
  }
  for (let k = 0; k < n; k++) matrix[k * n + k]! += damping
  return cholesky(matrix, n)
}

const dot = (a: Float64Array, b: Float64Array) => {
  let sum = 0
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!
  return sum
}

function checkFit(features: FeatureRows, { kernel, bias }: Head): void {
  checkFeatures('influence', features)
  const { size, numClasses } = features
  if (kernel.length !== size * numClasses || bias.length !== numClasses)
    throw new PerturbError(
      'bad-input',
      `influence: ${size} features and ${numClasses} classes need a last layer of ${size * numClasses} weights and ${numClasses} biases; got ${kernel.length} and ${bias.length}`,
    )
  if ((size + 1) * numClasses > mostWeights)
    throw new PerturbError(
      'bad-input',
      `influence: the last layer has ${(size + 1) * numClasses} weights, more than the ${mostWeights} whose Hessian can be factorised; use a narrower layer`,
    )
}
