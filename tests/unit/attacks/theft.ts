/** Victims, oracles and measures that the tests of thefts share. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ExtractionEntry, ExtractionResult, Options, ThiefMeans } from '../../../src/attacks/attack.ts'
import type { DecisionOracle, ScoreOracle } from '../../../src/core/classifier.ts'
import { PerturbError } from '../../../src/core/errors.ts'
import { QueryLedger } from '../../../src/core/ledger.ts'
import { decisionOracle, scoreOracle } from '../../../src/core/oracle.ts'
import { createRng } from '../../../src/core/rng.ts'
import type { RunContext } from '../../../src/core/run.ts'
import * as tf from '../../../src/core/tf.ts'
import type { Architecture, Model } from '../../../src/models/model.ts'
import { createModel } from '../../../src/models/network.ts'

/** A softmax regression over unbounded inputs; weights row-major, inputs × classes. */
export function softmaxModel(
  inputs: number,
  weights: ArrayLike<number>,
  bias: ArrayLike<number>,
  bounds: [number, number] = [-20, 20],
): Model {
  const numClasses = bias.length
  const architecture: Architecture = {
    name: 'softmax',
    inputShape: [inputs],
    numClasses,
    bounds,
    classes: Array.from(bias, (_, k) => String(k)),
    layers: [{ type: 'dense', units: numClasses }],
  }
  return createModel(architecture, [
    { name: 'dense/kernel', shape: [inputs, numClasses], values: Float32Array.from(weights) },
    { name: 'dense/bias', shape: [numClasses], values: Float32Array.from(bias) },
  ])
}

/** A two-class victim with normal weights, as a logistic regression has them: class 0 scores 0. */
export function logisticVictim(
  inputs: number,
  seed: number,
): { model: Model; weights: number[]; bias: number } {
  const rng = createRng(seed, 'victim')
  const weights = Array.from({ length: inputs }, () => Math.fround(rng.normal() / 2))
  const bias = Math.fround(rng.normal() / 2)
  return {
    model: softmaxModel(
      inputs,
      weights.flatMap((w) => [0, w]),
      [0, bias],
    ),
    weights,
    bias,
  }
}

/** Runs an attack against a model with a budget of rows. */
export async function steal(
  entry: ExtractionEntry,
  model: Model,
  options: Options,
  {
    budget,
    means = {},
    run = { seed: 1 },
    through = (oracle) => oracle,
  }: {
    budget?: number
    means?: ThiefMeans
    run?: RunContext
    /** What stands between the model's scores and the thief. */
    through?: (oracle: ScoreOracle) => ScoreOracle
  } = {},
): Promise<ExtractionResult & { ledger: QueryLedger }> {
  const ledger = new QueryLedger(budget)
  const result =
    entry.access === 'score'
      ? await entry.run(through(scoreOracle(model, ledger)), means, options, run)
      : await entry.run(decisionOracle(model, ledger), means, options, run)
  return { ...result, ledger }
}

interface Values {
  values: Float32Array
}

/** Weights and bias of a linear surrogate, against its class 0. */
export function linearParts({ surrogate }: ExtractionResult): { weights: number[][]; bias: number[] } {
  const [kernel, bias] = surrogate.weights as unknown as [Values, Values]
  const classes = bias.values.length
  const inputs = kernel.values.length / classes
  const weights = Array.from({ length: inputs }, (_, j) =>
    Array.from({ length: classes }, (_, k) => kernel.values[j * classes + k]! - kernel.values[j * classes]!),
  )
  return { weights, bias: Array.from(bias.values, (b) => b - bias.values[0]!) }
}

/** Largest difference between a stolen logistic regression and the victim's weights and bias. */
export function logisticError(result: ExtractionResult, victim: { weights: number[]; bias: number }): number {
  const { weights, bias } = linearParts(result)
  return Math.max(
    Math.abs(bias[1]! - victim.bias),
    ...weights.map((row, j) => Math.abs(row[1]! - victim.weights[j]!)),
  )
}

