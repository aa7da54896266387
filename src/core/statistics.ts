/**
 * The few functions of statistics that a certificate or a test stands on, each to about 1e-13 or better.
 * Nothing here depends on the engine's Math.log or Math.exp: see portable-math.ts.
 */
import { exp, log } from './portable-math.ts'

/** Inverse of the standard normal distribution function: Φ⁻¹(0) = −∞, Φ⁻¹(½) = 0, Φ⁻¹(1) = ∞. Wichura 1988, AS 241, PPND16. */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`normalQuantile: p must be from 0 to 1; got ${p}`)
  if (p === 0) return -Infinity
  if (p === 1) return Infinity
  const q = p - 0.5
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q
    return (q * polynomial(central.above, r)) / polynomial(central.below, r)
  }
  const r = Math.sqrt(-log(q < 0 ? p : 1 - p))
  const value =
    r <= 5
      ? polynomial(middle.above, r - 1.6) / polynomial(middle.below, r - 1.6)
      : polynomial(far.above, r - 5) / polynomial(far.below, r - 5)
  return q < 0 ? -value : value
}

/** Coefficients, lowest power first. */
const central = {
  above: [
    3.387132872796366608, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
    4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
  ],
  below: [
    1, 4.2313330701600911252e1, 6.871870074920579083e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
    3.930789580009271061e4, 2.8729085735721942674e4, 5.226495278852545925e3,
  ],
}
const middle = {
  above: [
    1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
    1.27045825245236838258, 2.4178072517745061177e-1, 2.27238449892691845833e-2, 7.7454501427834140764e-4,
  ],
  below: [
    1, 2.05319162663775882187, 1.6763848301838038494, 6.8976733498510000455e-1, 1.4810397642748007459e-1,
    1.51986665636164571966e-2, 5.475938084995344946e-4, 1.05075007164441684324e-9,
  ],
}
const far = {
  above: [
    6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 2.9656057182850489123e-1,
    2.6532189526576123093e-2, 1.2426609473880784386e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
  ],
  below: [
    1, 5.9983220655588793769e-1, 1.3692988092273580531e-1, 1.48753612908506148525e-2, 7.868691311456132591e-4,
    1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15,
  ],
}

const polynomial = (coefficients: readonly number[], x: number) =>
  coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0)

/** ln Γ(x), x > 0: Stirling's series (Abramowitz & Stegun 6.1.41), small x lifted above 10 first. */
export function logGamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`logGamma: x must be positive; got ${x}`)
  let product = 1
  for (; x < 10; x++) product *= x
  const inverse = 1 / (x * x)
  const series = polynomial(
    [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400],
    inverse,
  )
  return (x - 0.5) * log(x) - x + halfLogTwoPi + series / x - log(product)
}
const halfLogTwoPi = 0.9189385332046727

/** Regularised incomplete beta function I_x(a, b): the distribution function of Beta(a, b), a and b positive. */
export function betaCdf(x: number, a: number, b: number): number {
  if (!(a > 0 && b > 0)) throw new RangeError(`betaCdf: a and b must be positive; got ${a} and ${b}`)
  if (!(x >= 0 && x <= 1)) throw new RangeError(`betaCdf: x must be from 0 to 1; got ${x}`)
  if (x === 0 || x === 1) return x
  // The fraction converges fast on one side of the mean; the other side is its mirror image.
  return x < (a + 1) / (a + b + 2) ? lowerTail(x, a, b) : 1 - lowerTail(1 - x, b, a)
}

/** I_x(a, b) by its continued fraction (Abramowitz & Stegun 26.5.8), evaluated as Lentz does. */
function lowerTail(x: number, a: number, b: number): number {
  const front = exp(a * log(x) + b * log(1 - x) + logGamma(a + b) - logGamma(a) - logGamma(b)) / a
  const tiny = 1e-300
  const guard = (value: number) => (Math.abs(value) < tiny ? tiny : value)
  let c = 1
  let d = 1 / guard(1 - ((a + b) * x) / (a + 1))
  let fraction = d
  for (let m = 1; m <= 100_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / guard(1 + even * d)
    c = guard(1 + even / c)
    fraction *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / guard(1 + odd * d)
    c = guard(1 + odd / c)
    fraction *= d * c
    if (Math.abs(d * c - 1) < 1e-16) break
  }
  return front * fraction
}

