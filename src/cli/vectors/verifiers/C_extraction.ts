import { solveSoftmax } from '../../../attacks/softmax-equations.ts'
import { exp } from '../../../core/portable-math.ts'
import * as tf from '../../../core/tf.ts'
import type { Model } from '../../../models/model.ts'
import { numbersIn } from '../aggregates.ts'
import { PackError, type Json } from '../json.ts'
import type { Pack } from '../pack.ts'
import { compare, type Check, type Verify } from '../verify.ts'

/** Of rounded answers, the file gives one largest error for each. */
const formats = ['float32', 'dec5', 'dec4', 'dec3', 'dec2']
/** A backend's own float32 arithmetic adds a few roundings to the one that the file counts. */
const backendRoundings = 8

/**
 * Equation solving on the pack's linear models: from double precision against the file's own numbers, to its tolerance; from answers
 * rounded as the file rounds them, the same largest error; and from what this backend answers, near its float32 row.
 */
export const verify: Verify = async function* (file, pack) {
  const [tolerance] = numbersIn(file.get('tolerance'), /^([\d.e-]+) with float64 probabilities/) as [number]
  const expected = file.get('expected')
  const victim = { weights: doubles(file.get('true_weights')), bias: file.get('true_bias').number() }
  const size = victim.weights.length
  yield* modelAgrees(file, pack, victim)

  const axes = axesOf(size)
  const answers = axes.map((point) => twoClasses(victim, point))
  const basis = expected.get('basis_queries')
  yield* compareLinear('unit vectors', solve(axes, answers), basis, victim, tolerance)

  const random = expected.get('random_queries')
  const points = rowsOf(random.get('queries'), size)
  const said = doubles(random.get('probabilities'))
  yield compare(
    'random queries, probabilities',
    points.map((point) => twoClasses(victim, point)[1]!),
    said,
    tolerance,
  )
  const recovered = solve(
    points,
    said.map((p) => [1 - p, p]),
  )
  yield compare(
    'random queries',
    [...recovered.weights, recovered.bias],
    doubles(random.get('recovered')),
    tolerance,
  )
  yield atMost(
    'random queries, error',
    errorOf(recovered, victim),
    random.get('max_abs_weight_error').number(),
    tolerance,
  )

  const rounded = expected.get('basis_queries_rounded_probabilities_max_abs_error')
  for (const [name, worst] of rounded.entries()) {
    if (!formats.includes(name)) throw new PackError(`${worst.where}: expected one of ${formats.join(', ')}`)
    const told = answers.map(([, p]) => roundedTo(name, p!)).map((p) => [1 - p, p])
    yield compare(`unit vectors, ${name}`, [errorOf(solve(axes, told), victim)], [worst.number()], tolerance)
  }
  const float32 = backendRoundings * rounded.get('float32').number()
  const M4 = await pack.model('M4')
  const logits = await scoresOn(M4, axes)
  const ours = solve(
    axes,
    Array.from(logits, (z) => {
      const p = Math.fround(sigmoid(z))
      return [1 - p, p]
    }),
  )
  yield atMost('unit vectors, float32 answers of this backend', errorOf(ours, victim), 0, float32)

  yield* softmaxChecks(expected.get('M1_softmax'), pack, tolerance, float32)
}

interface Linear {
  weights: ArrayLike<number>
  bias: number
}

async function* modelAgrees(file: Json, pack: Pack, { weights, bias }: Linear): AsyncGenerator<Check> {
  const [kernel, own] = await (await pack.model('M4')).weights()
  if (kernel?.values.length !== weights.length)
    throw new PackError(
      `${file.file}: true_weights has ${weights.length} numbers; model_M4.json ${kernel?.values.length}`,
    )
  yield compare(
    'the weights are those of model_M4',
    [...kernel.values, own!.values[0]!],
    [...Array.from(weights), bias],
    0,
  )
}

