import { stats, type Tensor, type Victim } from 'lab'

export interface Certificate {
  class: number
  votes: number
  radius: number
}
export interface Settings {
  sigma: number
  n0: number
  n: number
  alpha: number
}

export async function certify(
  victim: Victim,
  x: Tensor,
  { sigma, n0, n, alpha }: Settings,
): Promise<Certificate[]> {
  const first = await victim.sampleUnderNoise(x, sigma, n0)
  const chosen = first.map((counts) => counts.indexOf(Math.max(...counts)))
  const fresh = await victim.sampleUnderNoise(x, sigma, n)
  return chosen.map((answer, i) => {
    const votes = fresh[i]![answer]!
    const lower = votes === 0 ? 0 : stats.betaQuantile(alpha, votes, n - votes + 1)
    if (lower < 0.5) return { class: -1, votes, radius: 0 }
    return { class: answer, votes, radius: sigma * stats.normalQuantile(lower) }
  })
}
