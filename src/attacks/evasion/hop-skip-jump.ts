/**
 * HopSkipJump: walks along the victim's border, guided by a gradient that is estimated from yes and no alone.
 * Chen, Jordan, Wainwright 2020, "HopSkipJumpAttack: a query-efficient decision-based attack", Alg. 1 and 2,
 * arXiv:1904.02144.
 *
 * Threat model: decision-based black box (the top class); the smallest change in L2 or L∞ that `maxQueries` find.
 */
import { askWhether, findStart, readStarts, toBorder, type WalkSetting } from '../../core/boundary-walk.ts'
import type { DecisionOracle } from '../../core/classifier.ts'
import type { Criterion } from '../../core/criteria.ts'
import {
  decisionsFrom,
  distanceOf,
  fillNoise,
  searchRows,
  type RowSearch,
  type SearchRow,
} from '../../core/row-search.ts'
import type { RunContext } from '../../core/run.ts'
import type * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult } from '../attack.ts'
import { aboveZero, checkBatch, readOptions, wholeNumber } from '../check.ts'

export type HopSkipJumpOptions = {
  norm: 'l2' | 'linf'
  /** Queries that each row may ask, start and searches included. */
  maxQueries: number
  /** Probes for the first gradient estimate; estimate t takes √t times as many, at most 10,000. */
  firstProbes: number
  /** The paper's θ is gamma / d^(3/2) in L2 and gamma / d² in L∞: how sharply the border is found, and how far probes go. */
  gamma: number
}

const defaults: HopSkipJumpOptions = { norm: 'l2', maxQueries: 3000, firstProbes: 100, gamma: 1 }

interface Setting extends HopSkipJumpOptions, WalkSetting {
  bounds: readonly [number, number]
}

/** Probes that travel in one question: no more numbers are held than for so many points. */
const probesAtOnce = 64
/** Halvings of a step after which it is given up. */
const halvings = 30

/**
 * x: (N, …inputShape) in the victim's bounds. `starts`, of x's shape, gives each row a picture that is misread
 * already (towards a target: one that is read as it); without them noise is tried, up to 1,000 pictures a row,
 * which seldom finds a target. Every row that starts is a success at any moment after, and comes back as the
 * nearest success that any of its queries met; one without a start, or with a start that is not misread, comes
 * back as it is. An image that is misread already, or read as its target, comes back as it is after one query. A row whose next question
 * is larger than what is left of its queries ends there; when the oracle's own budget is spent, all rows end
 * with what they have, and nothing is thrown. Returns a new tensor that the caller disposes; x is untouched.
 * Throws RangeError when maxQueries or firstProbes are not whole numbers above 0 or gamma is not positive,
 * `bad-input` when x, the labels or the starts do not fit.
 *
 * Differs from the paper: the result is the nearest success met, which may be a probe; the probes of a row's
 * estimate are its own, whatever the batch (foolbox divides by the length of all rows' estimates together).
 */
export async function hopSkipJump(
  oracle: DecisionOracle,
  x: tf.Tensor,
  criterion: Criterion,
  { starts, ...options }: Partial<HopSkipJumpOptions> & { starts?: tf.Tensor },
  run: RunContext,
): Promise<EvasionResult> {
  const settings = readOptions(entry, options) as HopSkipJumpOptions
  wholeNumber('hop-skip-jump', 'maxQueries', settings.maxQueries, 1)
  wholeNumber('hop-skip-jump', 'firstProbes', settings.firstProbes, 1)
  aboveZero('hop-skip-jump', 'gamma', settings.gamma)
  checkBatch('hop-skip-jump', oracle, x, criterion)
  const setting: Setting = {
    ...settings,
    criterion,
    bounds: oracle.bounds,
    starts: await readStarts('hop-skip-jump', starts, x, oracle),
  }
  return searchRows({
    x,
    info: oracle,
    maxQueries: settings.maxQueries,
    name: 'hop-skip-jump',
    figure: 'distance',
    ask: decisionsFrom(oracle),
    search: (row) => walk(row, setting),
    run,
  })
}

/** Algorithm 2. */
function* walk(row: SearchRow, setting: Setting): RowSearch<number> {
  const { norm, gamma, firstProbes, bounds } = setting
  const dimensions = row.x.length
  const tolerance = norm === 'l2' ? gamma / dimensions ** 1.5 : gamma / dimensions ** 2
  const start = yield* findStart(row, setting)
  if (!start || start === row.x) return
  let at = yield* toBorder(row, start, setting, tolerance)
  for (let step = 0; row.left > 1; step++) {
    const distance = distanceOf(at, row.x, norm)
    if (distance === 0) return
    const radius = step === 0 ? 0.1 * (bounds[1] - bounds[0]) : (gamma * distance) / dimensions
    const probes = Math.min(Math.floor(firstProbes * Math.sqrt(step + 1)), 10_000, row.left - 1)
    const direction = yield* estimateGradient(row, at, radius, probes, setting)
    const landed = yield* hop(row, at, direction, distance / Math.sqrt(step + 1), setting)
    if (landed) at = yield* toBorder(row, landed, setting, tolerance)
  }
}

