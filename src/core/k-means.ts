/**
 * Clusters of plain rows: k-means, and the silhouette that says how well apart they lie. Same seed, same
 * clusters, on every machine.
 */
import { PerturbError } from './errors.ts'
import { createRng, type Rng } from './rng.ts'

export interface Clusters {
  /** The cluster of each row, numbered by their first rows: the first row is in cluster 0. */
  of: Int32Array
  sizes: Int32Array
  /** Sum of the squared distances to the own centre. */
  inertia: number
}

/**
 * Lloyd's k-means (1982) from `restarts` starts by k-means++ (Arthur & Vassilvitskii 2007); of all runs the
 * one of the least inertia. With fewer different rows than clusters some stay empty. Throws `bad-input` when
 * there are fewer rows than clusters or a number is not finite.
 */
export function kMeans(
  x: ArrayLike<number>,
  size: number,
  clusters: number,
  { seed, restarts = 20 }: { seed: number; restarts?: number },
): Clusters {
  const rows = x.length / size
  const finite = !Array.prototype.some.call(x, (value) => !Number.isFinite(value))
  if (!(Number.isInteger(rows) && rows >= clusters && clusters >= 1 && finite))
    throw new PerturbError(
      'bad-input',
      `kMeans: expected at least ${clusters} rows of ${size} finite numbers; got ${x.length} numbers${finite ? '' : ', some not finite'}`,
    )
  const rng = createRng(seed, 'k-means')
  let best: { of: Int32Array; inertia: number } | undefined
  for (let start = 0; start < Math.max(1, restarts); start++) {
    const found = lloyd(x, size, plusPlus(x, size, clusters, rng))
    if (!best || found.inertia < best.inertia) best = found
  }
  // Names of clusters say nothing; the order of their first rows does.
  const names = new Map<number, number>()
  const of = best!.of.map((cluster) => {
    if (!names.has(cluster)) names.set(cluster, names.size)
    return names.get(cluster)!
  })
  const sizes = new Int32Array(clusters)
  for (const cluster of of) sizes[cluster]! += 1
  return { of, sizes, inertia: best!.inertia }
}

/**
 * Centres drawn from the rows, each with a probability that grows with the squared distance to those before
 * it.
 */
function plusPlus(x: ArrayLike<number>, size: number, clusters: number, rng: Rng): Float64Array[] {
  const rows = x.length / size
  const row = (i: number) => Float64Array.from({ length: size }, (_, k) => x[i * size + k]!)
  const centres = [row(rng.below(rows))]
  const nearest = new Float64Array(rows).fill(Infinity)
  while (centres.length < clusters) {
    let total = 0
    for (let i = 0; i < rows; i++) {
      nearest[i] = Math.min(nearest[i]!, squared(x, i * size, centres.at(-1)!))
      total += nearest[i]!
    }
    let left = rng.uniform() * total
    let next = 0
    while (next < rows - 1 && (left -= nearest[next]!) >= 0) next++
    centres.push(row(next))
  }
  return centres
}

function lloyd(
  x: ArrayLike<number>,
  size: number,
  centres: Float64Array[],
): { of: Int32Array; inertia: number } {
  const rows = x.length / size
  const of = new Int32Array(rows).fill(-1)
  let inertia = 0
  for (let round = 0; round < 300; round++) {
    let moved = false
    inertia = 0
    for (let i = 0; i < rows; i++) {
      let [best, least] = [0, Infinity]
      for (const [c, centre] of centres.entries()) {
        const apart = squared(x, i * size, centre)
        if (apart < least) [best, least] = [c, apart]
      }
      moved ||= of[i] !== best
      of[i] = best
      inertia += least
    }
    if (!moved) break
    const counts = new Float64Array(centres.length)
    const sums = centres.map(() => new Float64Array(size))
    for (let i = 0; i < rows; i++) {
      counts[of[i]!]! += 1
      for (let k = 0; k < size; k++) sums[of[i]!]![k]! += x[i * size + k]!
    }
    // A centre that lost all its rows stays where it was.
    centres = sums.map((sum, c) => (counts[c] ? sum.map((value) => value / counts[c]!) : centres[c]!))
  }
  return { of, inertia }
}

function squared(x: ArrayLike<number>, from: number, centre: Float64Array): number {
  let sum = 0
  for (let k = 0; k < centre.length; k++) sum += (x[from + k]! - centre[k]!) ** 2
  return sum
}

/**
 * Silhouette of each row (Rousseeuw 1987): (b − a) / max(a, b), a the mean distance to its own cluster, b to
 * the nearest other one; from −1 to 1, and 0 for a row that is alone. Looks at every pair of rows.
 */
export function silhouettes(x: ArrayLike<number>, size: number, of: ArrayLike<number>): Float64Array {
  const rows = of.length
  const clusters = Array.prototype.reduce.call(
    of,
    (most, c) => Math.max(most as number, c as number),
    0,
  ) as number
  const counts = new Float64Array(clusters + 1)
  for (let i = 0; i < rows; i++) counts[of[i]!]! += 1
  return Float64Array.from({ length: rows }, (_, i) => {
    const sums = new Float64Array(counts.length)
    for (let j = 0; j < rows; j++) {
      let square = 0
      for (let k = 0; k < size; k++) square += (x[i * size + k]! - x[j * size + k]!) ** 2
      sums[of[j]!]! += Math.sqrt(square)
    }
    const own = of[i]!
    if (counts[own]! <= 1) return 0
    const a = sums[own]! / (counts[own]! - 1)
    let b = Infinity
    for (let c = 0; c < counts.length; c++) if (c !== own && counts[c]) b = Math.min(b, sums[c]! / counts[c]!)
    if (b === Infinity) return 0
    const wider = Math.max(a, b)
    return wider === 0 ? 0 : (b - a) / wider
  })
}

export const meanOf = (values: ArrayLike<number>): number =>
  (Array.prototype.reduce.call(values, (sum, value) => (sum as number) + (value as number), 0) as number) /
  values.length