/** Share of normally distributed points that both read alike. */
export async function agreementOnNormal(
  result: ExtractionResult,
  victim: Model,
  points = 2000,
): Promise<number> {
  const rng = createRng(99, 'probes')
  const size = victim.inputShape.reduce((product, n) => product * n, 1)
  const x = tf.tensor(
    Float32Array.from({ length: points * size }, () => rng.normal()),
    [points, ...victim.inputShape],
  )
  const copy = createModel(result.surrogate.architecture, result.surrogate.weights)
  const [a, b] = [await copy.predict(x), await victim.predict(x)]
  x.dispose()
  copy.dispose()
  return a.filter((read, i) => read === b[i]).length / points
}

/** An oracle that answers what it is told to, and counts the rows. */
export function fakeScores(
  inputs: number,
  answer: (point: number[], row: number) => number[],
  bounds: [number, number] = [-20, 20],
): ScoreOracle & { rows: number } {
  const oracle = {
    inputShape: [inputs],
    numClasses: answer(new Array<number>(inputs).fill(0), 0).length,
    bounds,
    rows: 0,
    async scores(x: tf.Tensor) {
      const points = (await x.array()) as number[][]
      return tf.tensor(points.map((point) => answer(point, oracle.rows++)))
    },
  }
  return oracle
}

export function fakeDecisions(
  inputs: number,
  decide: (point: number[], row: number) => number,
  numClasses = 2,
  bounds: [number, number] = [-20, 20],
): DecisionOracle & { rows: number } {
  const oracle = {
    inputShape: [inputs],
    numClasses,
    bounds,
    rows: 0,
    async decide(x: tf.Tensor) {
      const points = (await x.array()) as number[][]
      return Int32Array.from(points, (point) => decide(point, oracle.rows++))
    },
  }
  return oracle
}

export const refusing = (message = 'account 0 is closed') => new PerturbError('budget-spent', message)

/** Each test leaves as many tensors as it found. */
export function watchTensors(): void {
  let before = 0
  beforeEach(() => void (before = tf.memory().numTensors))
  afterEach(() => expect(tf.memory().numTensors, 'a tensor leaked').toBe(before))
}

/** Declares what every theft must do with bad options and a cancel. */
export function theftContract(
  entry: ExtractionEntry,
  quick: Options,
  victim: () => Model,
  means: () => ThiefMeans = () => ({}),
): void {
  const run = (options: Options, context?: RunContext) =>
    steal(entry, victim(), { ...quick, ...options }, { means: means(), ...(context && { run: context }) })
  test('gives the same bytes for the same seed, and its trace counts the queries', async () => {
    const [a, b] = [await run({}), await run({})]
    expect(b.surrogate).toEqual(a.surrogate)
    expect(a.queriesUsed).toBe(a.ledger.used)
    expect(a.trace.at(-1)!.values.queries).toBe(a.queriesUsed)
    for (const { values } of a.surrogate.weights) expect(values.every(Number.isFinite)).toBe(true)
  })
  test('stops when it is cancelled, before it begins and in the middle', async () => {
    await expect(run({}, { seed: 1, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    })
    const control = new AbortController()
    const steps: number[] = []
    const outcome = run(
      {},
      { seed: 1, signal: control.signal, onStep: (done) => (steps.push(done), control.abort()) },
    )
    await outcome.catch((error: unknown) => expect(error).toMatchObject({ code: 'cancelled' }))
    expect(steps.length).toBeGreaterThan(0)
  })
  test('comes back with a surrogate when not a single row is answered', async () => {
    const { surrogate, queriesUsed, shortfall } = await steal(entry, victim(), quick, {
      budget: 0,
      means: means(),
    })
    expect(queriesUsed).toBe(0)
    expect(shortfall).toMatchObject({
      kind: 'budget-spent',
      message: expect.stringMatching(/refused after 0/) as string,
    })
    createModel(surrogate.architecture, surrogate.weights).dispose()
  })
  test.each<[string, Options, string]>([
    ...entry.parameters.flatMap(({ name, kind }): [string, Options, string][] =>
      kind === 'number'
        ? [
            [`${name} NaN`, { [name]: NaN }, `${entry.id}: ${name} must be a finite number`],
            [`${name} below its sense`, { [name]: -2.5 }, `${entry.id}: ${name} must`],
          ]
        : kind === 'choice'
          ? [[`an unknown ${name}`, { [name]: 'l7' }, `${entry.id}: ${name} must be one of`]]
          : [],
    ),
    ['an option it does not have', { strength: 3 }, 'no option "strength"'],
  ])('refuses %s', (_, options, message) => expect(run(options)).rejects.toThrow(message))
}
