import { stats, type LogEntry } from 'lab'

/** What is usual for an honest account. Keep what your watch needs. */
export interface Limits {
  /** The account is closed when W of its distances falls below this. */
  shape: number
  /** Or when the median distance to the nearest earlier question leaves this band. */
  near: number
  far: number
  /** Or when the model was less sure than this, on average. */
  sure: number
}

/** Questions before anything is said, and between two looks. */
const [patience, every] = [100, 10]

/** What honest accounts show, the strangest of them, with room beside it. */
export function settle(honest: LogEntry[][]): Limits {
  const medians: number[] = []
  const means: number[] = []
  let shape = 1
  for (const stream of honest) {
    const look = reader()
    for (const entry of stream) {
      const seen = look(entry)
      if (!seen) continue
      shape = Math.min(shape, seen.w)
      medians.push(seen.median)
      means.push(seen.mean)
    }
  }
  console.log(`lowest W of an honest account: ${shape.toFixed(3)}`)
  const room = 0.1 * Math.max(...medians)
  return {
    shape: Math.min(0.91, shape - 0.02),
    near: Math.min(...medians) - room,
    far: Math.max(...medians) + room,
    sure: Math.min(...means) - 0.02,
  }
}

/** Three watches: each sees thieves that the others miss. */
export function watch(limits: Limits): (entry: LogEntry) => boolean {
  const look = reader()
  return (entry) => {
    const seen = look(entry)
    if (!seen) return false
    return (
      seen.w < limits.shape ||
      seen.median < limits.near ||
      seen.median > limits.far ||
      seen.mean < limits.sure
    )
  }
}

interface Reading {
  w: number
  median: number
  mean: number
}

/** Reads an account question by question; nothing while it is young. */
function reader(): (entry: LogEntry) => Reading | undefined {
  const answers: number[] = []
  const [same, any]: [number[], number[]] = [[], []]
  let sure = 0
  return ({ answer, confidence, distances }) => {
    let [nearest, alike] = [Infinity, Infinity]
    for (const [i, distance] of distances.entries()) {
      nearest = Math.min(nearest, distance)
      if (answers[i] === answer) alike = Math.min(alike, distance)
    }
    if (nearest < Infinity) any.push(nearest)
    if (alike < Infinity) same.push(alike)
    answers.push(answer)
    sure += confidence
    const n = answers.length
    if (n < patience || n % every > 0) return undefined
    const ordered = [...any].sort((a, b) => a - b)
    return {
      w: stats.shapiroWilk(withoutOutliers(same)),
      median: ordered[ordered.length >> 1]!,
      mean: sure / n,
    }
  }
}

function withoutOutliers(values: number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
  return values.filter((value) => Math.abs(value - mean) <= 3 * deviation)
}
