import { miFgsm } from '../../../attacks/evasion/mi-fgsm.ts'
import { caseVerifier, libraryOf, optionsOf } from '../cases.ts'

const names = { eps: 'epsilon', step: 'stepSize', steps: 'steps', decay: 'decay' }

/** Momentum as in the paper (torchattacks), and of signs, which is foolbox's own. */
export const verify = caseVerifier((item) => {
  const library = libraryOf(item, ['torchattacks', 'foolbox'])
  const options = optionsOf(item, names, ['grad_normalisation'])
  return {
    attack: miFgsm,
    options: { ...options, norm: 'linf', collects: library === 'foolbox' ? 'signs' : 'gradients' },
  }
})
