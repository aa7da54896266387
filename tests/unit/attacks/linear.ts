import { createModel } from '../../../src/models/network.ts'
import type { Model } from '../../../src/models/model.ts'

/** logits = x · kernel + bias, kernel row-major (inputs × classes): its gradients fit on paper. */
export function linearModel(
  inputs: number,
  classes: number,
  kernel: number[],
  bias = new Array<number>(classes).fill(0),
): Model {
  return createModel(
    {
      name: 'linear',
      inputShape: [inputs],
      numClasses: classes,
      bounds: [0, 1],
      classes: Array.from({ length: classes }, (_, i) => String(i)),
      layers: [{ type: 'dense', units: classes }],
    },
    [
      { name: 'dense/kernel', shape: [inputs, classes], values: Float32Array.from(kernel) },
      { name: 'dense/bias', shape: [classes], values: Float32Array.from(bias) },
    ],
  )
}
