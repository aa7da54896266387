import { PerturbError } from '../core/errors.ts'
import type { Architecture } from './model.ts'

/** How a shipped model is trained; `npm run train` and the live training in the browser both read it. */
export interface Recipe {
  architecture: Architecture
  /** One line for the model card. */
  summary: string
  dataset: string
  epochs: number
  batchSize: number
  /** Peak of the one-cycle rate. */
  learningRate: number
  seed: number
}

export const recipes: Record<string, Recipe> = {
  'digits-cnn': {
    summary: 'A small convolutional network that reads handwritten digits',
    dataset: 'mnist10k',
    epochs: 12,
    batchSize: 64,
    learningRate: 4e-3,
    seed: 1,
    architecture: {
      name: 'digits-cnn',
      inputShape: [28, 28, 1],
      numClasses: 10,
      bounds: [0, 1],
      classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
      layers: [
        { type: 'conv2d', filters: 8, kernelSize: 5, padding: 'same', activation: 'relu' },
        { type: 'maxPool', size: 2 },
        { type: 'conv2d', filters: 16, kernelSize: 5, padding: 'same', activation: 'relu' },
        { type: 'maxPool', size: 2 },
        { type: 'flatten' },
        { type: 'dense', units: 10 },
      ],
    },
  },
}

/** Throws PerturbError `missing` for a name that no recipe has. */
export function recipe(name: string): Recipe {
  const found = Object.hasOwn(recipes, name) ? recipes[name] : undefined
  if (!found)
    throw new PerturbError('missing', `no model "${name}"; the models are ${Object.keys(recipes).join(', ')}`)
  return found
}
