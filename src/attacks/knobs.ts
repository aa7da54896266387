/**
 * Knobs that several attacks have: one name, one set of words, one ruler for each norm. An attack that needs
 * other words or another range says so: `epsilonKnob({ max: 0.5 })`.
 */
import type { ChoiceParameter, FlagParameter, NumberParameter, Options, Parameter } from './attack.ts'

type Own<P extends Parameter> = Partial<Omit<P, 'kind' | 'name'>>

/** Radius of the ball around the original, in the units of x. */
export const epsilonKnob = (own: Own<NumberParameter> = {}): NumberParameter => ({
  kind: 'number',
  name: 'epsilon',
  label: 'Strength',
  symbol: 'ε',
  help: 'How far the result may lie from the original. More is easier to fool with and easier to see.',
  min: 0,
  max: 0.3,
  step: 0.005,
  unit: '',
  scale: 'linear',
  // The length of a whole change is larger than its largest element.
  byNorm: { l2: { min: 0, max: 6, step: 0.05, start: 2.5 } },
  ...own,
})

/** Length of one step, in the units of x. */
export const stepSizeKnob = (own: Own<NumberParameter> = {}): NumberParameter => ({
  kind: 'number',
  name: 'stepSize',
  label: 'Step size',
  symbol: 'α',
  help: 'Length of one step. Small steps follow a curved loss, large ones arrive sooner; what leaves the ball is pulled back.',
  min: 0.005,
  max: 0.3,
  step: 0.005,
  unit: '',
  scale: 'linear',
  byNorm: { l2: { min: 0.05, max: 6, step: 0.05, start: 0.25 } },
  ...own,
})

/** How many gradients are followed, one a step. */
export const stepsKnob = (own: Own<NumberParameter> = {}): NumberParameter => ({
  kind: 'number',
  name: 'steps',
  label: 'Steps',
  symbol: 'k',
  help: 'How many gradients are followed. Steps times their size should reach farther than ε.',
  min: 1,
  max: 100,
  step: 1,
  unit: '',
  scale: 'linear',
  ...own,
})

/** What length means, of the ball and of a step. */
export const normKnob = (own: Own<ChoiceParameter> = {}): ChoiceParameter => ({
  kind: 'choice',
  name: 'norm',
  label: 'Measured as',
  help: 'L∞ limits the largest change of one pixel; L2 limits the length of the whole change.',
  choices: [
    { value: 'linf', label: 'L∞' },
    { value: 'l2', label: 'L2' },
  ],
  ...own,
})

export const randomStartKnob = (own: Own<FlagParameter> = {}): FlagParameter => ({
  kind: 'flag',
  name: 'randomStart',
  label: 'Random start',
  help: 'Begin at a random point within the budget, away from a flat or misleading spot.',
  ...own,
})

export const restartsKnob = (own: Own<NumberParameter> = {}): NumberParameter => ({
  kind: 'number',
  name: 'restarts',
  label: 'Restarts',
  help: 'Further runs from random points; each image keeps the best of them.',
  min: 0,
  max: 10,
  step: 1,
  unit: '',
  scale: 'linear',
  ...own,
})

/** κ: by how much of a logit an image must be misread, or hit its target. */
export const confidenceKnob = (own: Own<NumberParameter> = {}): NumberParameter => ({
  kind: 'number',
  name: 'confidence',
  label: 'Confidence',
  symbol: 'κ',
  help: 'By how much of a score the image must be misread. More carries over to other models, and shows more.',
  min: 0,
  max: 20,
  step: 0.5,
  unit: 'logits',
  scale: 'linear',
  ...own,
})

/** The two knobs of a search for the constant c: how many values, and the first. */
export const constantKnobs = (): NumberParameter[] => [
  {
    kind: 'number',
    name: 'searchSteps',
    label: 'Weights tried',
    help: 'How many values of c are tried: ten times more until it works, then halfway.',
    min: 1,
    max: 12,
    step: 1,
    unit: '',
    scale: 'linear',
  },
  {
    kind: 'number',
    name: 'initialConst',
    label: 'First weight',
    symbol: 'c',
    help: 'How much being misread weighs against staying near, at first.',
    min: 0.0001,
    max: 100,
    step: 0.0001,
    unit: '',
    scale: 'log',
  },
]

/** The knob as it is drawn beside these options: its ruler in the chosen norm, and where it then stands at first. */
export function rangeFor(
  { byNorm, ...parameter }: NumberParameter,
  options: Options,
): NumberParameter & { start?: number } {
  const norm = String(options.norm)
  return byNorm && Object.hasOwn(byNorm, norm) ? { ...parameter, ...byNorm[norm] } : parameter
}

/** Whether the option is a length that is measured in the chosen norm, so that a value in one says nothing in another. */
export const dependsOnNorm = (parameter: Parameter): boolean =>
  parameter.kind === 'number' && Object.keys(parameter.byNorm ?? {}).length > 0