/** The x with I_x(a, b) = p, by halving: 0 ≤ p ≤ 1, a and b positive. */
export function betaQuantile(p: number, a: number, b: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`betaQuantile: p must be from 0 to 1; got ${p}`)
  if (!(a > 0 && b > 0)) throw new RangeError(`betaQuantile: a and b must be positive; got ${a} and ${b}`)
  if (p === 0 || p === 1) return p
  let [low, high] = [0, 1]
  for (let i = 0; i < 1100; i++) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) break
    if (betaCdf(middle, a, b) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/**
 * Clopper–Pearson: the largest p̲ such that a share below it would produce `hits` or more of `trials` with
 * probability at most alpha. One-sided: the true share lies above it with confidence 1 − alpha.
 * Throws RangeError unless 0 ≤ hits ≤ trials are whole, trials ≥ 1, and 0 < alpha < 1.
 */
export function binomialLowerBound(hits: number, trials: number, alpha: number): number {
  checkCounts('binomialLowerBound', hits, trials)
  if (!(alpha > 0 && alpha < 1))
    throw new RangeError(`binomialLowerBound: alpha must lie between 0 and 1; got ${alpha}`)
  if (hits === 0) return 0
  if (hits === trials) return exp(log(alpha) / trials)
  return betaQuantile(alpha, hits, trials - hits + 1)
}

/** The upper end, in the same way: the true share lies below it with confidence 1 − alpha. */
export function binomialUpperBound(hits: number, trials: number, alpha: number): number {
  checkCounts('binomialUpperBound', hits, trials)
  return 1 - binomialLowerBound(trials - hits, trials, alpha)
}

/** Two-sided exact binomial test of a fair coin: how likely a split at least as uneven as this is. */
export function fairCoinTest(hits: number, trials: number): number {
  checkCounts('fairCoinTest', hits, trials)
  const more = Math.max(hits, trials - hits)
  return 2 * more === trials ? 1 : Math.min(1, 2 * betaCdf(0.5, more, trials - more + 1))
}

function checkCounts(name: string, hits: number, trials: number): void {
  if (!(Number.isSafeInteger(trials) && trials >= 1))
    throw new RangeError(`${name}: trials must be a whole number of at least 1; got ${trials}`)
  if (!(Number.isSafeInteger(hits) && hits >= 0 && hits <= trials))
    throw new RangeError(`${name}: hits must be a whole number from 0 to ${trials}; got ${hits}`)
}

/**
 * Shapiro–Wilk's W: 1 for a sample spread like a normal distribution, less the less it is. Royston 1992, "Approximating
 * the Shapiro–Wilk W-test for non-normality", from 3 values on; equal values give 1 (nothing to tell).
 * Throws RangeError for fewer than three, and for a value that is not finite.
 */
export function shapiroWilk(values: readonly number[]): number {
  const n = values.length
  if (n < 3) throw new RangeError(`shapiroWilk: needs at least 3 values; got ${n}`)
  const strange = values.findIndex((value) => !Number.isFinite(value))
  if (strange >= 0)
    throw new RangeError(`shapiroWilk: values must be finite; got ${values[strange]} as number ${strange}`)
  const sorted = Float64Array.from(values).sort()
  const mean = sorted.reduce((sum, value) => sum + value, 0) / n
  const spread = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  if (spread === 0) return 1
  const weights = roystonWeights(n)
  const lean = sorted.reduce((sum, value, i) => sum + weights[i]! * value, 0)
  return Math.min(1, (lean * lean) / spread)
}

/** Weights of the ordered values; they sum to 0 and their squares to 1. */
function roystonWeights(n: number): Float64Array {
  const m = Float64Array.from({ length: n }, (_, i) => normalQuantile((i + 1 - 0.375) / (n + 0.25)))
  const squares = m.reduce((sum, value) => sum + value * value, 0)
  if (n === 3) return Float64Array.of(-Math.SQRT1_2, 0, Math.SQRT1_2)
  const u = 1 / Math.sqrt(n)
  const polynomial = (...coefficients: number[]) =>
    coefficients.reduce((sum, coefficient, power) => sum + coefficient * u ** power, 0)
  const last =
    m[n - 1]! / Math.sqrt(squares) + polynomial(0, 0.221157, -0.147981, -2.07119, 4.434685, -2.706056)
  const weights = new Float64Array(n)
  const long = n > 5
  const second = long
    ? m[n - 2]! / Math.sqrt(squares) + polynomial(0, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633)
    : 0
  const rest = long
    ? (squares - 2 * m[n - 1]! ** 2 - 2 * m[n - 2]! ** 2) / (1 - 2 * last ** 2 - 2 * second ** 2)
    : (squares - 2 * m[n - 1]! ** 2) / (1 - 2 * last ** 2)
  for (let i = 0; i < n; i++) weights[i] = m[i]! / Math.sqrt(rest)
  weights[n - 1] = last
  weights[0] = -last
  if (long) {
    weights[n - 2] = second
    weights[1] = -second
  }
  return weights
}
