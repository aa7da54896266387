import type { Recipe } from '../architectures.ts'

export const recipe: Recipe = {
  summary:
    'A small network that reads handwritten digits through one hidden layer; trained in a second or two, where a lab trains it live',
  knownProblems:
    'It has no defence, and reads worse than digits-cnn: it is made for being trained again and again on poisoned rows. It learned one data set of scanned digits and reads other handwriting worse. Not for use outside this lab.',
  dataset: 'mnist10k',
  epochs: 8,
  batchSize: 32,
  learningRate: 5e-3,
  seed: 1,
  architecture: {
    name: 'digits-mini',
    inputShape: [28, 28, 1],
    numClasses: 10,
    bounds: [0, 1],
    classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    layers: [
      { type: 'conv2d', filters: 8, kernelSize: 5, strides: 2, padding: 'same', activation: 'relu' },
      { type: 'maxPool', size: 2 },
      { type: 'conv2d', filters: 16, kernelSize: 3, padding: 'same', activation: 'relu' },
      { type: 'flatten' },
      { type: 'dense', units: 32, activation: 'relu' },
      { type: 'dense', units: 10 },
    ],
  },
}
