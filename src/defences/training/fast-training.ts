/**
 * Fast adversarial training: one gradient step a batch, like FGSM, but from a random point of the ball and a
 * quarter longer than ε. It costs a third of PGD-training and nearly keeps up, until it breaks: after a while
 * the network may learn to withstand exactly this step and nothing else (catastrophic overfitting).
 * Wong, Rice, Kolter 2020, "Fast is better than free: Revisiting adversarial training", §4 Alg. 3 and §5.1,
 * arXiv:2001.03994.
 */
import { pgd } from '../../attacks/evasion/pgd.ts'
import { aboveZero } from '../../attacks/check.ts'
import { epsilonKnob, rampKnob } from './knobs.ts'
import type { TrainingRecipe } from './recipe.ts'

export const entry: TrainingRecipe = {
  id: 'fast-training',
  title: 'Fast training',
  summary: 'Train on one long step from a random point of the ball: a third of the price, and a trap.',
  paper: { cite: 'Wong et al. 2020', url: 'https://arxiv.org/abs/2001.03994' },
  defaults: { epsilon: 0.2, ramp: 0.4, stepShare: 1.25 },
  parameters: [
    epsilonKnob(),
    rampKnob(),
    {
      kind: 'number',
      name: 'stepShare',
      label: 'Step',
      symbol: 'α',
      help: 'Length of the one step, in multiples of ε. What leaves the ball is pulled back.',
      min: 0.5,
      max: 2,
      step: 0.25,
      unit: '× ε',
      scale: 'linear',
    },
  ],
  check: ({ stepShare }) => aboveZero('fast-training', 'stepShare', stepShare!),
  async prepare(model, x, y, { epsilon, stepShare }, run) {
    const { adversarial } = await pgd(
      model,
      x,
      { kind: 'misclassification', labels: y },
      { epsilon, norm: 'linf', steps: 1, stepSize: stepShare! * epsilon, randomStart: true, restarts: 0 },
      run,
    )
    return adversarial
  },
}
