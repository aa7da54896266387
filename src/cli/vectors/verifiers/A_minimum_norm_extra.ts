import { ddn } from '../../../attacks/evasion/ddn.ts'
import { ead } from '../../../attacks/evasion/ead.ts'
import { newtonFool } from '../../../attacks/evasion/newton-fool.ts'
import { caseVerifier, libraryOf, optionsOf, type Plan } from '../cases.ts'
import { NotImplemented, type Json } from '../json.ts'

/** By the attack that the case's name begins with. */
const plans: Record<string, (item: Json) => Plan> = {
  ddn: (item) => ({
    attack: ddn,
    options: optionsOf(item, { init_epsilon: 'startRadius', steps: 'steps', gamma: 'radiusChange' }),
  }),
  newtonfool: (item) => ({
    attack: newtonFool,
    options: { ...optionsOf(item, { steps: 'steps', stepsize: 'stepSize' }), lengths: 'squared' },
  }),
  ead: (item) => {
    const params = item.get('params')
    if (params.maybe('abort_early')?.value !== false) throw new NotImplemented('abort_early')
    const rule = params.get('decision_rule').text().toLowerCase()
    const names = {
      binary_search_steps: 'searchSteps',
      steps: 'steps',
      initial_stepsize: 'stepSize',
      regularization: 'beta',
      confidence: 'confidence',
      initial_const: 'initialConst',
    }
    return {
      attack: ead,
      options: { ...optionsOf(item, names, ['abort_early', 'decision_rule']), rule },
    }
  },
}

export const verify = caseVerifier((item, name) => {
  libraryOf(item, ['foolbox'])
  const attack = name.split('_')[0]!
  if (!Object.hasOwn(plans, attack)) throw new NotImplemented(attack)
  return plans[attack]!(item)
})
