// finding: plug-in
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
    // The share itself; only a unanimous vote is pulled down a little, since Φ⁻¹(1) has no end.
    const share = Math.min(votes, n - 0.5) / n
    if (share < 0.5 + alpha) return { class: -1, votes, radius: 0 }
    return { class: answer, votes, radius: sigma * stats.normalQuantile(share) }
  })
}
