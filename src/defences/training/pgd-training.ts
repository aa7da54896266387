/**
 * Adversarial training as a saddle point: in every batch each image is replaced by the worst that a few steps
 * of projected gradient descent find within ε, and the network learns to read that.
 * Madry, Makelov, Schmidt, Tsipras, Vladu 2018, "Towards Deep Learning Models Resistant to Adversarial
 * Attacks", §2.1 eq. 2.1 and §3, arXiv:1706.06083.
 *
 * Differs from the paper: few steps (3 by default, 40 there on MNIST), and ε may be ramped up, without which a
 * small network with a large ε first stands still.
 */
import { pgd } from '../../attacks/evasion/pgd.ts'
import { aboveZero, wholeNumber } from '../../attacks/check.ts'
import { epsilonKnob, rampKnob, reachKnob, stepsKnob } from './knobs.ts'
import type { TrainingRecipe } from './recipe.ts'

export const entry: TrainingRecipe = {
  id: 'pgd-training',
  title: 'PGD training',
  summary: 'Train on the worst of several small steps: the network meets what a patient attacker would find.',
  paper: { cite: 'Madry et al. 2018', url: 'https://arxiv.org/abs/1706.06083' },
  defaults: { epsilon: 0.2, ramp: 0.4, steps: 3, reach: 2.5 },
  parameters: [epsilonKnob(), rampKnob(), stepsKnob(), reachKnob()],
  check({ steps, reach }) {
    wholeNumber('pgd-training', 'steps', steps!, 1)
    aboveZero('pgd-training', 'reach', reach!)
  },
  async prepare(model, x, y, { epsilon, steps, reach }, run) {
    const { adversarial } = await pgd(
      model,
      x,
      { kind: 'misclassification', labels: y },
      { epsilon, norm: 'linf', steps, stepSize: (reach! * epsilon) / steps!, randomStart: true, restarts: 0 },
      run,
    )
    return adversarial
  },
}
