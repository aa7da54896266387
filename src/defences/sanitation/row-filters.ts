/**
 * Filters of a training set that ask the model which was trained on it, by name: what benches offer and programs call.
 * Each is its own file's algorithm; here stands what it is given, and how its scores are made to compare between classes.
 */
import { PerturbError } from '../../core/errors.ts'
import type { RunContext } from '../../core/run.ts'
import { placesOf, type LabelledRows } from '../../data/labelled-rows.ts'
import { featuresOf } from '../../models/features.ts'
import type { Model } from '../../models/model.ts'
import { stripEntropies, stripThreshold } from '../detection/strip.ts'
import { activationClustering, activationClusteringDefaults } from './activation-clustering.ts'
import { deepKnnSuspicion } from './deep-knn.ts'
import { rowFilterNames, stripOverlays, type RowFilterName } from './filter-names.ts'
import { spectralSuspicion } from './spectral.ts'
import type { Suspicion } from './suspicion.ts'

export interface FilterInput {
  /** Trained on `rows`. Borrowed. */
  model: Model
  rows: LabelledRows
  /** Rows known to be right: STRIP lays them over, and learns from them what is usual. */
  trusted?: LabelledRows
}

/**
 * Share of the trusted rows that STRIP may turn away. As a watch on inputs 1 % is usual; rows are looked at again before they
 * fall, so that the filter may be generous.
 */
const falseRejections = 0.05
const neighbours = 10

/**
 * One score a row, the higher the more suspicious, comparable between classes, and the rows that the filter's own rule
 * picks. Throws `bad-input` for a name that no filter has, for STRIP without two trusted rows, and as the filter does.
 */
export async function filterRows(
  name: RowFilterName,
  { model, rows, trusted }: FilterInput,
  run: RunContext,
): Promise<Suspicion> {
  switch (name) {
    case 'activation-clustering':
      return clusterScores(await featuresOf(model, rows), run.seed)
    case 'spectral': {
      const { scores, flaggedIds } = spectralSuspicion(await featuresOf(model, rows))
      return { scores: perClassMean(scores, rows), flaggedIds }
    }
    case 'deep-knn':
      return deepKnnSuspicion(await featuresOf(model, rows), { neighbours }, run)
    case 'strip': {
      if (!trusted || trusted.ids.length < 2)
        throw new PerturbError(
          'bad-input',
          'strip: expected at least two trusted rows to lay over the others',
        )
      const entropies = await stripEntropies(model, rows.x, trusted.x, { overlays: stripOverlays }, run)
      const usual = await stripEntropies(
        model,
        trusted.x,
        trusted.x,
        { overlays: stripOverlays },
        { ...run, onStep: undefined },
      )
      const threshold = stripThreshold(usual, falseRejections)
      return {
        scores: entropies.map((entropy) => -entropy),
        flaggedIds: rows.ids.filter((_, place) => entropies[place]! < threshold),
      }
    }
    default:
      throw new PerturbError(
        'bad-input',
        `there is no filter "${String(name)}"; the filters are ${rowFilterNames.join(', ')}`,
      )
  }
}

/**
 * Activation clustering by its silhouette rule. The library's score is 0 or 1; here the smaller cluster of each class
 * scores by how far apart the clusters lie, so that a cut passes from the plainest class to the least plain.
 */
function clusterScores(features: Awaited<ReturnType<typeof featuresOf>>, seed: number): Suspicion {
  const { classes, flaggedIds } = activationClustering(features, {
    ...activationClusteringDefaults,
    rule: 'silhouette',
    restarts: 5,
    seed,
  })
  const scores = new Float64Array(features.ids.length)
  for (const one of classes) {
    if (!one) continue
    const smaller = one.sizes[0]! < one.sizes[1]! ? 0 : 1
    one.of.forEach((cluster, i) => {
      if (cluster === smaller) scores[one.places[i]!] = Math.max(0, one.silhouette)
    })
  }
  return { scores, flaggedIds }
}

/** Squared projections grow with a class's own spread; divided by their mean they compare. */
function perClassMean(scores: Float64Array, rows: LabelledRows): Float64Array {
  const result = scores.slice()
  for (let label = 0; label < rows.numClasses; label++) {
    const places = placesOf(rows, label)
    const mean = places.reduce((sum, place) => sum + scores[place]!, 0) / Math.max(1, places.length)
    for (const place of places) result[place] = mean > 0 ? scores[place]! / mean : 0
  }
  return result
}
