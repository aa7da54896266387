/** The slice of TensorFlow.js that learner code sees as `tf`: exactly what `TensorMath` promises. */
import { PerturbError } from '../../core/errors.ts'
import * as tf from '../../core/tf.ts'
import type { TensorMath } from '../../lab-api/learner.ts'
import { nearest } from '../../labs/did-you-mean.ts'

const names = [
  'add',
  'sub',
  'mul',
  'div',
  'neg',
  'abs',
  'sign',
  'sqrt',
  'square',
  'exp',
  'log',
  'pow',
  'maximum',
  'minimum',
  'clipByValue',
  'sum',
  'mean',
  'max',
  'min',
  'norm',
  'argMax',
  'softmax',
  'logSoftmax',
  'relu',
  'sigmoid',
  'tanh',
  'oneHot',
  'reshape',
  'slice',
  'concat',
  'stack',
  'unstack',
  'gather',
  'transpose',
  'tile',
  'pad',
  'matMul',
  'where',
  'greater',
  'greaterEqual',
  'less',
  'lessEqual',
  'equal',
  'logicalAnd',
  'logicalOr',
  'logicalNot',
  'round',
  'floor',
  'zerosLike',
  'onesLike',
  'zeros',
  'ones',
  'fill',
  'range',
  'clone',
  'cast',
  'topk',
  'tensor',
  'keep',
] as const satisfies readonly (keyof TensorMath & keyof typeof tf)[]

/** Every name of TensorMath is either passed through or written below; tsc says so when one is forgotten. */
type Written = 'randomUniform' | 'randomNormal' | 'tidy' | 'dispose'
const _complete: Exclude<keyof TensorMath, (typeof names)[number] | Written> extends never ? true : never =
  true
void _complete

/**
 * @param nextSeed gives the seed of a random op that names none
 * @param onTensor told of every tensor made
 */
export function learnerMath(nextSeed: () => number, onTensor: (tensor: tf.Tensor) => void): TensorMath {
  const tell = <T>(made: T): T => {
    if (made instanceof tf.Tensor) onTensor(made)
    else if (Array.isArray(made)) made.forEach(tell)
    else if (typeof made === 'object' && made !== null) Object.values(made).forEach(tell)
    return made
  }
  const passed = names.map((name) => {
    const op = tf[name] as (...args: unknown[]) => unknown
    return [
      name,
      (...args: unknown[]) => {
        for (const arg of args) checkAlive(name, arg)
        return tell(op(...args))
      },
    ] as const
  })
  const all = {
    ...Object.fromEntries(passed),
    randomUniform: (shape: number[], low = 0, high = 1, _dtype = 'float32', seed = nextSeed()) =>
      tell(tf.randomUniform(shape, low, high, 'float32', seed)),
    randomNormal: (shape: number[], mean = 0, deviation = 1, _dtype = 'float32', seed = nextSeed()) =>
      tell(tf.randomNormal(shape, mean, deviation, 'float32', seed)),
    tidy: <T>(f: () => T): T => tf.tidy(f as () => tf.TensorContainer) as T,
    dispose: (tensors: unknown) => tf.dispose(tensors as tf.TensorContainer),
  } as unknown as TensorMath
  return new Proxy(Object.freeze(all), {
    get(target, key) {
      if (typeof key === 'symbol' || key in target || key === 'then') return Reflect.get(target, key)
      const known = Object.keys(target).sort()
      const near = nearest(key, known)
      const offers = near ? `did you mean tf.${near}?` : `it has ${known.join(', ')}`
      throw new Error(`tf.${key} is not part of this lab's tf; ${offers}`)
    },
  })
}

/** Without this a freed tensor ends in the depths of a backend, with words about nothing. */
function checkAlive(op: string, arg: unknown): void {
  if (Array.isArray(arg) && arg[0] instanceof tf.Tensor) for (const tensor of arg) checkAlive(op, tensor)
  if (arg instanceof tf.Tensor && arg.isDisposed)
    throw new PerturbError(
      'bad-input',
      `tf.${op}: this tensor was freed before (disposed); make it anew, or save it with tf.keep`,
    )
}
