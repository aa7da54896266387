/** Filters that look at features; that they agree with other libraries is in tests/reference. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRng } from '../../../src/core/rng.ts'
import { activationClustering } from '../../../src/defences/sanitation/activation-clustering.ts'
import type { FeatureRows } from '../../../src/defences/sanitation/features.ts'
import { quantile, spectralSuspicion } from '../../../src/defences/sanitation/spectral.ts'
import { runs } from '../../helpers/runs.ts'

/**
 * Two classes of 40 rows around points of their own; the first 8 of class 0 lie together, far to one side.
 */
function crowd(seed = 1, size = 4, poison = 8): FeatureRows {
  const rng = createRng(seed, 'crowd')
  const labels = Int32Array.from({ length: 80 }, (_, i) => Number(i >= 40))
  const x = Float64Array.from({ length: 80 * size }, (_, k) => {
    const [row, column] = [Math.floor(k / size), k % size]
    const side = row < poison ? 6 : 0
    return rng.normal() * 0.5 + (column === 0 ? side : 0) + (column === 1 ? 3 * labels[row]! : 0)
  })
  return { ids: Int32Array.from(labels.keys()), x, size, labels, numClasses: 2 }
}
const caught = (flagged: Int32Array) => flagged.filter((id) => id < 8).length

describe('spectral signatures', () => {
  test('put the crowd within the crowd on top, and pick as many of each class as the rule says', () => {
    const { scores, flaggedIds, spectra } = spectralSuspicion(crowd(), { poisonShare: 0.2 })
    expect(caught(flaggedIds)).toBe(8)
    // ⌊1.5 · 0.2 · 40⌋ of each class, the clean one too.
    expect(flaggedIds.filter((id) => id < 40)).toHaveLength(12)
    expect(flaggedIds.filter((id) => id >= 40)).toHaveLength(12)
    expect(Math.min(...scores.subarray(0, 8))).toBeGreaterThan(Math.max(...scores.subarray(8, 40)))
    expect(spectra[0]![0]!).toBeGreaterThan(3 * spectra[0]![1]!)
    expect(spectra[1]![0]!).toBeLessThan(2 * spectra[1]![1]!)
  })

  test('a share of 0 picks nobody, one of 1 everybody', () => {
    expect(spectralSuspicion(crowd(), { poisonShare: 0 }).flaggedIds).toHaveLength(0)
    expect(spectralSuspicion(crowd(), { poisonShare: 1 }).flaggedIds).toHaveLength(80)
    expect(spectralSuspicion(crowd(), { poisonShare: 1, variant: 'art' }).flaggedIds).toHaveLength(80)
  })

  test('scores do not change when all rows are moved, in the paper; in the library they do', () => {
    fc.assert(
      fc.property(fc.nat(1e6), (seed) => {
        const plain = crowd(seed)
        const moved = { ...plain, x: plain.x.map((value) => value + 10) }
        const [a, b] = [spectralSuspicion(plain).scores, spectralSuspicion(moved).scores]
        for (let i = 0; i < a.length; i++) expect(Math.abs(a[i]! - b[i]!)).toBeLessThan(1e-7 * (1 + a[i]!))
        const art = [plain, moved].map((rows) => spectralSuspicion(rows, { variant: 'art' }).scores)
        expect(art[0]).not.toEqual(art[1])
      }),
      { numRuns: runs(10) },
    )
  })

  test('a class of one row, or of none, has no spectrum and nobody to pick', () => {
    const rows = crowd()
    rows.labels[0] = 2
    const { scores, spectra, directions } = spectralSuspicion({ ...rows, numClasses: 4 }, { poisonShare: 1 })
    expect([scores[0], spectra[2]!.length, directions[3]]).toEqual([0, 0, undefined])
  })

  test('refuses shares that are none, and features of a model that diverged', () => {
    expect(() => spectralSuspicion(crowd(), { poisonShare: 2 })).toThrow(
      'poisonShare must lie in [0, 1]; got 2',
    )
    expect(() => spectralSuspicion(crowd(), { multiplier: -1 })).toThrow('multiplier must be at least 0')
    const broken = crowd()
    broken.x[9] = NaN
    expect(() => spectralSuspicion(broken)).toThrow('the features of row 2 are not finite')
    expect(() => spectralSuspicion({ ...crowd(), size: 3 })).toThrow('80 rows of 3 features need')
    expect(() => spectralSuspicion({ ...crowd(), numClasses: 1 })).toThrow('the label of row 40 must be')
  })

  test('quantiles are linear between the ordered values', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5)
    expect([quantile([4, 1, 3, 2], 0), quantile([4, 1, 3, 2], 1)]).toEqual([1, 4])
  })
})

describe('activation clustering', () => {
  test('parts poison from the rest of its class, and accuses no clean class by relative size', () => {
    const { flaggedIds, classes } = activationClustering(crowd(), { dimensions: 3 })
    expect([...flaggedIds]).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(classes[0]!.silhouette).toBeGreaterThan(0.5)
    expect(classes[1]!.poison).toEqual([false, false])
  })

  test('by size alone it accuses the smaller cluster of every class', () => {
    const { flaggedIds, classes } = activationClustering(crowd(), { rule: 'size' })
    expect(caught(flaggedIds)).toBe(8)
    expect(flaggedIds.length).toBeGreaterThan(8)
    for (const one of classes) expect(one!.poison.filter(Boolean)).toHaveLength(1)
  })

  test('by silhouette it wants them apart as well', () => {
    const rule = 'silhouette'
    expect(activationClustering(crowd(), { rule }).flaggedIds).toHaveLength(8)
    expect(activationClustering(crowd(), { rule, silhouetteThreshold: 0.95 }).flaggedIds).toHaveLength(0)
  })

  test('by distance it accuses a cluster that lies nearer to another class', () => {
    const rows = crowd()
    for (let i = 0; i < 8; i++) {
      rows.x[i * 4] = 0
      rows.x[i * 4 + 1] = 3
    }
    expect([...activationClustering(rows, { rule: 'distance' }).flaggedIds]).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(activationClustering(crowd(1, 4, 0), { rule: 'distance' }).flaggedIds).toHaveLength(0)
  })

  test('a class of one row has no clusters, one of equal rows no smaller one', () => {
    const rows = crowd()
    rows.labels[0] = 2
    expect(activationClustering({ ...rows, numClasses: 3 }).classes[2]).toBeUndefined()
    const equal = { ...rows, x: new Float64Array(rows.x.length) }
    expect(activationClustering({ ...equal, numClasses: 3 }, { rule: 'size' }).flaggedIds).toHaveLength(0)
  })

  test('refuses options that make no sense', () => {
    expect(() => activationClustering(crowd(), { dimensions: 0 })).toThrow(
      'dimensions must be a whole number',
    )
    expect(() => activationClustering(crowd(), { sizeThreshold: 2 })).toThrow(
      'sizeThreshold must lie in [0, 1]',
    )
    expect(() => activationClustering(crowd(), { silhouetteThreshold: 2 })).toThrow('silhouetteThreshold')
  })
})
