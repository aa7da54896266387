/** Knobs that several recipes have: one name, one set of words. */
import type { NumberParameter } from '../../attacks/attack.ts'

const number = (own: Omit<NumberParameter, 'kind' | 'unit' | 'scale'>): NumberParameter => ({
  kind: 'number',
  unit: '',
  scale: 'linear',
  ...own,
})

export const epsilonKnob = (): NumberParameter =>
  number({
    name: 'epsilon',
    label: 'Strength',
    symbol: 'ε',
    help: 'How far each pixel of an attacked training image may move.',
    min: 0,
    max: 0.3,
    step: 0.01,
  })

export const rampKnob = (): NumberParameter =>
  number({
    name: 'ramp',
    label: 'Ramp',
    help: 'Part of the training over which ε grows from 0 to its full size. 0 begins with the full size.',
    min: 0,
    max: 1,
    step: 0.1,
  })

export const stepsKnob = (): NumberParameter =>
  number({
    name: 'steps',
    label: 'Attack steps',
    symbol: 'k',
    help: 'Gradients followed to make each attacked batch. Each costs about as much as the training step itself.',
    min: 1,
    max: 10,
    step: 1,
  })

/** Length of all steps together, as a multiple of ε. */
export const reachKnob = (): NumberParameter =>
  number({
    name: 'reach',
    label: 'Reach',
    help: 'How far all steps together could go, in multiples of ε. Above 1, so that they can cross the ball.',
    min: 1,
    max: 4,
    step: 0.25,
  })
