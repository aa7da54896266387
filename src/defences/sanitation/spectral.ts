/**
 * Spectral signatures: poison is a second crowd within its class, and the direction in which the class varies
 * most is likely to point at it. Tran, Li, Madry 2018, "Spectral Signatures in Backdoor Attacks", Alg. 1,
 * arXiv:1811.00636.
 *
 * It picks from every class, poisoned or not, by construction: with 1.5 times as many picks as poison,
 * precision cannot exceed ⅔.
 */
import { principalComponents } from '../../core/eigen.ts'
import { wholeShare } from '../../attacks/flips.ts'
import { checkFeatures, classFeatures, type FeatureRows } from './features.ts'
import { highestFirst, type Suspicion } from './suspicion.ts'

export interface SpectralOptions {
  /** Largest share of a class that may be poison; the paper's ε. */
  poisonShare: number
  /** How many times that share is picked; the paper's 1.5. */
  multiplier: number
  /**
   * paper: the squared projection of the centred row, the ⌊multiplier · poisonShare · n⌋ highest picked. art:
   * as the Adversarial Robustness Toolbox does it, the absolute projection of the row that was not centred,
   * picked from the quantile 1 − multiplier · poisonShare up.
   */
  variant: 'paper' | 'art'
}

export const spectralDefaults: SpectralOptions = { poisonShare: 0.1, multiplier: 1.5, variant: 'paper' }

export interface SpectralSuspicion extends Suspicion {
  /**
   * The singular values of each class's centred rows, largest first (empty for a class of fewer than two
   * rows): its spectrum.
   */
  spectra: Float64Array[]
  /** The direction that rows of each class were projected on. */
  directions: (Float64Array | undefined)[]
}

/**
 * Scores compare within a class, not between classes. A class of fewer than two rows has no spectrum: its
 * scores are 0 and nobody is picked. Throws RangeError when poisonShare is outside [0, 1] or multiplier
 * negative; `bad-input` for features that do not fit or are not finite.
 */
export function spectralSuspicion(
  features: FeatureRows,
  options: Partial<SpectralOptions> = {},
): SpectralSuspicion {
  const { poisonShare, multiplier, variant } = { ...spectralDefaults, ...options }
  if (!(poisonShare >= 0 && poisonShare <= 1))
    throw new RangeError(`spectral: poisonShare must lie in [0, 1]; got ${poisonShare}`)
  if (!(multiplier >= 0)) throw new RangeError(`spectral: multiplier must be at least 0; got ${multiplier}`)
  checkFeatures('spectral', features)

  const { size } = features
  const scores = new Float64Array(features.ids.length)
  const picked = new Set<number>()
  const spectra: Float64Array[] = []
  const directions: (Float64Array | undefined)[] = []
  for (let label = 0; label < features.numClasses; label++) {
    const { places, x } = classFeatures(features, label)
    if (places.length < 2) {
      spectra.push(new Float64Array(0))
      directions.push(undefined)
      continue
    }
    const { mean, directions: found, singularValues } = principalComponents(x, size)
    const direction = found[0]!
    spectra.push(singularValues)
    directions.push(direction)
    const own = Float64Array.from(places, (_, i) => {
      let along = 0
      for (let k = 0; k < size; k++)
        along += direction[k]! * (x[i * size + k]! - (variant === 'paper' ? mean[k]! : 0))
      return variant === 'paper' ? along * along : Math.abs(along)
    })
    own.forEach((score, i) => (scores[places[i]!] = score))
    const share = Math.min(1, multiplier * poisonShare)
    const suspicious =
      variant === 'paper'
        ? highestFirst(own).slice(0, wholeShare(share, places.length))
        : [...own.keys()].filter((i) => own[i]! >= quantile(own, 1 - share))
    for (const i of suspicious) picked.add(places[i]!)
  }
  return { scores, flaggedIds: features.ids.filter((_, place) => picked.has(place)), spectra, directions }
}

/** Linear between the two nearest of the ordered values, as numpy's. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort()
  const at = share * (sorted.length - 1)
  const below = Math.floor(at)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!)
}
