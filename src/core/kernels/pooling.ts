import {
  backend_util,
  type KernelConfig,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
} from '../tf.ts'

type Shape4 = [number, number, number, number]

export interface PoolGeometry {
  inShape: Shape4
  outHeight: number
  outWidth: number
  filter: [number, number]
  strides: [number, number]
  top: number
  left: number
}

/** The sizes of a max pool, from the attributes of tfjs' MaxPoolGrad. */
export function poolGeometry(inShape: readonly number[], attrs: Record<string, unknown>): PoolGeometry {
  const info = backend_util.computePool2DInfo(
    inShape as unknown as Shape4,
    attrs.filterSize as [number, number],
    attrs.strides as [number, number],
    1,
    attrs.pad as 'same',
    attrs.dimRoundingMode as 'floor' | undefined,
  )
  return {
    inShape: info.inShape,
    outHeight: info.outHeight,
    outWidth: info.outWidth,
    filter: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    top: info.padInfo.top,
    left: info.padInfo.left,
  }
}

/** A MaxPoolGrad kernel for a GPU backend: `run` is given the geometry, x and dy. */
export function maxPoolGradConfig<Backend>(
  backendName: string,
  run: (geometry: PoolGeometry, x: TensorInfo, dy: TensorInfo, backend: Backend) => TensorInfo,
): KernelConfig {
  return {
    kernelName: 'MaxPoolGrad',
    backendName,
    kernelFunc: ({
      inputs,
      attrs,
      backend,
    }: {
      inputs: NamedTensorInfoMap
      attrs?: NamedAttrMap
      backend: unknown
    }) => {
      const { input, dy } = inputs as { input: TensorInfo; dy: TensorInfo }
      return run(poolGeometry(input.shape, attrs as Record<string, unknown>), input, dy, backend as Backend)
    },
  }
}

/**
 * The body of a shader in GLSL ES 3 or WGSL, which differ here only in how variables are declared. It sums
 * into `sum` the gradients of the windows in which the element at (batch, row, column, channel) is the
 * *first* largest. tfjs' own shaders take the last: over an even background, where whole windows tie,
 * that gives another gradient than CPU, WASM and PyTorch.
 */
export function firstMaxBody(geometry: PoolGeometry, language: 'glsl' | 'wgsl'): string {
  const { inShape, outHeight, outWidth, filter, strides, top, left } = geometry
  const [, height, width] = inShape
  const declare = (type: string, name: string, value: string) =>
    language === 'glsl' ? `${type} ${name} = ${value};` : `let ${name} = ${value};`
  const variable = (type: string, name: string, value: string) =>
    language === 'glsl' ? `${type} ${name} = ${value};` : `var ${name} = ${value};`
  const loop = (name: string, end: number) =>
    language === 'glsl'
      ? `for (int ${name} = 0; ${name} < ${end}; ${name}++)`
      : `for (var ${name} = 0; ${name} < ${end}; ${name}++)`
  return `
    ${declare('float', 'value', 'getX(batch, row, column, channel)')}
    ${variable('float', 'sum', '0.0')}
    ${loop('i', filter[0])} {
      ${declare('int', 'down', `row + ${top} - i`)}
      ${declare('int', 'outRow', `down / ${strides[0]}`)}
      if (down < 0 || outRow * ${strides[0]} != down || outRow >= ${outHeight}) { continue; }
      ${loop('j', filter[1])} {
        ${declare('int', 'along', `column + ${left} - j`)}
        ${declare('int', 'outColumn', `along / ${strides[1]}`)}
        if (along < 0 || outColumn * ${strides[1]} != along || outColumn >= ${outWidth}) { continue; }
        ${variable('bool', 'isFirstMax', 'true')}
        ${loop('p', filter[0])} {
          ${declare('int', 'r', 'row - i + p')}
          if (r < 0 || r >= ${height}) { continue; }
          ${loop('q', filter[1])} {
            ${declare('int', 'c', 'column - j + q')}
            if (c < 0 || c >= ${width}) { continue; }
            ${declare('float', 'other', 'getX(batch, r, c, channel)')}
            ${declare('bool', 'isEarlier', 'p < i || (p == i && q < j)')}
            if (other > value || (isEarlier && other == value)) { isFirstMax = false; }
          }
        }
        if (isFirstMax) { sum += getDy(batch, outRow, outColumn, channel); }
      }
    }`
}