/**
 * Eq. 14 and 16: probes around a point of the border, each counted for or against by its decision, the mean
 * decision taken off. Length 1 in L2, signs in L∞.
 */
function* estimateGradient(
  row: SearchRow,
  at: Float32Array,
  radius: number,
  probes: number,
  setting: Setting,
): Generator<readonly Float32Array[], Float32Array, readonly number[]> {
  const [low, high] = setting.bounds
  const size = at.length
  const sum = new Float64Array(size)
  const weighted = new Float64Array(size)
  let balance = 0
  for (let from = 0; from < probes; from += probesAtOnce) {
    const points = Array.from({ length: Math.min(probesAtOnce, probes - from) }, () => {
      const point = fillNoise(row.rng, new Float32Array(size))
      if (setting.norm === 'linf') for (let i = 0; i < size; i++) point[i] = 2 * row.rng.uniform() - 1
      let squares = 0
      for (let i = 0; i < size; i++) squares += point[i]! * point[i]!
      const scale = radius / Math.max(1e-12, Math.sqrt(squares))
      for (let i = 0; i < size; i++) point[i] = Math.min(high, Math.max(low, at[i]! + scale * point[i]!))
      return point
    })
    const misread = yield* askWhether(row, points, setting)
    points.forEach((point, k) => {
      const vote = misread[k] ? 1 : -1
      balance += vote
      for (let i = 0; i < size; i++) {
        const moved = point[i]! - at[i]!
        sum[i]! += moved
        weighted[i]! += vote * moved
      }
    })
  }
  // All probes on one side: their mean is all that is known.
  const mean = Math.abs(balance) === probes ? 0 : balance / probes
  let squares = 0
  for (let i = 0; i < size; i++) {
    weighted[i]! -= mean * sum[i]!
    squares += weighted[i]! ** 2
  }
  const length = Math.max(1e-30, Math.sqrt(squares))
  return Float32Array.from(weighted, (value) => (setting.norm === 'l2' ? value / length : Math.sign(value)))
}

/** Goes along the direction, half as far again and again until the landing is misread; undefined when none is. */
function* hop(
  row: SearchRow,
  at: Float32Array,
  direction: Float32Array,
  length: number,
  setting: Setting,
): Generator<readonly Float32Array[], Float32Array | undefined, readonly number[]> {
  const [low, high] = setting.bounds
  for (let i = 0; i < halvings; i++, length /= 2) {
    const landing = at.map((value, k) => Math.min(high, Math.max(low, value + length * direction[k]!)))
    if ((yield* askWhether(row, [landing], setting))[0]) return landing
  }
  return undefined
}

export const entry: EvasionEntry = {
  id: 'hop-skip-jump',
  title: 'HopSkipJump',
  summary:
    'Stand on the border between two answers, ask around which way it faces, hop, and come back to it nearer to the original.',
  family: 'evasion',
  targeted: true,
  access: 'decision',
  paper: { cite: 'Chen et al. 2020', url: 'https://arxiv.org/abs/1904.02144' },
  defaults,
  parameters: [
    {
      kind: 'choice',
      name: 'norm',
      label: 'Measured as',
      help: 'L2 looks for the shortest change, L∞ for the one whose largest pixel is smallest.',
      choices: [
        { value: 'l2', label: 'L2' },
        { value: 'linf', label: 'L∞' },
      ],
    },
    {
      kind: 'number',
      name: 'maxQueries',
      label: 'Queries an image',
      help: 'How many pictures may be shown to the victim for each image. More come nearer to the original.',
      min: 10,
      max: 10000,
      step: 10,
      unit: '',
      scale: 'log',
    },
    {
      kind: 'number',
      name: 'firstProbes',
      label: 'First probes',
      help: 'Pictures asked about for the first estimate of the direction. Later estimates take more.',
      min: 10,
      max: 500,
      step: 10,
      unit: '',
      scale: 'log',
    },
    {
      kind: 'number',
      name: 'gamma',
      label: 'Probe length',
      symbol: 'γ',
      help: 'How far probes go and how sharply the border is found, together. Too small drowns in rounding.',
      min: 0.1,
      max: 1000,
      step: 0.1,
      unit: '',
      scale: 'log',
    },
  ],
  run: hopSkipJump,
}
