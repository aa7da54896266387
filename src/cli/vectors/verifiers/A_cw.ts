import { carliniWagner } from '../../../attacks/evasion/carlini-wagner.ts'
import { caseVerifier, libraryOf, optionsOf } from '../cases.ts'
import { NotImplemented } from '../json.ts'

const names = {
  binary_search_steps: 'searchSteps',
  steps: 'steps',
  stepsize: 'stepSize',
  confidence: 'confidence',
  initial_const: 'initialConst',
}

/** Whole searches by success and L2 (A_cw), single constants element by element (A_cw_elementwise). */
export const verify = caseVerifier((item) => {
  libraryOf(item, ['foolbox'])
  const params = item.get('params')
  if (params.maybe('abort_early')?.value !== false) throw new NotImplemented('abort_early')
  const options = optionsOf(item, names, ['abort_early', 'targeted'])
  // From ten values of c on, foolbox tries the best of them once more.
  if (options.searchSteps! >= 10) throw new NotImplemented('binary_search_steps of 10 or more')
  return { attack: carliniWagner, options, targeted: params.maybe('targeted')?.value === true }
})
