import { jsma } from '../../../attacks/evasion/jsma.ts'
import { caseVerifier, libraryOf, optionsOf } from '../cases.ts'

/** ART takes the two best pixels and may take them again; torchattacks takes the best pair, each pixel once. */
export const verify = caseVerifier((item) => {
  const library = libraryOf(item, ['ART', 'torchattacks'])
  const options = optionsOf(item, { theta: 'theta', gamma: 'gamma' }, ['targets'])
  const variant =
    library === 'ART' ? { saliency: 'target', again: true } : { saliency: 'pairs', again: false }
  return { attack: jsma, options: { ...options, ...variant }, targeted: true }
})
