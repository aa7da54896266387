/** The norms a perturbation can be measured in. */
export type Norm = 'linf' | 'l2' | 'l1' | 'l0'

/** Who the attacker is and what they may do. Data: printed beside every result. */
export interface ThreatModel {
  goal: 'untargeted' | 'targeted'
  knowledge: 'white-box' | 'score-based' | 'decision-based' | 'transfer'
  budget: { norm: Norm; epsilon: number }
  bounds: readonly [number, number]
  maxQueries?: number
}

export function normSymbol(norm: Norm): string {
  return { linf: 'L∞', l2: 'L2', l1: 'L1', l0: 'L0' }[norm]
}
