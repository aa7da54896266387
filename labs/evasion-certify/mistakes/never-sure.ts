// finding: all-abstain
// checkpoint: certified
import { stats, type Tensor, type Victim } from 'lab'

interface Settings {
  sigma: number
  n0: number
  n: number
  alpha: number
}

export async function certify(victim: Victim, x: Tensor, { sigma, n0, n, alpha }: Settings) {
  const first = await victim.sampleUnderNoise(x, sigma, n0)
  const chosen = first.map((counts) => counts.indexOf(Math.max(...counts)))
  const fresh = await victim.sampleUnderNoise(x, sigma, n)
  return chosen.map((answer, i) => {
    const votes = fresh[i]![answer]!
    const lower = stats.betaQuantile(alpha, Math.max(1, votes), n - votes + 1)
    // α taken for a share of the votes: no n in the world makes the bound so high.
    if (lower < 1 - alpha) return { class: -1, votes, radius: 0 }
    return { class: answer, votes, radius: sigma * stats.normalQuantile(lower) }
  })
}