/** M1: ten classes, of which only the differences to the first can be seen. */
async function* softmaxChecks(
  said: Json,
  pack: Pack,
  tolerance: number,
  float32: number,
): AsyncGenerator<Check> {
  const M1 = await pack.model('M1')
  const [kernel, own] = await M1.weights()
  const [size, classes] = kernel!.shape as [number, number]
  const differences = said.get('recovered_weight_differences')
  const [weights, bias] = [
    rowsOf(differences, classes).flat(),
    doubles(said.get('recovered_bias_differences')),
  ]
  if (weights.length !== size * classes || bias.length !== classes)
    throw new PackError(
      `${differences.where}: expected ${size} rows of ${classes} numbers and as many biases`,
    )
  const axes = axesOf(size)
  const exact = axes.map((point) =>
    softmax(
      Array.from({ length: classes }, (_, k) =>
        point.reduce((z, value, j) => z + value * kernel!.values[j * classes + k]!, own!.values[k]!),
      ),
    ),
  )
  const ours = solveSoftmax(axes, exact, size, classes)
  // The file keeps this one list in float32; what double precision makes of the model's own weights is compared below.
  yield compare('softmax, weight differences', ours.weights, weights, Math.max(tolerance, spacingAt(weights)))
  yield compare('softmax, bias differences', ours.bias, bias, tolerance)
  const truth = (values: ArrayLike<number>) =>
    Array.from(values, (value, i) => value - values[i - (i % classes)]!)
  const worst = Math.max(
    ...truth(kernel!.values).map((value, i) => Math.abs(value - ours.weights[i]!)),
    ...truth(own!.values).map((value, i) => Math.abs(value - ours.bias[i]!)),
  )
  yield atMost('softmax, error', worst, said.get('max_abs_error').number(), tolerance)
  const logits = await scoresOn(M1, axes)
  const told = axes.map((_, i) =>
    Float32Array.from(softmax(Array.from(logits.slice(i * classes, (i + 1) * classes)))),
  )
  const there = solveSoftmax(axes, told, size, classes)
  yield compare('softmax, float32 answers of this backend', there.weights, weights, float32)
}

/** The origin, then the unit vectors. */
const axesOf = (size: number): number[][] =>
  Array.from({ length: size + 1 }, (_, row) => Array.from({ length: size }, (_, i) => Number(i === row - 1)))

function solve(
  points: readonly number[][],
  answers: readonly ArrayLike<number>[],
): { weights: number[]; bias: number } {
  const { weights, bias } = solveSoftmax(points, answers, points[0]!.length, 2)
  return { weights: Array.from(weights).filter((_, i) => i % 2 === 1), bias: bias[1]! }
}

function* compareLinear(
  name: string,
  ours: { weights: number[]; bias: number },
  said: Json,
  victim: Linear,
  tolerance: number,
): Generator<Check> {
  yield compare(`${name}, weights`, ours.weights, doubles(said.get('recovered_weights')), tolerance)
  yield compare(`${name}, bias`, [ours.bias], [said.get('recovered_bias').number()], tolerance)
  yield atMost(`${name}, error`, errorOf(ours, victim), said.get('max_abs_weight_error').number(), tolerance)
}

/** As good as the file's own error, to the tolerance. */
function atMost(name: string, worst: number, said: number, tolerance: number): Check {
  const ok = worst <= said + tolerance
  return { name, worst, tolerance, ok, ...(ok ? {} : { note: `the error is ${worst}; in the file ${said}` }) }
}

/** Of any weight or the bias. */
const errorOf = (ours: Linear, victim: Linear): number =>
  Math.max(
    Math.abs(ours.bias - victim.bias),
    ...Array.from(ours.weights, (weight, i) => Math.abs(weight - victim.weights[i]!)),
  )

/** The distance between two float32 numbers as large as the largest of these. */
function spacingAt(values: readonly number[]): number {
  const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  let power = 1
  while (2 * power <= most) power *= 2
  return power * 2 ** -23
}

const sigmoid = (z: number): number => 1 / (1 + exp(-z))

function twoClasses({ weights, bias }: Linear, point: ArrayLike<number>): number[] {
  const z = Array.from(point).reduce((sum, value, i) => sum + value * weights[i]!, bias)
  return [1 / (1 + exp(z)), sigmoid(z)]
}

function softmax(z: readonly number[]): number[] {
  const most = Math.max(...z)
  const powers = z.map((value) => exp(value - most))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map((power) => power / sum)
}

function roundedTo(format: string, p: number): number {
  if (format === 'float32') return Math.fround(p)
  const scale = 10 ** Number(format.slice(3))
  return Math.round(p * scale) / scale
}

async function scoresOn(model: Model, points: readonly number[][]): Promise<Float32Array> {
  const x = tf.tensor(points.flat(), [points.length, ...model.inputShape], 'float32')
  try {
    return await model.logitsArray(x)
  } finally {
    x.dispose()
  }
}

/** Numbers of a list in double precision: `Json.numbers` gives float32. */
function doubles(json: Json): number[] {
  if (!Array.isArray(json.value)) throw new PackError(`${json.where}: expected a list of numbers`)
  const bad = json.value.findIndex((value) => typeof value !== 'number' || !Number.isFinite(value))
  if (bad >= 0)
    throw new PackError(`${json.where}: number ${bad} of the list is ${JSON.stringify(json.value[bad])}`)
  return json.value as number[]
}

function rowsOf(json: Json, width: number): number[][] {
  const { shape } = json.numbers()
  if (shape.length !== 2 || shape[1] !== width)
    throw new PackError(`${json.where}: expected rows of ${width} numbers; got shape [${shape}]`)
  return json.value as number[][]
}
