import { meanOf } from '../../../core/k-means.ts'
import {
  activationClustering,
  type ActivationClusteringOptions,
} from '../../../defences/sanitation/activation-clustering.ts'
import type { FeatureRows } from '../../../defences/sanitation/features.ts'
import { quantile, spectralSuspicion } from '../../../defences/sanitation/spectral.ts'
import { areaUnderRoc } from '../../../metrics/poisoning.ts'
import { argument, numbersIn } from '../aggregates.ts'
import { PackError, type Json } from '../json.ts'
import { compare, type Verify } from '../verify.ts'

/**
 * The paper's and the library's spectral signatures, then activation clustering with its four rules, class by
 * class.
 */
export const verify: Verify = async function* (file) {
  const inputs = file.get('inputs')
  const rows = matrix(inputs.get('activations'))
  const features: FeatureRows = {
    ids: Int32Array.from(rows.keys()),
    x: Float64Array.from(rows.flat()),
    size: rows[0]!.length,
    labels: Int32Array.from(column(inputs.get('labels'))),
    numClasses: Math.max(...column(inputs.get('labels'))) + 1,
  }
  const poison = column(inputs.get('is_poison'))
  const inClass = (label: number, values: ArrayLike<number>) =>
    Array.from(values).filter((_, place) => features.labels[place] === label)
  const expected = file.get('expected')

  const spectral = expected.get('spectral')
  const call = spectral.get('call')
  const [relative] = numbersIn(spectral.get('tolerance'), /([\d.e-]+) relative on scores/) as [number]
  const options = {
    poisonShare: argument(call, 'expected_pp_poison'),
    multiplier: argument(call, 'eps_multiplier'),
  }
  const paper = spectralSuspicion(features, { ...options, variant: 'paper' })
  const art = spectralSuspicion(features, { ...options, variant: 'art' })
  for (const [name, said] of spectral.get('per_class').entries()) {
    const label = classOf(said, name)
    const relativeTo = (key: string, got: ArrayLike<number>) => {
      const wanted = column(said.get(key))
      return compare(
        `spectral, ${name}: ${key}`,
        Array.from(got, (value, i) => value / Math.max(Math.abs(wanted[i] ?? 1), 1e-9)),
        wanted.map((value) => value / Math.max(Math.abs(value), 1e-9)),
        relative,
      )
    }
    yield relativeTo('art_scores', inClass(label, art.scores))
    yield relativeTo('paper_scores_centred_squared', inClass(label, paper.scores))
    yield relativeTo('top_singular_values', paper.spectra[label]!.slice(0, 3))
    yield compare(
      `spectral, ${name}: top_right_singular_vector_sign_free`,
      paper.directions[label]!.map(Math.abs),
      column(said.get('top_right_singular_vector_sign_free')).map(Math.abs),
      relative,
    )
    yield compare(
      `spectral, ${name}: art_cutoff_quantile`,
      [quantile(inClass(label, art.scores), 1 - options.multiplier * options.poisonShare)],
      [said.get('art_cutoff_quantile').number()],
      relative * said.get('art_cutoff_quantile').number(),
    )
    yield compare(
      `spectral, ${name}: paper_flags`,
      inClass(label, flags(paper.flaggedIds, features)),
      column(said.get('paper_flags_top_floor_1p5_eps_n')),
      0,
    )
    for (const [key, { scores }] of [
      ['auc_art', art],
      ['auc_paper', paper],
    ] as const) {
      const area = areaUnderRoc(inClass(label, scores), inClass(label, poison))
      // No area where a class holds no poison: the file says null.
      if (said.get(key).value === null)
        yield compare(`spectral, ${name}: ${key}`, [Number(Number.isNaN(area))], [1], 0)
      else yield compare(`spectral, ${name}: ${key}`, [area], [said.get(key).number()], 1e-12)
    }
  }
  yield compare(
    'spectral: art_is_clean_all_rows',
    flags(art.flaggedIds, features).map((flag) => 1 - flag),
    column(spectral.get('art_is_clean_all_rows')),
    0,
  )

  const clustering = expected.get('activation_clustering')
  const [inertia, component] = numbersIn(
    clustering.get('tolerance'),
    /inertia ([\d.e-]+) relative; PCA columns up to sign, ([\d.e-]+)/,
  ) as [number, number]
  const [sizeThreshold] = numbersIn(clustering.get('call'), /relative_size\(([\d.]+)\)/) as [number]
  const settings = { dimensions: argument(clustering.get('call'), 'nb_dims'), sizeThreshold }
  const ruled = (rule: ActivationClusteringOptions['rule']) =>
    activationClustering(features, { ...settings, rule })
  const bySize = ruled('size')
  for (const [name, said] of clustering.get('per_class').entries()) {
    const label = classOf(said, name)
    const found = bySize.classes[label]!
    yield compare(
      `clustering, ${name}: partition`,
      found.of,
      column(said.get('best_partition_first_row_is_0')),
      0,
    )
    yield compare(`clustering, ${name}: sizes`, found.sizes, column(said.get('cluster_sizes')), 0)
    yield compare(
      `clustering, ${name}: inertia`,
      [found.inertia],
      [said.get('inertia').number()],
      inertia * said.get('inertia').number(),
    )
    yield compare(
      `clustering, ${name}: silhouette`,
      [meanOf(found.silhouettes)],
      [said.get('silhouette').number()],
      component,
    )
    const small = column(said.get('smaller_cluster_flag'))
    const flagged = inClass(label, flags(bySize.flaggedIds, features))
    yield compare(`clustering, ${name}: smaller cluster`, flagged, small, 0)
    const caught = inClass(label, poison).filter((bad, i) => bad && flagged[i]).length
    yield compare(
      `clustering, ${name}: poison and honest rows in it`,
      [caught, flagged.filter(Boolean).length - caught],
      [said.get('poison_in_small').number(), said.get('clean_in_small').number()],
      0,
    )
    const variances = column(said.get('pca_explained_variance'))
    yield compare(`clustering, ${name}: explained variance`, found.variances, variances, component)
    const three = matrix(said.get('pca_abs_first_3_components'))
    yield compare(
      `clustering, ${name}: first three components`,
      three.flatMap((_, i) => [0, 1, 2].map((c) => Math.abs(found.reduced[i * variances.length + c]!))),
      three.flat(),
      component,
    )
  }
  for (const [key, rule] of [
    ['assigned_clean_by_size', 'size'],
    ['assigned_clean_by_relative_size', 'relative-size'],
    ['assigned_clean_by_distance', 'distance'],
  ] as const) {
    const clean = flags(ruled(rule).flaggedIds, features).map((flag) => 1 - flag)
    const wanted = ragged(clustering.get(key))
    yield compare(
      `clustering: ${key}`,
      wanted.flatMap((_, label) => inClass(label, clean)),
      wanted.flat(),
      0,
    )
  }
  // By silhouette a row of a class under suspicion is as clean as its own silhouette says.
  const silhouette = ruled('silhouette')
  const clean = silhouette.classes.flatMap((found) =>
    Array.from(found!.of, (cluster, i) => {
      if (found!.poison[cluster as 0 | 1]) return 0
      return found!.poison.some(Boolean) ? found!.silhouettes[i]! : 1
    }),
  )
  const wanted = ragged(clustering.get('assigned_clean_by_silhouette'))
  yield compare('clustering: assigned_clean_by_silhouette', clean, wanted.flat(), component)
  yield compare(
    'clustering: art_detect_poison_is_clean',
    flags(bySize.flaggedIds, features).map((flag) => 1 - flag),
    column(clustering.get('art_detect_poison_is_clean')),
    0,
  )
}

