// finding: gives-away
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
    // Hoeffding's bound: it holds for anything between 0 and 1, and gives away what votes alone would allow.
    const lower = votes / n - Math.sqrt(Math.log(1 / alpha) / (2 * n))
    if (lower < 0.5) return { class: -1, votes, radius: 0 }
    return { class: answer, votes, radius: sigma * stats.normalQuantile(lower) }
  })
}
