/**
 * One-pixel attack: repaint one pixel, or a few, found by differential evolution.
 * Su, Vargas, Sakurai 2019, "One pixel attack for fooling deep neural networks", §3, arXiv:1710.08864;
 * differential evolution: Storn, Price 1997.
 *
 * Threat model: score-based black box, one query for each candidate; budget: the number of pixels (L0).
 */
import type { ScoreOracle } from '../../core/classifier.ts'
import { criterionLabels, isAdversarial, type Criterion } from '../../core/criteria.ts'
import type { Rng } from '../../core/rng.ts'
import { scoresFrom, searchRows, topOf, type RowSearch, type SearchRow } from '../../core/row-search.ts'
import type { RunContext } from '../../core/run.ts'
import type * as tf from '../../core/tf.ts'
import type { EvasionEntry, EvasionResult } from '../attack.ts'
import { checkBatch, readOptions, wholeNumber } from '../check.ts'

export type OnePixelOptions = {
  /** Pixels that may be repainted. */
  pixels: number
  /** Candidates of one generation; rounded down to a multiple of a candidate's numbers, at least one of them. */
  population: number
  /** Generations after the first. */
  generations: number
  /** What a new candidate starts from: the best so far (scipy, torchattacks), or any (the paper). */
  strategy: 'best' | 'random'
}

const defaults: OnePixelOptions = { pixels: 1, population: 100, generations: 20, strategy: 'best' }

interface Setting extends OnePixelOptions {
  criterion: Criterion
  bounds: readonly [number, number]
  /** Pixels of a picture, and numbers of a pixel. */
  places: number
  channels: number
  width: number
}

/** A candidate: row, column and colour of each pixel, every number in [0, 1). */
type Genes = Float64Array

/**
 * x: (N, …inputShape) in the victim's bounds. Rows of [height, width, channels] are pictures; any other row is
 * one line of single numbers. The search maximises the target's probability, or minimises the label's, and stops
 * at the first candidate that succeeds; a row that never succeeds comes back as its best candidate. It asks at most
 * population · (generations + 1) times a row; when the oracle's own budget is spent, all rows come back as far
 * as they got, at x itself when the first candidates were too many for it. An image that is misread already, or
 * read as its target, is attacked like any other. Returns a new tensor that the caller
 * disposes; x is untouched. Throws RangeError when pixels, population or generations are not whole numbers of at
 * least 1, 4 and 0; `bad-input` when x or the labels do not fit.
 *
 * Differs from the paper, as scipy does: the differential weight is drawn from [0.5, 1) once a generation, and a
 * number that leaves its range is drawn anew. All first candidates are uniform, colours too. `population` counts
 * all candidates; scipy and torchattacks count candidates for each number of one.
 */
export async function onePixel(
  oracle: ScoreOracle,
  x: tf.Tensor,
  criterion: Criterion,
  options: Partial<OnePixelOptions>,
  run: RunContext,
): Promise<EvasionResult> {
  const settings = readOptions(entry, options) as OnePixelOptions
  wholeNumber('one-pixel', 'pixels', settings.pixels, 1)
  wholeNumber('one-pixel', 'population', settings.population, 4)
  wholeNumber('one-pixel', 'generations', settings.generations, 0)
  checkBatch('one-pixel', oracle, x, criterion)
  const picture = oracle.inputShape.length === 3
  const channels = picture ? oracle.inputShape[2]! : 1
  const places = oracle.inputShape.reduce((product, n) => product * n, 1) / channels
  const width = picture ? oracle.inputShape[1]! : Math.max(1, Math.round(Math.sqrt(places)))
  const setting: Setting = {
    ...settings,
    population: populationOf(settings, channels),
    criterion,
    bounds: oracle.bounds,
    places,
    channels,
    width,
  }
  return searchRows({
    x,
    info: oracle,
    maxQueries: setting.population * (settings.generations + 1),
    name: 'one-pixel',
    figure: 'probability',
    ask: scoresFrom(oracle),
    search: (row) => evolve(row, setting),
    run,
  })
}

