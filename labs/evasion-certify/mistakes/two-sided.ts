// finding: two-sided
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
    // An interval with two ends, as most tables give it.
    const lower = stats.betaQuantile(alpha / 2, Math.max(1, votes), n - votes + 1)
    if (lower < 0.5) return { class: -1, votes, radius: 0 }
    return { class: answer, votes, radius: sigma * stats.normalQuantile(lower) }
  })
}
