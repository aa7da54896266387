/**
 * From votes to a promise: what counts of noisy copies prove of a smoothed classifier (Cohen, Rosenfeld, Kolter
 * 2019, arXiv:1902.02918, §3.2). Plain arithmetic, without a tensor; the sampling is in randomised-smoothing.ts.
 */
import { binomialLowerBound, fairCoinTest, normalQuantile } from '../../core/statistics.ts'

/** What predict and certify answer when the votes do not settle it. */
export const abstain = -1

export interface Certificate {
  /** The smoothed classifier's answer, or `abstain`. */
  class: number
  /** No change of smaller L2 norm turns the answer; 0 when abstaining. */
  radius: number
  /** Votes for the class that was chosen beforehand, out of n. */
  votes: number
}

export interface CertifyOptions {
  /** Deviation of the noise, in pixel units. */
  sigma: number
  /** Noisy copies that choose the class. */
  n0: number
  /** Fresh noisy copies that bound its probability. */
  n: number
  /** Chance that a certificate is wrong. */
  alpha: number
}

/** The answer that n votes settle at level alpha, or `abstain`. */
export function winner(counts: ArrayLike<number>, alpha: number): number {
  const [first, second] = Array.from(counts, (votes, answer) => ({ votes, answer })).sort(
    (a, b) => b.votes - a.votes,
  )
  if (!first?.votes) return abstain
  const p = fairCoinTest(first.votes, first.votes + (second?.votes ?? 0))
  return p <= alpha ? first.answer : abstain
}

/** What `votes` of n noisy copies for an answer chosen beforehand prove about it. */
export function certificate(
  answer: number,
  votes: number,
  { sigma, n, alpha }: Omit<CertifyOptions, 'n0'>,
): Certificate {
  checkNoise('certificate', sigma)
  const lower = binomialLowerBound(votes, n, alpha)
  return lower < 0.5
    ? { class: abstain, radius: 0, votes }
    : { class: answer, radius: sigma * normalQuantile(lower), votes }
}

/** The largest radius that n votes can prove: all of them for one answer. */
export function ceiling({ sigma, n, alpha }: Omit<CertifyOptions, 'n0'>): number {
  return certificate(0, n, { sigma, n, alpha }).radius
}

/** Share of the images whose certificate holds the right answer at this radius or a larger one. */
export function certifiedAccuracy(
  certificates: readonly Pick<Certificate, 'class' | 'radius'>[],
  labels: ArrayLike<number>,
  radius: number,
): number {
  return (
    certificates.filter((one, i) => one.class === labels[i] && one.radius >= radius).length / labels.length
  )
}

/** Throws RangeError unless there is noise. */
export function checkNoise(name: string, sigma: number): void {
  if (!(sigma > 0 && Number.isFinite(sigma)))
    throw new RangeError(
      `${name}: sigma must be above 0; got ${sigma}. Without noise there are no votes to count`,
    )
}

/** Throws RangeError unless alpha is a chance between none and certainty. */
export function checkAlpha(name: string, alpha: number): void {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`${name}: alpha must lie between 0 and 1; got ${alpha}`)
}
