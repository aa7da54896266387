import { recipe } from '../../src/models/architectures.ts'
import type { Architecture } from '../../src/models/model.ts'

const classes = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']
const common = { numClasses: 10, bounds: [0, 1] as [number, number], classes }

export const digitsCnn: Architecture = recipe('digits-cnn').architecture

/** 784 → 64 → 10, as in many a first course. */
export const mlp: Architecture = {
  ...common,
  name: 'mlp',
  inputShape: [28, 28, 1],
  layers: [
    { type: 'flatten' },
    { type: 'dense', units: 64, activation: 'relu' },
    { type: 'dense', units: 10 },
  ],
}

/** For small colour pictures, 32 × 32. */
export const colourCnn: Architecture = {
  ...common,
  name: 'colour-cnn',
  inputShape: [32, 32, 3],
  layers: [
    { type: 'conv2d', filters: 16, kernelSize: 3, padding: 'same', activation: 'relu' },
    { type: 'maxPool', size: 2 },
    { type: 'conv2d', filters: 32, kernelSize: 3, padding: 'same', activation: 'relu' },
    { type: 'maxPool', size: 2 },
    { type: 'flatten' },
    { type: 'dense', units: 10 },
  ],
}
