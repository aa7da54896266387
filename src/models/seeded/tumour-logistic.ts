import { createRng } from '../../core/rng.ts'
import type { DataSet } from '../../data/data-set.ts'
import { trainLogistic, type LogisticModel } from '../logistic.ts'
import type { Weight } from '../model.ts'
import type { SeededModel } from '../seeded.ts'

/** Patients that a hospital trains on, of the 398 in the table: which ones, its seed says. */
const patients = 300

/** Benign or malignant from 30 measurements. Of the two scores the first is always 0, so the second is the log-odds. */
export const seeded: SeededModel = {
  architecture: {
    name: 'tumour-logistic',
    inputShape: [30],
    numClasses: 2,
    // Standardised measurements: no value is illegal, and hardly any patient has one beyond ten.
    bounds: [-10, 10],
    classes: ['benign', 'malignant'],
    layers: [{ type: 'dense', units: 2 }],
  },
  dataset: 'breast-cancer',
  train: async (data, seed) => asWeights(trainedOn(data, seed)),
}

function trainedOn({ train }: DataSet, seed: number): LogisticModel {
  const order = createRng(seed, 'patients').shuffle(Array.from({ length: train.count }, (_, id) => id))
  const ids = order.slice(0, patients)
  const values = train.pixels(ids)
  const width = values.length / ids.length
  return trainLogistic(
    ids.map((_, row) => values.subarray(row * width, (row + 1) * width)),
    ids.map((id) => train.labels[id]!),
  )
}

function asWeights({ weights, bias }: LogisticModel): Weight[] {
  return [
    {
      name: 'dense/kernel',
      shape: [weights.length, 2],
      values: Float32Array.from(weights.flatMap((weight) => [0, weight])),
    },
    { name: 'dense/bias', shape: [2], values: Float32Array.of(0, bias) },
  ]
}
