import type { GPGPUProgram, MathBackendWebGL } from '@tensorflow/tfjs-backend-webgl'
import { registerKernel, unregisterKernel } from '../tf.ts'
import { firstMaxBody, maxPoolGradConfig, type PoolGeometry } from './pooling.ts'

const program = (geometry: PoolGeometry): GPGPUProgram => ({
  variableNames: ['x', 'dy'],
  outputShape: geometry.inShape,
  userCode: `
  void main() {
    ivec4 coords = getOutputCoords();
    int batch = coords[0];
    int row = coords[1];
    int column = coords[2];
    int channel = coords[3];
    ${firstMaxBody(geometry, 'glsl')}
    setOutput(sum);
  }`,
})

/** Replaces on 'webgl' what tfjs computes otherwise than CPU and WASM do; calling it again is harmless. */
export function registerWebglKernels(): void {
  unregisterKernel('MaxPoolGrad', 'webgl')
  registerKernel(
    maxPoolGradConfig<MathBackendWebGL>('webgl', (geometry, x, dy, backend) =>
      backend.runWebGLProgram(program(geometry), [x, dy], 'float32'),
    ),
  )
}
