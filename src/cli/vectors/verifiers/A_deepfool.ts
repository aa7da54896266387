import { deepfool } from '../../../attacks/evasion/deepfool.ts'
import { caseVerifier, libraryOf, optionsOf } from '../cases.ts'
import { NotImplemented } from '../json.ts'

const names = { steps: 'steps', candidates: 'candidates', overshoot: 'overshoot' }

/** The norm is in the case's name; the variant tells whether the whole way or each step is overshot. */
export const verify = caseVerifier((item, name) => {
  const library = libraryOf(item, ['torchattacks', 'foolbox'])
  const norm = /_(l2|linf)_/.exec(name)?.[1]
  if (!norm) throw new NotImplemented('a norm but L2 and Linf')
  // torchattacks looks at every class.
  const options = { candidates: 1e6, ...optionsOf(item, names) }
  return {
    attack: deepfool,
    options: { ...options, norm, overshoots: library === 'torchattacks' ? 'step' : 'whole' },
  }
})
