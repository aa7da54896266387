/** A softmax regression as a surrogate: what the thefts of linear victims hand back. */
import type { ClassifierInfo } from '../core/classifier.ts'
import type { Surrogate } from './attack.ts'
import { inputSize } from './questions.ts'

/** Scores z = weightsᵀ x + bias. Only differences between classes can be seen from outside, so class 0 may be all zeros. */
export interface LinearScores {
  /** Inputs × classes, row-major. */
  weights: Float64Array
  /** One a class. */
  bias: Float64Array
}

/** One dense layer with these scores, over the victim's inputs and classes. Numbers are rounded to float32. */
export function linearSurrogate(info: ClassifierInfo, { weights, bias }: LinearScores): Surrogate {
  const { inputShape, numClasses, bounds } = info
  const isFlat = inputShape.length === 1
  return {
    architecture: {
      name: 'stolen-linear',
      inputShape: [...inputShape],
      numClasses,
      bounds: [bounds[0], bounds[1]],
      classes: Array.from({ length: numClasses }, (_, k) => String(k)),
      layers: [...(isFlat ? [] : [{ type: 'flatten' as const }]), { type: 'dense', units: numClasses }],
    },
    weights: [
      { name: 'dense/kernel', shape: [inputSize(info), numClasses], values: Float32Array.from(weights) },
      { name: 'dense/bias', shape: [numClasses], values: Float32Array.from(bias) },
    ],
  }
}
