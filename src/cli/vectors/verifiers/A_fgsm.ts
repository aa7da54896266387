import { fgsm } from '../../../attacks/evasion/fgsm.ts'
import { attackVerifier } from '../adversarial.ts'

/** One step of each length. */
export const verify = attackVerifier(fgsm, { eps: 'epsilon', norm: 'norm' })
