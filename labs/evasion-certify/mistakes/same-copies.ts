// finding: same-copies
// checkpoint: certified
import { stats, type Tensor, type Victim } from 'lab'

interface Settings {
  sigma: number
  n0: number
  n: number
  alpha: number
}

export async function certify(victim: Victim, x: Tensor, { sigma, n, alpha }: Settings) {
  // One draw both chooses the class and proves it.
  const counts = await victim.sampleUnderNoise(x, sigma, n)
  return counts.map((each) => {
    const votes = Math.max(...each)
    const lower = stats.betaQuantile(alpha, votes, n - votes + 1)
    if (lower < 0.5) return { class: -1, votes, radius: 0 }
    return { class: each.indexOf(votes), votes, radius: sigma * stats.normalQuantile(lower) }
  })
}
