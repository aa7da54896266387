// finding: below-bar
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
    // Nearly all of the votes, where more than half would do.
    if (lower < 0.96) return { class: -1, votes: 0, radius: 0 }
    return { class: answer, votes, radius: sigma * stats.normalQuantile(lower) }
  })
}