/** §3.2: each generation puts every candidate against a child, and the better one stays. */
function* evolve(row: SearchRow, setting: Setting): RowSearch<Float32Array> {
  const { population, generations, pixels, channels, strategy } = setting
  const { rng } = row
  const size = pixels * (2 + channels)
  const random = (): Genes => Float64Array.from({ length: size }, () => rng.uniform())
  let candidates = Array.from({ length: population }, random)
  let costs = judge(row, candidates, yield candidates.map((genes) => paint(row.x, genes, setting)), setting)
  for (let generation = 0; generation < generations && !row.found; generation++) {
    const best = candidates[indexOfLeast(costs)]!
    const weight = 0.5 + 0.5 * rng.uniform()
    const children = candidates.map((_, i) => {
      const [a, b, c] = threeOthers(rng, population, i)
      const base = strategy === 'best' ? best : candidates[c]!
      const [plus, minus] = [candidates[a]!, candidates[b]!]
      return base.map((gene, k) => {
        const value = gene + weight * (plus[k]! - minus[k]!)
        return value >= 0 && value < 1 ? value : rng.uniform()
      })
    })
    const after = judge(row, children, yield children.map((genes) => paint(row.x, genes, setting)), setting)
    candidates = candidates.map((genes, i) => (after[i]! <= costs[i]! ? children[i]! : genes))
    costs = costs.map((cost, i) => Math.min(cost, after[i]!))
  }
}

/** What each candidate costs (less is nearer to success); keeps the best, and the first success, in the row. */
function judge(
  row: SearchRow,
  candidates: readonly Genes[],
  answers: readonly Float32Array[],
  setting: Setting,
): number[] {
  const { criterion } = setting
  const label = criterionLabels(criterion)[row.index]!
  const costs = answers.map((scores) => (criterion.kind === 'targeted' ? 1 - scores[label]! : scores[label]!))
  const success = answers.findIndex((scores) => isAdversarial(criterion, row.index, topOf(scores)))
  const least = success >= 0 ? success : indexOfLeast(costs)
  const cost = (found: number) => (criterion.kind === 'targeted' ? 1 - costs[found]! : costs[found]!)
  const better =
    row.figure === undefined ||
    (criterion.kind === 'targeted' ? cost(least) > row.figure : cost(least) < row.figure)
  if (success >= 0 || better) {
    row.best = paint(row.x, candidates[least]!, setting)
    row.figure = cost(least)
  }
  row.found = success >= 0
  return costs
}

/** The picture with the candidate's pixels. */
function paint(x: Float32Array, genes: Genes, setting: Setting): Float32Array {
  const { channels, places, width, bounds } = setting
  const painted = Float32Array.from(x)
  const height = Math.ceil(places / width)
  for (let at = 0; at < genes.length; at += 2 + channels) {
    const place = Math.min(
      places - 1,
      Math.floor(genes[at]! * height) * width + Math.floor(genes[at + 1]! * width),
    )
    for (let c = 0; c < channels; c++)
      painted[place * channels + c] = bounds[0] + (bounds[1] - bounds[0]) * genes[at + 2 + c]!
  }
  return painted
}

/** A whole number of candidates for each number of one, as in torchattacks, and enough to draw three others. */
function populationOf({ population, pixels }: OnePixelOptions, channels: number): number {
  const size = pixels * (2 + channels)
  return Math.max(4, Math.max(1, Math.floor(population / size)) * size)
}

function threeOthers(rng: Rng, count: number, not: number): [number, number, number] {
  const drawn: number[] = []
  while (drawn.length < 3) {
    const one = rng.below(count)
    if (one !== not && !drawn.includes(one)) drawn.push(one)
  }
  return drawn as [number, number, number]
}

const indexOfLeast = (costs: readonly number[]) =>
  costs.reduce((best, cost, i) => (cost < costs[best]! ? i : best), 0)

export const entry: EvasionEntry = {
  id: 'one-pixel',
  title: 'One-pixel attack',
  summary:
    'Breed candidates for one repainted pixel, generation after generation, until one of them is enough.',
  family: 'evasion',
  targeted: true,
  access: 'score',
  paper: { cite: 'Su et al. 2019', url: 'https://arxiv.org/abs/1710.08864' },
  defaults,
  parameters: [
    {
      kind: 'number',
      name: 'pixels',
      label: 'Pixels',
      help: 'How many pixels may be repainted, each in any colour.',
      min: 1,
      max: 10,
      step: 1,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'number',
      name: 'population',
      label: 'Candidates',
      help: 'How many live at a time. More look in more places, and each costs a query a generation.',
      min: 10,
      max: 400,
      step: 10,
      unit: '',
      scale: 'log',
    },
    {
      kind: 'number',
      name: 'generations',
      label: 'Generations',
      help: 'How often every candidate is put against a child.',
      min: 0,
      max: 100,
      step: 1,
      unit: '',
      scale: 'linear',
    },
    {
      kind: 'choice',
      name: 'strategy',
      label: 'Children of',
      help: 'Start each child from the best candidate so far, or from any. The best is faster, any is more thorough.',
      choices: [
        { value: 'best', label: 'the best' },
        { value: 'random', label: 'anyone' },
      ],
    },
  ],
  run: onePixel,
}
