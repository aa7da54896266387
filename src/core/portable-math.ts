/**
 * Logarithm and exponential from additions, multiplications and divisions alone. IEEE 754 prescribes every
 * bit of those and leaves Math.log and Math.exp to the engine, so what decides a verdict is made of these:
 * the same bits in every browser and in Node. Within two units of the last digit of the true value.
 */

/** ln 2 in two parts; the first has 32 bits, so that a whole number times it is exact. */
const ln2High = 0.6931471803691238
const ln2Low = 1.9082149292705877e-10

/** Natural logarithm; −∞ at 0, NaN below. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN
  if (x === Infinity) return Infinity
  // x = m · 2^k with m between √½ and √2; powers of two cost no digit.
  let [m, k] = [x, 0]
  for (; m >= 2 ** 32; k += 32) m /= 2 ** 32
  for (; m < 2 ** -32; k -= 32) m *= 2 ** 32
  for (; m > Math.SQRT2; k++) m /= 2
  for (; m < Math.SQRT1_2; k--) m *= 2
  // ln m = 2 artanh s, s = (m − 1) / (m + 1), |s| < 0.172.
  const s = (m - 1) / (m + 1)
  const square = s * s
  let series = 0
  for (let i = 25; i >= 3; i -= 2) series = (series + 1 / i) * square
  return k * ln2High + (2 * s + (2 * s * series + k * ln2Low))
}

/** e to the power of x. */
export function exp(x: number): number {
  if (Number.isNaN(x)) return NaN
  if (x > 709.79) return Infinity
  if (x < -745.2) return 0
  const k = Math.round(x / (ln2High + ln2Low))
  const r = x - k * ln2High - k * ln2Low
  // Taylor, |r| < 0.35.
  let series = 1
  for (let i = 17; i >= 1; i--) series = 1 + (r * series) / i
  return scale(series, k)
}

/** x · 2^k, without a power that overflows before its time. */
function scale(x: number, k: number): number {
  for (; k > 1000; k -= 1000) x *= 2 ** 1000
  for (; k < -1000; k += 1000) x *= 2 ** -1000
  return x * 2 ** k
}

/** sin(2π · turns): exactly 0, ±1 at the quarter turns. */
export function sinTurns(turns: number): number {
  // The fraction of a turn is exact; folded to an eighth on either side of 0 or of a quarter turn.
  let t = turns - Math.floor(turns)
  let sign = 1
  if (t >= 0.5) [t, sign] = [t - 0.5, -1]
  if (t > 0.25) t = 0.5 - t
  return sign * (t <= 0.125 ? sine(2 * Math.PI * t) : cosine(2 * Math.PI * (0.25 - t)))
}

/** Taylor, |x| ≤ π/4. */
function sine(x: number): number {
  const square = x * x
  let series = 1
  for (let i = 18; i >= 2; i -= 2) series = 1 - (square * series) / (i * (i + 1))
  return x * series
}
function cosine(x: number): number {
  const square = x * x
  let series = 1
  for (let i = 18; i >= 2; i -= 2) series = 1 - (square * series) / (i * (i - 1))
  return series
}
