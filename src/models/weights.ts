import { PerturbError } from '../core/errors.ts'
import { createRng } from '../core/rng.ts'
import type { Architecture, Layer, Weight } from './model.ts'

export interface WeightShape {
  name: string
  shape: number[]
  /** Inputs that meet in one output: He initialisation scales by it. 0 for a bias. */
  fanIn: number
}

const fail = (what: string) => new PerturbError('bad-input', what)
const sizeOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1)

/** The shape that leaves a layer, without the batch; `at` begins an error. Throws `bad-input` when it cannot take this shape. */
export function outputShape(layer: Layer, shape: readonly number[], at: string): number[] {
  if (layer.type === 'flatten') return [sizeOf(shape)]
  if (layer.type === 'dense') {
    if (shape.length !== 1)
      throw fail(`${at}: a dense layer needs a flat input, got [${shape}]; put a flatten before it`)
    return [layer.units]
  }
  if (shape.length !== 3) throw fail(`${at}: expected an input of height, width and channels, got [${shape}]`)
  const [height, width, channels] = shape as [number, number, number]
  if (layer.type === 'maxPool')
    return [Math.floor(height / layer.size), Math.floor(width / layer.size), channels]
  const { kernelSize, strides = 1, padding, filters } = layer
  const along = (n: number) => Math.ceil((padding === 'same' ? n : n - kernelSize + 1) / strides)
  return [along(height), along(width), filters]
}

/**
 * Names and shapes of an architecture's weights, in order: `conv1/kernel`, `conv1/bias`, … `dense/kernel`.
 * The number is left out where there is one layer of a kind. Throws PerturbError `bad-input` for layers
 * that do not fit together.
 */
export function weightShapes(architecture: Architecture): WeightShape[] {
  const { name, layers, inputShape, numClasses } = architecture
  const count = (type: Layer['type']) => layers.filter((layer) => layer.type === type).length
  const shapes: WeightShape[] = []
  const seen = { conv2d: 0, dense: 0 }
  let shape: number[] = [...inputShape]
  for (const [i, layer] of layers.entries()) {
    const at = `${name}: layer ${i + 1} (${layer.type})`
    const next = outputShape(layer, shape, at)
    if (next.some((n) => !(n >= 1))) throw fail(`${at}: nothing is left of its input [${shape}]`)
    if (layer.type === 'conv2d' || layer.type === 'dense') {
      const number = ++seen[layer.type]
      const word = layer.type === 'conv2d' ? 'conv' : 'dense'
      const title = count(layer.type) > 1 ? `${word}${number}` : word
      const channels = shape[shape.length - 1]!
      const kernel =
        layer.type === 'conv2d'
          ? [layer.kernelSize, layer.kernelSize, channels, layer.filters]
          : [channels, layer.units]
      shapes.push({ name: `${title}/kernel`, shape: kernel, fanIn: sizeOf(kernel.slice(0, -1)) })
      shapes.push({ name: `${title}/bias`, shape: [kernel[kernel.length - 1]!], fanIn: 0 })
    }
    shape = next
  }
  if (shape.length !== 1 || shape[0] !== numClasses) {
    throw fail(`${name}: the last layer gives [${shape}]; expected [${numClasses}], one score a class`)
  }
  return shapes
}

/** Number of trainable parameters. */
export function countParameters(architecture: Architecture): number {
  return weightShapes(architecture).reduce((sum, { shape }) => sum + sizeOf(shape), 0)
}

/** He initialisation (He et al. 2015, §2.2): normal with variance 2 / fanIn; biases zero. Same seed, same bytes. */
export function initialWeights(architecture: Architecture, seed: number): Weight[] {
  return weightShapes(architecture).map(({ name, shape, fanIn }) => {
    const rng = createRng(seed, `initial/${name}`)
    const scale = fanIn > 0 ? Math.sqrt(2 / fanIn) : 0
    return {
      name,
      shape,
      values: Float32Array.from({ length: sizeOf(shape) }, () => (scale ? scale * rng.normal() : 0)),
    }
  })
}

/**
 * The weights in the architecture's order. Throws PerturbError `bad-input` when one is missing, unknown,
 * of another shape or size, or holds a number that is not finite.
 */
export function checkWeights(architecture: Architecture, weights: readonly Weight[]): Weight[] {
  const expected = weightShapes(architecture)
  const unknown = weights.find(({ name }) => !expected.some((known) => known.name === name))
  if (unknown)
    throw fail(
      `${architecture.name}: it has no weight "${unknown.name}"; expected ${expected.map(({ name }) => name).join(', ')}`,
    )
  if (weights.length > expected.length)
    throw fail(`${architecture.name}: expected ${expected.length} weights, got ${weights.length}`)
  return expected.map(({ name, shape }) => {
    const at = `${architecture.name}: weight ${name}`
    const weight = weights.find((candidate) => candidate.name === name)
    if (!weight) throw fail(`${at} is missing`)
    if (weight.shape.length !== shape.length || weight.shape.some((n, i) => n !== shape[i])) {
      throw fail(`${at}: expected shape [${shape}], got [${weight.shape}]`)
    }
    const { values } = weight
    if (!(values instanceof Float32Array)) throw fail(`${at}: expected 32-bit floats`)
    if (values.length !== sizeOf(shape))
      throw fail(`${at}: expected ${sizeOf(shape)} numbers, got ${values.length}`)
    const bad = values.findIndex((value) => !Number.isFinite(value))
    if (bad >= 0) throw fail(`${at}: number ${bad} is ${values[bad]}; expected finite numbers`)
    return { name, shape: [...shape], values }
  })
}

/** weights.bin: every weight in the architecture's order, row-major, little-endian float32, nothing else. */
export function serializeWeights(architecture: Architecture, weights: readonly Weight[]): Uint8Array {
  const ordered = checkWeights(architecture, weights)
  const bytes = new Uint8Array(4 * ordered.reduce((sum, { values }) => sum + values.length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const { values } of ordered) {
    for (const value of values) {
      view.setFloat32(at, value, true)
      at += 4
    }
  }
  return bytes
}

/** The reverse of serializeWeights. `file` is used in errors (PerturbError `unreadable` or `bad-input`). */
export function parseWeights(architecture: Architecture, bytes: Uint8Array, file: string): Weight[] {
  const expected = 4 * countParameters(architecture)
  if (bytes.length !== expected) {
    const what = bytes.length < expected ? 'cut short' : 'too long'
    throw new PerturbError(
      'unreadable',
      `${file} is ${what}: expected ${expected} bytes, got ${bytes.length}`,
    )
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const weights = weightShapes(architecture).map(({ name, shape }) => {
    const values = new Float32Array(sizeOf(shape))
    for (let i = 0; i < values.length; i++, at += 4) values[i] = view.getFloat32(at, true)
    return { name, shape, values }
  })
  return checkWeights(architecture, weights)
}
