import { describe, expect, it } from 'vitest'
import { recipe } from '../../../src/models/architectures.ts'
import type { Architecture } from '../../../src/models/model.ts'
import {
  checkWeights,
  countParameters,
  initialWeights,
  parseWeights,
  serializeWeights,
  weightShapes,
} from '../../../src/models/weights.ts'

const { architecture } = recipe('digits-cnn')

describe('weights', () => {
  it('names the weights of digits-cnn, 11,274 in all', () => {
    expect(weightShapes(architecture).map(({ name, shape }) => [name, shape])).toEqual([
      ['conv1/kernel', [5, 5, 1, 8]],
      ['conv1/bias', [8]],
      ['conv2/kernel', [5, 5, 8, 16]],
      ['conv2/bias', [16]],
      ['dense/kernel', [784, 10]],
      ['dense/bias', [10]],
    ])
    expect(countParameters(architecture)).toBe(11_274)
  })

  it('follows strides and both paddings', () => {
    const layers: Architecture['layers'] = [
      { type: 'conv2d', filters: 2, kernelSize: 3, strides: 2, padding: 'valid' },
      { type: 'conv2d', filters: 3, kernelSize: 3, strides: 2, padding: 'same' },
      { type: 'flatten' },
      { type: 'dense', units: 4 },
    ]
    // 10 → ⌈(10 − 2) / 2⌉ = 4 → ⌈4 / 2⌉ = 2; 2 · 2 · 3 = 12 inputs of the dense layer.
    const shapes = weightShapes({
      ...architecture,
      name: 'n',
      inputShape: [10, 10, 1],
      numClasses: 4,
      layers,
    })
    expect(shapes.map(({ shape }) => shape)).toEqual([[3, 3, 1, 2], [2], [3, 3, 2, 3], [3], [12, 4], [4]])
  })

  it('starts from the seed: same seed, same bytes, another seed, other bytes, He variance', () => {
    const bytes = (seed: number) => serializeWeights(architecture, initialWeights(architecture, seed))
    expect(bytes(1)).toEqual(bytes(1))
    expect(bytes(1)).not.toEqual(bytes(2))
    const kernel = initialWeights(architecture, 1)[2]!.values
    const variance = kernel.reduce((sum, value) => sum + value * value, 0) / kernel.length
    // 3,200 draws: the relative error of a variance is about √(2 / 3200) = 2.5 %.
    expect(variance / (2 / 200)).toBeCloseTo(1, 1)
    expect(initialWeights(architecture, 1)[3]!.values.every((value) => value === 0)).toBe(true)
  })

  it('comes back from bytes as it went', () => {
    const weights = initialWeights(architecture, 3)
    const bytes = serializeWeights(architecture, weights)
    expect(bytes.length).toBe(4 * 11_274)
    // Little-endian, wherever this runs, and from any offset.
    expect(new DataView(bytes.buffer).getFloat32(0, true)).toBe(weights[0]!.values[0])
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    expect(parseWeights(architecture, shifted.subarray(3), 'w.bin')).toEqual(weights)
    expect(serializeWeights(architecture, [...weights].reverse())).toEqual(bytes)
  })

  it('refuses bytes of another size, by file name', () => {
    const bytes = serializeWeights(architecture, initialWeights(architecture, 3))
    expect(() => parseWeights(architecture, bytes.subarray(0, 40_000), 'w.bin')).toThrow(
      'w.bin is cut short: expected 45096 bytes, got 40000',
    )
    expect(() => parseWeights(architecture, new Uint8Array(45_100), 'w.bin')).toThrow('w.bin is too long')
    new DataView(bytes.buffer).setFloat32(4 * 210, Number.NaN, true)
    expect(() => parseWeights(architecture, bytes, 'w.bin')).toThrow('weight conv2/kernel: number 2 is NaN')
  })

  it('refuses weights that are missing, unknown, of another shape, or not finite', () => {
    const weights = initialWeights(architecture, 3)
    const check = (changed: typeof weights) => () => checkWeights(architecture, changed)
    const replaced = (change: object) => check([{ ...weights[0]!, ...change }, ...weights.slice(1)])
    expect(check(weights.slice(1))).toThrow('weight conv1/kernel is missing')
    expect(replaced({ name: 'conv9/kernel' })).toThrow('it has no weight "conv9/kernel"')
    expect(check([...weights, weights[0]!])).toThrow('expected 6 weights, got 7')
    expect(replaced({ shape: [5, 5, 8, 1] })).toThrow('expected shape [5,5,1,8], got [5,5,8,1]')
    expect(replaced({ values: new Float32Array(199) })).toThrow('expected 200 numbers, got 199')
    expect(replaced({ values: new Float64Array(200) })).toThrow('expected 32-bit floats')
    expect(replaced({ values: new Float32Array(200).fill(Infinity) })).toThrow('number 0 is Infinity')
  })

  it('refuses layers that do not fit together', () => {
    const shapes = (layers: Architecture['layers']) => () =>
      weightShapes({ ...architecture, name: 'n', layers })
    expect(shapes([{ type: 'dense', units: 10 }])).toThrow(
      'n: layer 1 (dense): a dense layer needs a flat input',
    )
    expect(shapes([{ type: 'flatten' }, { type: 'maxPool', size: 2 }])).toThrow(
      'layer 2 (maxPool): expected an input of height',
    )
    expect(shapes([{ type: 'flatten' }, { type: 'dense', units: 9 }])).toThrow(
      'the last layer gives [9]; expected [10]',
    )
    expect(shapes([{ type: 'maxPool', size: 29 }])).toThrow('nothing is left of its input [28,28,1]')
  })
})
