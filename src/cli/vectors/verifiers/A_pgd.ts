import { pgd } from '../../../attacks/evasion/pgd.ts'
import { attackVerifier } from '../adversarial.ts'

/** The last iterate of each run. */
export const verify = attackVerifier(pgd, { eps: 'epsilon', norm: 'norm', step: 'stepSize', steps: 'steps' })
