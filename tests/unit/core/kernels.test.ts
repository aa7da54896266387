import { describeWasmKernels } from './kernel-properties.ts'

describeWasmKernels({ simd: true })
