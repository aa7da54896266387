/**
 * Activation clustering: within a poisoned class the model has two reasons for one answer, and its
 * activations fall into two clusters. Chen, Carvalho, Baracaldo, Ludwig, Edwards, Lee, Molloy, Srivastava
 * 2018, "Detecting Backdoor Attacks on Deep Neural Networks by Activation Clustering", Alg. 2,
 * arXiv:1811.03728.
 *
 * Differs from the paper: dimensions are reduced by principal components, the Adversarial Robustness
 * Toolbox's default, where the paper takes independent ones. Four rules say which cluster is poison; `size`
 * accuses the smaller cluster of *every* class, clean ones too.
 */
import { principalComponents, projected } from '../../core/eigen.ts'
import { kMeans, meanOf, silhouettes } from '../../core/k-means.ts'
import { checkFeatures, classFeatures, type FeatureRows } from './features.ts'
import type { Suspicion } from './suspicion.ts'

export interface ActivationClusteringOptions {
  /** Principal components that are kept; the paper's 10. */
  dimensions: number
  /**
   * size: the smaller cluster is poison. relative-size: a cluster below `sizeThreshold` of its class is.
   * silhouette: such a cluster is, if the clusters lie apart by more than `silhouetteThreshold`. distance: a
   * cluster is whose median lies nearer to another class than to its own while the other cluster's does not.
   */
  rule: 'size' | 'relative-size' | 'silhouette' | 'distance'
  sizeThreshold: number
  silhouetteThreshold: number
  /** Starts of the clustering, of which the best counts. */
  restarts: number
  seed: number
}

export const activationClusteringDefaults: ActivationClusteringOptions = {
  dimensions: 10,
  rule: 'relative-size',
  sizeThreshold: 0.35,
  silhouetteThreshold: 0.1,
  restarts: 20,
  seed: 0,
}

export interface ClassClusters {
  /** Places of the class's rows among all. */
  places: number[]
  /** Rows × dimensions, the principal components. */
  reduced: Float64Array
  variances: Float64Array
  /** Cluster of each row, 0 or 1; the first row is in cluster 0. */
  of: Int32Array
  sizes: Int32Array
  inertia: number
  /** Of each row, and their mean: how far apart the clusters lie. */
  silhouettes: Float64Array
  silhouette: number
  /** Is the cluster poison, by the rule? */
  poison: readonly [boolean, boolean]
}

export interface ClusterSuspicion extends Suspicion {
  /** One a class; undefined for a class of fewer than two rows, which has no clusters. */
  classes: (ClassClusters | undefined)[]
}

/**
 * A row's score is 1 in an accused cluster, else 0. Looks at every pair of rows of a class. Throws RangeError
 * for thresholds outside [0, 1] (silhouettes: [−1, 1]) and for dimensions or restarts below 1; `bad-input`
 * for features that do not fit or are not finite.
 */
export function activationClustering(
  features: FeatureRows,
  options: Partial<ActivationClusteringOptions> = {},
): ClusterSuspicion {
  const settings = { ...activationClusteringDefaults, ...options }
  checkOptions(settings)
  checkFeatures('activation-clustering', features)
  const { size, numClasses } = features
  const own = Array.from({ length: numClasses }, (_, label) => classFeatures(features, label))
  const clustered = own.map(({ places, x }) => {
    if (places.length < 2) return undefined
    const components = principalComponents(x, size, settings.dimensions)
    const reduced = projected(x, components)
    const wide = components.directions.length
    const { of, sizes, inertia } = kMeans(reduced, wide, 2, settings)
    const each = silhouettes(reduced, wide, of)
    return {
      places,
      reduced,
      variances: components.variances,
      of,
      sizes,
      inertia,
      silhouettes: each,
      silhouette: meanOf(each),
    }
  })
  const middles = own.map(({ x }) => medianRow(x, size, () => true))
  const classes = clustered.map((one, label): ClassClusters | undefined => {
    if (!one) return undefined
    const poison: [boolean, boolean] =
      settings.rule === 'distance'
        ? nearerToOthers(own[label]!.x, size, one.of, middles, label)
        : [accused(one, 0, settings), accused(one, 1, settings)]
    return { ...one, poison }
  })
  const scores = new Float64Array(features.ids.length)
  for (const one of classes)
    one?.of.forEach((cluster, i) => (scores[one.places[i]!] = Number(one.poison[cluster as 0 | 1])))
  return { scores, flaggedIds: features.ids.filter((_, place) => scores[place] === 1), classes }
}

