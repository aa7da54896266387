// finding: no-abstention
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
    // Always answers, however the vote went.
    return { class: answer, votes, radius: Math.max(0, sigma * stats.normalQuantile(lower)) }
  })
}
