import { simulateRatings } from '../../../src/cli/data/shop.ts'
import { fitRecommender } from '../../../src/models/recommender.ts'
import type { Workload } from '../workload.ts'

export const workload: Workload = {
  title: 'BPR, 60 epochs on 18,000 ratings',
  async prepare() {
    const rows = simulateRatings(1)
    const ratings = {
      numUsers: 600,
      numItems: 200,
      scale: [1, 5] as const,
      users: Int32Array.from(rows, ({ shopper }) => shopper),
      items: Int32Array.from(rows, ({ item }) => item),
      values: Float32Array.from(rows, ({ stars }) => stars),
    }
    const options = { kind: 'bpr', seed: 1, factors: 12, epochs: 60, rate: 0.05, l2: 0.01, liked: 3 } as const
    return async () => {
      const { scores } = await fitRecommender(options, ratings, { seed: 0 })
      scores(0, [])
    }
  },
}
