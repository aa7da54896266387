import { webgpu_util, type WebGPUBackend, type WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu'
import { registerKernel, unregisterKernel } from '../tf.ts'
import { firstMaxBody, maxPoolGradConfig, type PoolGeometry } from './pooling.ts'

function program(geometry: PoolGeometry): WebGPUProgram {
  const { inShape, outHeight, outWidth, filter, strides, top, left } = geometry
  const workgroupSize: [number, number, number] = [64, 1, 1]
  const dispatchLayout = webgpu_util.flatDispatchLayout(inShape)
  return {
    variableNames: ['x', 'dy'],
    outputShape: inShape,
    workgroupSize,
    dispatchLayout,
    dispatch: webgpu_util.computeDispatch(dispatchLayout, inShape, workgroupSize),
    // Pipelines are kept by this key, so it must hold every number that the text holds.
    shaderKey: `firstMaxGrad ${[inShape[1], inShape[2], outHeight, outWidth, filter, strides, top, left].join()}`,
    size: true,
    getUserCode: () => `
    fn main(index : i32) {
      if (index < uniforms.size) {
        let coords = getCoordsFromIndex(index);
        let batch = coords[0];
        let row = coords[1];
        let column = coords[2];
        let channel = coords[3];
        ${firstMaxBody(geometry, 'wgsl')}
        setOutputAtIndex(index, sum);
      }
    }`,
  }
}

/** Replaces on 'webgpu' what tfjs computes otherwise than CPU and WASM do; calling it again is harmless. */
export function registerWebgpuKernels(): void {
  unregisterKernel('MaxPoolGrad', 'webgpu')
  registerKernel(
    maxPoolGradConfig<WebGPUBackend>('webgpu', (geometry, x, dy, backend) =>
      backend.runWebGPUProgram(program(geometry), [x, dy], 'float32'),
    ),
  )
}
