/**
 * Layers with their bias and relu in one kernel, forwards and backwards. tfjs' fused operations come apart
 * as soon as a gradient is wanted, and with a linear activation they compute gradients that nobody asked for
 * (the filter's, in an attack).
 */
import * as tf from './tf.ts'

export interface ConvolutionOptions {
  strides: number
  pad: 'same' | 'valid'
  relu: boolean
}

/** relu(conv2d(x, filter) + bias) or without the relu. x: (N, H, W, Cin), filter: (h, w, Cin, Cout), bias: (Cout). */
export function convolutionLayer(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  bias: tf.Tensor,
  { strides, pad, relu }: ConvolutionOptions,
): tf.Tensor4D {
  const attrs = { strides: [strides, strides], pad, dataFormat: 'NHWC', activation: activationOf(relu) }
  return runLayer(
    'ConvolutionLayer',
    'FusedConv2D',
    { x, filter, bias },
    { ...attrs, dilations: [1, 1] },
  ) as tf.Tensor4D
}

/** relu(x · weights + bias) or without the relu. x: (N, in), weights: (in, out), bias: (out). */
export function denseLayer(
  x: tf.Tensor2D,
  weights: tf.Tensor2D,
  bias: tf.Tensor,
  relu: boolean,
): tf.Tensor2D {
  const [rows, inputs] = x.shape
  const [, outputs] = weights.shape
  // tfjs' products are of stacks of matrices; a view costs nothing.
  const a = tf.reshape(x, [1, rows, inputs])
  const b = tf.reshape(weights, [1, inputs, outputs])
  const attrs = { transposeA: false, transposeB: false, activation: activationOf(relu) }
  return tf.reshape(runLayer('DenseLayer', '_FusedMatMul', { a, b, bias }, attrs), [rows, outputs])
}

const activationOf = (relu: boolean) => (relu ? 'relu' : 'linear')

function runLayer(name: string, fused: string, inputs: tf.NamedTensorMap, attrs: tf.NamedAttrMap): tf.Tensor {
  const backendName = tf.getBackend()
  if (!tf.getKernel(name, backendName)) {
    const { kernelFunc } = tf.getKernel(fused, backendName)
    tf.registerKernel({ kernelName: name, backendName, kernelFunc })
  }
  return tf.engine().runKernel(name, inputs, attrs) as tf.Tensor
}

const run = (kernel: string, inputs: tf.NamedTensorMap, attrs: object): tf.Tensor =>
  tf.engine().runKernel(kernel, inputs, attrs as tf.NamedAttrMap) as tf.Tensor

/** dy where the layer's result is above zero, else 0. */
function beforeRelu(dy: tf.Tensor, y: tf.Tensor, activation: unknown): tf.Tensor {
  if (activation !== 'relu') return dy
  const inputs = { dy, y }
  return tf.getKernel('ReluGradient', tf.getBackend())
    ? run('ReluGradient', inputs, {})
    : tf.mul(dy, tf.step(y))
}

/** The sum of dz over all but its last dimension. */
const biasGradient = (dz: tf.Tensor): tf.Tensor =>
  tf.getKernel('BiasGradient', tf.getBackend())
    ? run('BiasGradient', { dy: dz }, {})
    : tf.sum(
        dz,
        dz.shape.slice(0, -1).map((_, axis) => axis),
      )

tf.registerGradient({
  kernelName: 'ConvolutionLayer',
  inputsToSave: ['x', 'filter'],
  outputsToSave: [true],
  gradFunc: (dy, saved, attrs) => {
    const [x, filter, y] = saved as [tf.Tensor, tf.Tensor, tf.Tensor]
    const { strides, pad, dataFormat, activation } = attrs as Record<string, unknown>
    const dz = beforeRelu(dy as tf.Tensor, y, activation)
    const geometry = { strides, pad, dataFormat }
    return {
      x: () => run('Conv2DBackpropInput', { dy: dz, filter }, { ...geometry, inputShape: x.shape }),
      filter: () => run('Conv2DBackpropFilter', { x, dy: dz }, { ...geometry, filterShape: filter.shape }),
      bias: () => biasGradient(dz),
    }
  },
})

tf.registerGradient({
  kernelName: 'DenseLayer',
  inputsToSave: ['a', 'b'],
  outputsToSave: [true],
  gradFunc: (dy, saved, attrs) => {
    const [a, b, y] = saved as [tf.Tensor, tf.Tensor, tf.Tensor]
    const dz = beforeRelu(dy as tf.Tensor, y, (attrs as Record<string, unknown>).activation)
    return {
      a: () => tf.matMul(dz, b, false, true),
      b: () => tf.matMul(a, dz, true, false),
      bias: () => biasGradient(dz),
    }
  },
})