function accused(
  { sizes, silhouette }: Pick<ClassClusters, 'sizes' | 'silhouette'>,
  cluster: 0 | 1,
  { rule, sizeThreshold, silhouetteThreshold }: ActivationClusteringOptions,
): boolean {
  const [here, other] = [sizes[cluster]!, sizes[1 - cluster]!]
  if (here === 0) return false
  if (rule === 'size') return other > 0 && (here < other || (here === other && cluster === 0))
  const share = here / (here + other)
  // ART rounds shares to two digits before it compares, and silhouettes to four.
  if (rule === 'relative-size') return Math.round(share * 100) / 100 < sizeThreshold
  return share < sizeThreshold && Math.round(silhouette * 1e4) / 1e4 > silhouetteThreshold
}

/** ART's analysis by distance, on medians of the features that were not reduced. */
function nearerToOthers(
  x: Float64Array,
  size: number,
  of: Int32Array,
  middles: (Float64Array | undefined)[],
  label: number,
): [boolean, boolean] {
  const centres = [0, 1].map((cluster) => medianRow(x, size, (i) => of[i] === cluster))
  const poison: [boolean, boolean] = [false, false]
  if (!centres[0] || !centres[1]) return poison
  const toOwn = centres.map((centre) => apart(centre!, middles[label]!))
  for (const [k, middle] of middles.entries()) {
    if (k === label || !middle) continue
    const nearer = centres.map((centre, c) => apart(centre!, middle) < toOwn[c]!)
    const farther = centres.map((centre, c) => apart(centre!, middle) > toOwn[c]!)
    if (nearer[0] && farther[1]) poison[0] = true
    if (nearer[1] && farther[0]) poison[1] = true
  }
  return poison
}

/** The median of each feature over the rows that hold; undefined for none. */
function medianRow(x: Float64Array, size: number, holds: (row: number) => boolean): Float64Array | undefined {
  const rows = Array.from({ length: x.length / size }, (_, i) => i).filter(holds)
  if (rows.length === 0) return undefined
  return Float64Array.from({ length: size }, (_, k) => {
    const sorted = Float64Array.from(rows, (i) => x[i * size + k]!).sort()
    const half = (sorted.length - 1) / 2
    return (sorted[Math.floor(half)]! + sorted[Math.ceil(half)]!) / 2
  })
}

const apart = (a: Float64Array, b: Float64Array) =>
  Math.sqrt(a.reduce((sum, value, k) => sum + (value - b[k]!) ** 2, 0))

function checkOptions(settings: ActivationClusteringOptions): void {
  for (const name of ['dimensions', 'restarts'] as const)
    if (!(Number.isInteger(settings[name]) && settings[name] >= 1))
      throw new RangeError(
        `activation-clustering: ${name} must be a whole number of at least 1; got ${settings[name]}`,
      )
  if (!(settings.sizeThreshold >= 0 && settings.sizeThreshold <= 1))
    throw new RangeError(
      `activation-clustering: sizeThreshold must lie in [0, 1]; got ${settings.sizeThreshold}`,
    )
  if (!(settings.silhouetteThreshold >= -1 && settings.silhouetteThreshold <= 1))
    throw new RangeError(
      `activation-clustering: silhouetteThreshold must lie in [−1, 1]; got ${settings.silhouetteThreshold}`,
    )
}
