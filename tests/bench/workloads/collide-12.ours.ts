import { featureCollision } from '../../../src/attacks/poisoning/feature-collision.ts'
import { createRng } from '../../../src/core/rng.ts'
import { recipe } from '../../../src/models/architectures.ts'
import { firstLayers, penultimate } from '../../../src/models/features.ts'
import { createModel } from '../../../src/models/network.ts'
import { initialWeights } from '../../../src/models/weights.ts'
import type { Workload } from '../workload.ts'

const count = 12

export const workload: Workload = {
  title: 'Feature collision, 40 steps, of 12 traffic signs',
  async prepare() {
    const { architecture } = recipe('signs-cnn')
    const { inputShape, numClasses } = architecture
    const cut = firstLayers(architecture, initialWeights(architecture, 1), penultimate(architecture))
    const features = createModel(cut.architecture, cut.weights)
    const size = inputShape.reduce((product, n) => product * n, 1)
    const rng = createRng(1, 'signs')
    const pixels = (rows: number) => Float32Array.from({ length: rows * size }, () => rng.uniform())
    const rows = {
      ids: Int32Array.from({ length: count }, (_, id) => id),
      x: pixels(count),
      shape: inputShape,
      labels: new Int32Array(count),
      numClasses,
    }
    const target = { features, target: pixels(1), baseClass: 0 }
    const work = async () => {
      await featureCollision(rows, target, { share: 1, epsilon: 0.1, steps: 40 }, { seed: 1 })
    }
    await work()
    return work
  },
}
