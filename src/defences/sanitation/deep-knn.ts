/**
 * Deep k-NN: a row is dropped when, among its nearest in the model's features, another label is more common
 * than its own. Made against clean-label poison, whose label is right and whose features lie among the
 * target's class. Peri, Gupta, Huang, Fowl, Zhu, Feizi, Goldstein, Dickerson 2020, "Deep k-NN Defense Against
 * Clean-label Data Poisoning Attacks", §4, arXiv:1909.13374.
 *
 * It costs honest rows that lie near a border. Whoever plants more poison than k in one place is each other's
 * neighbourhood.
 */
import type { RunContext } from '../../core/run.ts'
import { checkFeatures, type FeatureRows } from './features.ts'
import { knnSuspicion, type KnnSuspicion } from './knn.ts'

/**
 * Scores are shares as in knnSuspicion. Throws as it does, and `bad-input` for features that do not fit or
 * are not finite.
 */
export async function deepKnnSuspicion(
  features: FeatureRows,
  { neighbours }: { neighbours: number },
  run: RunContext,
): Promise<KnnSuspicion> {
  checkFeatures('deep-knn', features)
  const { ids, labels, numClasses, size } = features
  const rows = { ids, labels, numClasses, shape: [size], x: Float32Array.from(features.x) }
  const asked = await knnSuspicion(rows, { neighbours, confidence: 1 }, run)
  return { ...asked, flaggedIds: ids.filter((_, place) => asked.scores[place]! > asked.own[place]!) }
}
