/**
 * Which inputs a thief asks about. At random, or chosen by what the copy so far makes of them: Pal, Gupta, Shukla, Kanade,
 * Shevade, Ganapathy 2020, "ActiveThief: model extraction using active learning and unannotated public data", AAAI
 * (preprint: arXiv:1905.09165).
 */
import type { ClassifierInfo } from '../core/classifier.ts'
import { PerturbError } from '../core/errors.ts'
import { log } from '../core/portable-math.ts'
import { createRng } from '../core/rng.ts'
import { readPool } from './apprentice.ts'
import type { ChoiceParameter, ThiefMeans } from './attack.ts'
import { inputSize } from './questions.ts'

/** `pool`: inputs of the thief's own. `noise`: every number at random within the bounds. */
export type Source = 'pool' | 'noise'

export const sourceKnob = (): ChoiceParameter => ({
  kind: 'choice',
  name: 'source',
  label: 'Pictures',
  help: 'Pictures that somebody took, or noise, which the victim reads as a few classes only.',
  choices: [
    { value: 'pool', label: 'the thief’s own' },
    { value: 'noise', label: 'noise' },
  ],
})

/** `count` inputs, or as many as the pool has. Throws `bad-input` without a pool, or for noise without finite bounds. */
export function drawInputs(
  name: string,
  source: Source,
  means: ThiefMeans,
  info: ClassifierInfo,
  count: number,
  seed: number,
): Float32Array[] {
  const rng = createRng(seed, `${name} inputs`)
  if (source === 'pool') {
    const pool = readPool(name, means, info)
    return rng
      .shuffle([...pool.keys()])
      .slice(0, count)
      .map((i) => pool[i]!)
  }
  const [low, high] = info.bounds
  if (!Number.isFinite(high - low))
    throw new PerturbError('bad-input', `${name}: noise needs finite bounds; got [${low}, ${high}]`)
  return Array.from({ length: count }, () =>
    Float32Array.from({ length: inputSize(info) }, () => low + (high - low) * rng.uniform()),
  )
}

/** How the next inputs are chosen among those not asked about yet. */
export type Choice = 'random' | 'uncertainty' | 'margin' | 'k-centre'

/**
 * Positions of `count` rows of the candidates' probabilities (row-major), by the copy's own opinion. `uncertainty`: the highest
 * entropy. `margin`: the least lead of the first class over the second. `k-centre`: greedily the row farthest, in L2, from those
 * asked about (`centres`, the copy's probabilities for them) and chosen (Sener & Savarese 2018). Ties go to the first.
 */
export function chooseRows(
  choice: Exclude<Choice, 'random'>,
  candidates: Float32Array,
  centres: Float32Array,
  numClasses: number,
  count: number,
): number[] {
  const rows = candidates.length / numClasses
  const wanted = Math.min(count, rows)
  if (choice === 'k-centre') return farthest(candidates, centres, numClasses, wanted)
  const doubt = Float64Array.from({ length: rows }, (_, i) => {
    const row = candidates.subarray(i * numClasses, (i + 1) * numClasses)
    return choice === 'margin' ? -lead(row) : entropy(row)
  })
  return [...doubt.keys()].sort((a, b) => doubt[b]! - doubt[a]! || a - b).slice(0, wanted)
}

const entropy = (row: Float32Array): number => row.reduce((sum, p) => (p > 0 ? sum - p * log(p) : sum), 0)

function lead(row: Float32Array): number {
  let [first, second] = [-Infinity, -Infinity]
  for (const p of row)
    if (p > first) [first, second] = [p, first]
    else if (p > second) second = p
  return first - second
}

function farthest(candidates: Float32Array, centres: Float32Array, width: number, wanted: number): number[] {
  const rows = candidates.length / width
  const nearest = new Float64Array(rows).fill(Infinity)
  const approach = (from: Float32Array, at: number) => {
    for (let i = 0; i < rows; i++) {
      let squares = 0
      for (let k = 0; k < width; k++) squares += (candidates[i * width + k]! - from[at * width + k]!) ** 2
      if (squares < nearest[i]!) nearest[i] = squares
    }
  }
  for (let at = 0; at < centres.length / width; at++) approach(centres, at)
  const chosen: number[] = []
  const isChosen = new Uint8Array(rows)
  while (chosen.length < wanted) {
    let best = -1
    for (let i = 0; i < rows; i++) if (!isChosen[i] && (best < 0 || nearest[i]! > nearest[best]!)) best = i
    chosen.push(best)
    isChosen[best] = 1
    approach(candidates, best)
  }
  return chosen
}
