import { eot } from '../attacks/eot.ts'
import type { Labels } from '../core/classifier.ts'
import { lossRows, type LossSpec } from '../core/losses.ts'
import { createRng } from '../core/rng.ts'
import * as tf from '../core/tf.ts'
import type { Model } from '../models/model.ts'
import { topClasses } from '../models/network.ts'
import { readStage } from './registry.ts'
import type { StageSpec } from './stage.ts'

/**
 * A model with stages around it, as one model: input stages in order, the network, output stages in order. Its
 * gradient is the honest one, so it is 0 behind a staircase. Random stages draw anew at each call; the same seed
 * draws the same from the first call on. The model within is borrowed and keeps its weights; disposing the
 * defended one frees nothing. Throws `missing` or `bad-input` for stages that do not exist or make no sense.
 */
export function defended(model: Model, specs: readonly StageSpec[], seed: number): Model {
  const parts = specs.map(readStage)
  const [inputs, outputs] = (['input', 'output'] as const).map((place) =>
    parts.filter(({ entry }) => entry.place === place),
  ) as [typeof parts, typeof parts]
  const isFlat = parts.some(({ entry }) => entry.flat)
  let calls = 0

  /** What goes into each part, and at last what comes out; the caller disposes all but the first. */
  const through = (list: typeof parts, x: tf.Tensor, call: number): tf.Tensor[] => {
    const seen = [x]
    try {
      for (const [i, { entry, options }] of list.entries())
        seen.push(entry.forward(seen.at(-1)!, options, drawOf(seed, call, i)))
      return seen
    } catch (error) {
      tf.dispose(seen.slice(1))
      throw error
    }
  }
  /** Back through the parts; takes `cotangent` over. */
  const back = (list: typeof parts, seen: tf.Tensor[], cotangent: tf.Tensor, call: number): tf.Tensor => {
    let carried = cotangent
    for (let i = list.length - 1; i >= 0; i--) {
      const { entry, options } = list[i]!
      try {
        const next = entry.backward(seen[i]!, carried, options, drawOf(seed, call, i))
        carried.dispose()
        carried = next
      } catch (error) {
        carried.dispose()
        throw error
      }
    }
    return carried
  }

  async function logits(x: tf.Tensor): Promise<tf.Tensor> {
    const call = calls++
    const seen = through(inputs, x, call)
    let answers: tf.Tensor[] = []
    try {
      answers = [await model.logits(seen.at(-1)!)]
      answers = through(outputs, answers[0]!, call)
      return answers.pop()!
    } finally {
      tf.dispose([...seen.slice(1), ...answers])
    }
  }

  /** The product for a cotangent that is worked out from the logits; `use` is lent them. */
  async function vjpOf(x: tf.Tensor, use: (logits: tf.Tensor) => tf.Tensor): Promise<tf.Tensor> {
    const call = calls++
    const seen = through(inputs, x, call)
    let answers: tf.Tensor[] = []
    try {
      answers = [await model.logits(seen.at(-1)!)]
      answers = through(outputs, answers[0]!, call)
      const own = use(answers.at(-1)!)
      if (isFlat) {
        own.dispose()
        return tf.zerosLike(x)
      }
      const atLogits = back(outputs, answers, own, call)
      try {
        return back(inputs, seen, await model.vjp(seen.at(-1)!, atLogits), call)
      } finally {
        atLogits.dispose()
      }
    } finally {
      tf.dispose([...seen.slice(1), ...answers])
    }
  }

  async function lossAndGradient(x: tf.Tensor, y: Labels, spec?: LossSpec) {
    if (outputs.length > 0 || isFlat) {
      let loss: tf.Tensor | undefined
      try {
        const gradient = await vjpOf(x, (z) => {
          const { value, grad } = tf.tidy(() =>
            tf.valueAndGrad((at: tf.Tensor) => lossRows(at as tf.Tensor2D, y, spec))(z, tf.ones([y.length])),
          )
          loss = value
          return grad
        })
        return { loss: loss!, gradient }
      } catch (error) {
        tf.dispose(loss ?? [])
        throw error
      }
    }
    const call = calls++
    const seen = through(inputs, x, call)
    try {
      const { loss, gradient } = await model.lossAndGradient(seen.at(-1)!, y, spec)
      return { loss, gradient: back(inputs, seen, gradient, call) }
    } finally {
      tf.dispose(seen.slice(1))
    }
  }

  async function logitsArray(x: tf.Tensor): Promise<Float32Array> {
    const result = await logits(x)
    try {
      return (await result.data()) as Float32Array
    } finally {
      result.dispose()
    }
  }

  return {
    architecture: model.architecture,
    inputShape: model.inputShape,
    numClasses: model.numClasses,
    bounds: model.bounds,
    logits,
    logitsArray,
    lossAndGradient,
    vjp: (x, cotangent) => vjpOf(x, () => tf.clone(cotangent)),
    predict: async (x) => topClasses(await logitsArray(x), model.numClasses),
    weights: () => model.weights(),
    dispose: () => undefined,
  }
}

/**
 * What the network itself is given: x (N, …) after the input stages, for the draws of a defended model's first call
 * with that seed. x is borrowed, the result is the caller's.
 */
export function seenBehind(specs: readonly StageSpec[], x: tf.Tensor, seed: number): tf.Tensor {
  const inputs = specs.map(readStage).filter(({ entry }) => entry.place === 'input')
  return tf.tidy(() =>
    inputs.reduce(
      (seen, { entry, options }, i) => entry.forward(seen, options, drawOf(seed, 0, i)),
      tf.clone(x),
    ),
  )
}

/** A model whose every answer is the mean of several looks: how a randomised model is read when a figure counts. */
export function averaged(model: Model, draws: number): Model {
  const access = eot(model, draws)
  const logitsArray = async (x: tf.Tensor) => {
    const logits = await access.logits(x)
    try {
      return (await logits.data()) as Float32Array
    } finally {
      logits.dispose()
    }
  }
  const predict = async (x: tf.Tensor) => topClasses(await logitsArray(x), model.numClasses)
  return { ...model, ...access, logitsArray, predict }
}

const drawOf = (seed: number, call: number, stage: number) =>
  createRng(seed, `stage ${stage} of call ${call}`)