/** 1 for a flagged row, else 0; ids are places here. */
const flags = (flaggedIds: Int32Array, { ids }: FeatureRows): number[] => {
  const flagged = new Set(flaggedIds)
  return Array.from(ids, (id) => Number(flagged.has(id)))
}

function classOf(said: Json, name: string): number {
  const found = /^class(\d+)$/.exec(name)
  if (!found) throw new PackError(`${said.where}: expected a class by its number; got "${name}"`)
  return Number(found[1])
}

/** Numbers in double precision, flags as 1 and 0; Json.numbers would round them to float32. */
function column(json: Json): number[] {
  if (!Array.isArray(json.value)) throw new PackError(`${json.where}: expected a list`)
  return json.value.map((value, i) => {
    if (typeof value === 'boolean') return Number(value)
    if (typeof value === 'number' && Number.isFinite(value)) return value
    throw new PackError(`${json.where}[${i}]: expected a number; got ${JSON.stringify(value)}`)
  })
}

/** Rows of one length. */
function matrix(json: Json): number[][] {
  const rows = ragged(json)
  if (rows.length === 0 || rows.some((row) => row.length !== rows[0]!.length))
    throw new PackError(`${json.where}: expected rows of one length`)
  return rows
}

function ragged(json: Json): number[][] {
  if (!Array.isArray(json.value)) throw new PackError(`${json.where}: expected a list of lists`)
  return json.value.map((_, i) => column(json.at(i)))
}
