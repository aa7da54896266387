// finding: too-long
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
    if (lower < 0.5) return { class: -1, votes, radius: 0 }
    // Half the way between winner and runner-up, and the runner-up's share as it was counted: no bound at all.
    const second = Math.max(1, ...fresh[i]!.filter((_, label) => label !== answer)) / (2 * n)
    const radius = (sigma / 2) * (stats.normalQuantile(lower) - stats.normalQuantile(second))
    return { class: answer, votes, radius }
  })
}
