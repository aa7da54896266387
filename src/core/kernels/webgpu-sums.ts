import { webgpu_util, type WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu'

/**
 * Programs that sum a long line of products into each number of a small result. tfjs gives such a number to one
 * invocation, which then walks the whole line alone while the device idles; here a workgroup shares it.
 */
interface Sums {
  shaderKey: string
  variableNames: string[]
  outputShape: number[]
  /** Numbers that are summed into each result. */
  length: number
  /** Results a workgroup makes at once, one or four neighbours. */
  lanes: 1 | 4
  uniforms?: string
  /** Sets `first…` from `at`, the place of the workgroup's first result. */
  before: string
  /** Adds to `sum` what the place `k` of the line brings. */
  body: string
}

function sums({ length, lanes, before, body, ...program }: Sums): WebGPUProgram {
  const threads = length < 4096 ? 64 : 256
  const type = lanes === 4 ? 'vec4<f32>' : 'f32'
  const results = program.outputShape.reduce((product, n) => product * n, 1) / lanes
  const dispatchLayout = webgpu_util.flatDispatchLayout([results])
  return {
    ...program,
    shaderKey: `${program.shaderKey} ${lanes}`,
    workgroupSize: [threads, 1, 1],
    dispatchLayout,
    dispatch: webgpu_util.computeDispatch(dispatchLayout, [results], [1, 1, 1]),
    size: true,
    getUserCode: () => `
    var<workgroup> parts : array<${type}, ${threads}>;
    fn main(index : i32) {
      let at = (index / ${threads}) * ${lanes};
      let own = i32(localId.x);
      var sum = ${type}(0.0);
      ${before}
      for (var k = own; k < length && at < uniforms.size; k = k + ${threads}) {
        ${body}
      }
      parts[own] = sum;
      workgroupBarrier();
      for (var half = ${threads / 2}; half > 0; half = half / 2) {
        if (own < half) { parts[own] = parts[own] + parts[own + half]; }
        workgroupBarrier();
      }
      if (own == 0 && at < uniforms.size) {
        ${lanes === 4 ? [0, 1, 2, 3].map((i) => `setOutputAtIndex(at + ${i}, parts[0][${i}]);`).join('\n') : 'setOutputAtIndex(at, parts[0]);'}
      }
    }`,
  }
}

const lanesFor = (channels: number) => (channels % 4 === 0 ? 4 : 1)

/** Neighbours in the last dimension, from an array of single numbers. */
const load = (name: string, at: string, lanes: 1 | 4) =>
  lanes === 4 ? `vec4<f32>(${[0, 1, 2, 3].map((i) => `${name}[${at} + ${i}]`).join(', ')})` : `${name}[${at}]`

/** x: (N, H, W, Cin), dy: (N, h, w, Cout) → (fh, fw, Cin, Cout); wants the uniforms pads and strides. */
export function filterGradient(filterShape: number[], dyShape: number[]): WebGPUProgram {
  const lanes = lanesFor(filterShape[3]!)
  return sums({
    shaderKey: 'filterGradient',
    variableNames: ['x', 'dy'],
    outputShape: filterShape,
    length: dyShape[0]! * dyShape[1]! * dyShape[2]!,
    lanes,
    uniforms: 'pads : vec2<i32>, strides : vec2<i32>,',
    before: `
      let first = getCoordsFromIndex(at);
      let outHeight = uniforms.dyShape[1];
      let outWidth = uniforms.dyShape[2];
      let length = uniforms.dyShape[0] * outHeight * outWidth;`,
    body: `
        let image = k / (outHeight * outWidth);
        let place = k - image * outHeight * outWidth;
        let row = (place / outWidth) * uniforms.strides.x + first[0] - uniforms.pads.x;
        let column = (place % outWidth) * uniforms.strides.y + first[1] - uniforms.pads.y;
        if (row >= 0 && row < uniforms.xShape[1] && column >= 0 && column < uniforms.xShape[2]) {
          let source = ((image * uniforms.xShape[1] + row) * uniforms.xShape[2] + column) * uniforms.xShape[3];
          let start = k * uniforms.dyShape[3] + first[3];
          sum = sum + x[source + first[2]] * ${load('dy', 'start', lanes)};
        }`,
  })
}

/** dy: (…, C) as (rows, C) → (C). */
export function columnSums(rows: number, channels: number): WebGPUProgram {
  const lanes = lanesFor(channels)
  return sums({
    shaderKey: 'columnSums',
    variableNames: ['dy'],
    outputShape: [channels],
    length: rows,
    lanes,
    before: `
      let channels = uniforms.dyShape[1];
      let length = uniforms.dyShape[0];`,
    body: `
        let start = k * channels + at;
        sum = sum + ${load('dy', 'start', lanes)};`,
  })
}
