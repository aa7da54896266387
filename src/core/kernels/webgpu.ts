import { webgpu_util, type WebGPUBackend, type WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu'
import {
  backend_util,
  getKernel,
  registerKernel,
  unregisterKernel,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
} from '../tf.ts'
import { firstMaxBody, maxPoolGradConfig, type PoolGeometry } from './pooling.ts'
import { columnSums, filterGradient } from './webgpu-sums.ts'

/** A program that computes each element of its output by itself; `body` ends with setOutputAtIndex(index, …). */
function elementwise(
  shaderKey: string,
  variableNames: string[],
  outputShape: number[],
  body: string,
  uniforms?: string,
): WebGPUProgram {
  const workgroupSize: [number, number, number] = [64, 1, 1]
  const dispatchLayout = webgpu_util.flatDispatchLayout(outputShape)
  return {
    variableNames,
    outputShape,
    workgroupSize,
    dispatchLayout,
    dispatch: webgpu_util.computeDispatch(dispatchLayout, outputShape, workgroupSize),
    shaderKey,
    size: true,
    ...(uniforms ? { uniforms } : {}),
    getUserCode: () => `
    fn main(index : i32) {
      if (index < uniforms.size) {
        ${body}
      }
    }`,
  }
}

function maxPoolGradient(geometry: PoolGeometry): WebGPUProgram {
  const { inShape, outHeight, outWidth, filter, strides, top, left } = geometry
  // Pipelines are kept by this key, so it must hold every number that the text holds.
  const key = `firstMaxGrad ${[inShape[1], inShape[2], outHeight, outWidth, filter, strides, top, left].join()}`
  const body = `
        let coords = getCoordsFromIndex(index);
        let batch = coords[0];
        let row = coords[1];
        let column = coords[2];
        let channel = coords[3];
        ${firstMaxBody(geometry, 'wgsl')}
        setOutputAtIndex(index, sum);`
  return elementwise(key, ['x', 'dy'], inShape, body)
}

const reluGradient = (shape: number[]) =>
  elementwise(
    'reluGradient',
    ['dy', 'y'],
    shape,
    `setOutputAtIndex(index, select(0.0, getDyByOutputIndex(index), getYByOutputIndex(index) > 0.0));`,
  )

/** Weights, means and variances lie one behind the other; each element looks up what it needs of the others. */
const adamStep = (size: number) =>
  elementwise(
    `adamStep ${size}`,
    ['state', 'gradient'],
    [3 * size],
    `let place = index % ${size};
        let g = getGradient(place);
        let mean = getState(${size} + place) * uniforms.beta1 + g * uniforms.keep1;
        let variance = getState(${2 * size} + place) * uniforms.beta2 + g * g * uniforms.keep2;
        if (index < ${size}) {
          setOutputAtIndex(index, getState(place) - mean * uniforms.rate / (sqrt(variance) + uniforms.epsilon));
        } else if (index < ${2 * size}) {
          setOutputAtIndex(index, mean);
        } else {
          setOutputAtIndex(index, variance);
        }`,
    'beta1 : f32, keep1 : f32, beta2 : f32, keep2 : f32, rate : f32, epsilon : f32,',
  )

/** Row by row the gradient by the scores (classes numbers) and behind it the loss: (rows, classes + 1). */
const crossEntropy = (rows: number, classes: number) =>
  elementwise(
    `crossEntropy ${classes}`,
    ['z', 'y'],
    [rows, classes + 1],
    `let row = index / ${classes + 1};
        let column = index % ${classes + 1};
        var top = getZ(row, 0);
        for (var k = 1; k < ${classes}; k++) {
          top = max(top, getZ(row, k));
        }
        var sum = 0.0;
        for (var k = 0; k < ${classes}; k++) {
          sum += exp(getZ(row, k) - top);
        }
        let truth = i32(getY(row));
        if (column == ${classes}) {
          setOutputAtIndex(index, log(sum) - (getZ(row, truth) - top));
        } else {
          setOutputAtIndex(index, exp(getZ(row, column) - top) / sum - select(0.0, 1.0, column == truth));
        }`,
  )

type Shape4 = [number, number, number, number]

interface Call {
  inputs: NamedTensorInfoMap
  attrs?: NamedAttrMap
  backend: unknown
}
const onWebgpu = (run: (call: Call, backend: WebGPUBackend) => TensorInfo) => (call: Call) =>
  run(call, call.backend as WebGPUBackend)

/** Replaces on 'webgpu' what tfjs computes otherwise than CPU and WASM do, and adds kernels of our own. */
export function registerWebgpuKernels(): void {
  unregisterKernel('MaxPoolGrad', 'webgpu')
  registerKernel(
    maxPoolGradConfig<WebGPUBackend>('webgpu', (geometry, x, dy, backend) =>
      backend.runWebGPUProgram(maxPoolGradient(geometry), [x, dy], 'float32'),
    ),
  )
  unregisterKernel('Conv2DBackpropFilter', 'webgpu')
  registerKernel({
    kernelName: 'Conv2DBackpropFilter',
    backendName: 'webgpu',
    kernelFunc: onWebgpu(({ inputs: { x, dy }, attrs }, backend) => {
      const { strides, pad, dimRoundingMode, filterShape } = attrs as {
        strides: number | [number, number]
        pad: 'same'
        dimRoundingMode?: 'floor'
        filterShape: Shape4
      }
      const { padInfo, strideHeight, strideWidth } = backend_util.computeConv2DInfo(
        x!.shape as Shape4,
        filterShape,
        strides,
        1,
        pad,
        dimRoundingMode,
      )
      return backend.runWebGPUProgram(filterGradient(filterShape, dy!.shape), [x!, dy!], 'float32', [
        { type: 'int32', data: [padInfo.top, padInfo.left] },
        { type: 'int32', data: [strideHeight, strideWidth] },
      ])
    }),
  })
  // Another start of the backend finds them there.
  if (getKernel('AdamStep', 'webgpu')) return
  registerKernel({
    kernelName: 'ReluGradient',
    backendName: 'webgpu',
    kernelFunc: onWebgpu(({ inputs: { dy, y } }, backend) =>
      backend.runWebGPUProgram(reluGradient(dy!.shape), [dy!, y!], 'float32'),
    ),
  })
  registerKernel({
    kernelName: 'BiasGradient',
    backendName: 'webgpu',
    kernelFunc: onWebgpu(({ inputs: { dy } }, backend) => {
      const channels = dy!.shape.at(-1)!
      const rows = dy!.shape.reduce((product, n) => product * n, 1) / channels
      const matrix = { ...dy!, shape: [rows, channels] }
      return backend.runWebGPUProgram(columnSums(rows, channels), [matrix], 'float32')
    }),
  })
  registerKernel({
    kernelName: 'CrossEntropy',
    backendName: 'webgpu',
    kernelFunc: onWebgpu(({ inputs: { z, y } }, backend) => {
      const [rows, classes] = z!.shape as [number, number]
      return backend.runWebGPUProgram(crossEntropy(rows, classes), [z!, y!], 'float32')
    }),
  })
  registerKernel({
    kernelName: 'AdamStep',
    backendName: 'webgpu',
    kernelFunc: onWebgpu(({ inputs: { state, gradient }, attrs }, backend) => {
      const { beta1, beta2, rate, epsilon } = attrs as Record<string, number>
      const uniforms = [beta1!, 1 - beta1!, beta2!, 1 - beta2!, rate!, epsilon!]
      const numbers = uniforms.map((value) => ({ type: 'float32', data: [value] }))
      return backend.runWebGPUProgram(adamStep(gradient!.shape[0]!), [state!, gradient!], 'float32', numbers)
    }),
  })
}
