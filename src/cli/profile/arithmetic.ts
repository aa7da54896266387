import type { Architecture } from '../../models/model.ts'

/** Products of one image, as the textbook counts them: no zero is skipped. */
export interface Multiplications {
  forward: number
  /** By layer with weights, first layer first. */
  byInput: number[]
  byWeights: number
}

export function multiplications({ inputShape, layers }: Architecture): Multiplications {
  let [height, width, channels] =
    inputShape.length === 3 ? (inputShape as [number, number, number]) : [1, 1, inputShape[0]!]
  const perLayer: number[] = []
  for (const layer of layers) {
    switch (layer.type) {
      case 'conv2d': {
        const { filters, kernelSize, strides = 1, padding } = layer
        const out = (size: number) =>
          padding === 'same' ? Math.ceil(size / strides) : Math.floor((size - kernelSize) / strides) + 1
        ;[height, width] = [out(height), out(width)]
        perLayer.push(height * width * kernelSize * kernelSize * channels * filters)
        channels = filters
        break
      }
      case 'maxPool':
        ;[height, width] = [Math.floor(height / layer.size), Math.floor(width / layer.size)]
        break
      case 'flatten':
        ;[height, width, channels] = [1, 1, height * width * channels]
        break
      case 'dense':
        perLayer.push(channels * layer.units)
        channels = layer.units
        break
    }
  }
  const forward = perLayer.reduce((sum, products) => sum + products, 0)
  return { forward, byInput: perLayer, byWeights: forward }
}
