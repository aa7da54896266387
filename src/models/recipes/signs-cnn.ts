import type { Recipe } from '../architectures.ts'

export const recipe: Recipe = {
  summary: 'A small convolutional network that reads twelve traffic signs',
  knownProblems:
    'It has no defence: small perturbations and stickers fool it, which is what it is for. It learned drawn signs, so it does not read photographs of real ones. Not for use outside this lab.',
  dataset: 'signs12',
  epochs: 15,
  batchSize: 64,
  learningRate: 4e-3,
  seed: 1,
  architecture: {
    name: 'signs-cnn',
    inputShape: [32, 32, 3],
    numClasses: 12,
    bounds: [0, 1],
    classes: [
      'stop',
      'yield',
      'no entry',
      'speed limit 30',
      'speed limit 50',
      'speed limit 80',
      'speed limit 120',
      'priority road',
      'turn left',
      'turn right',
      'pedestrian crossing',
      'roundabout',
    ],
    layers: [
      { type: 'conv2d', filters: 16, kernelSize: 3, padding: 'same', activation: 'relu' },
      { type: 'maxPool', size: 2 },
      { type: 'conv2d', filters: 32, kernelSize: 3, padding: 'same', activation: 'relu' },
      { type: 'maxPool', size: 2 },
      { type: 'conv2d', filters: 48, kernelSize: 3, padding: 'same', activation: 'relu' },
      { type: 'maxPool', size: 2 },
      { type: 'flatten' },
      { type: 'dense', units: 12 },
    ],
  },
}
