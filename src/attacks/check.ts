/** What every attack checks before its first step, in the house's one voice: what, expected, got, next. */
import type { ClassifierInfo, Labels } from '../core/classifier.ts'
import { criterionLabels, type Criterion } from '../core/criteria.ts'
import { PerturbError } from '../core/errors.ts'
import type { Tensor } from '../core/tf.ts'
import type { AttackEntry, Options, Parameter } from './attack.ts'

/**
 * The attack's defaults with the caller's options over them. Throws `bad-input` for an option that the
 * attack does not read (it would have no effect) and for a value of the wrong kind.
 */
export function readOptions<O extends Options>(
  entry: Pick<AttackEntry, 'id' | 'parameters'> & { defaults: O },
  options: Partial<O>,
): O {
  const read: Options = { ...entry.defaults }
  for (const name of Object.keys(options)) {
    const value = options[name]
    if (value === undefined) continue
    const parameter = entry.parameters.find((known) => known.name === name)
    if (!parameter) {
      const names = entry.parameters.map((known) => known.name).join(', ')
      throw new PerturbError(
        'bad-input',
        `${entry.id}: there is no option "${name}", so it would have no effect; the options are ${names}`,
      )
    }
    checkValue(entry.id, parameter, value)
    read[name] = value
  }
  return read as O
}

function checkValue(attack: string, parameter: Parameter, value: unknown): void {
  const wrong = (expected: string) => {
    const got = typeof value === 'string' ? `"${value}"` : String(value)
    return new PerturbError('bad-input', `${attack}: ${parameter.name} must be ${expected}; got ${got}`)
  }
  if (parameter.kind === 'number' && !(typeof value === 'number' && Number.isFinite(value)))
    throw wrong('a finite number')
  if (parameter.kind === 'flag' && typeof value !== 'boolean') throw wrong('true or false')
  if (parameter.kind === 'choice' && !parameter.choices.some((choice) => choice.value === value))
    throw wrong(`one of ${parameter.choices.map((choice) => `"${choice.value}"`).join(', ')}`)
}

/** Throws RangeError when a budget or a step is negative. */
export function atLeastZero(attack: string, name: string, value: number): void {
  if (!(value >= 0)) throw new RangeError(`${attack}: ${name} must be at least 0; got ${value}`)
}

/** Throws RangeError when a length that must move something does not. */
export function aboveZero(attack: string, name: string, value: number): void {
  if (!(value > 0)) throw new RangeError(`${attack}: ${name} must be positive; got ${value}`)
}

/** Throws RangeError when a count is not a whole number of at least `least`. */
export function wholeNumber(attack: string, name: string, value: number, least: number): void {
  if (!(Number.isInteger(value) && value >= least))
    throw new RangeError(`${attack}: ${name} must be a whole number of at least ${least}; got ${value}`)
}

/**
 * Throws `bad-input` when x is not (N, …inputShape), the criterion does not name one class a row, or the
 * victim has a single class, which cannot be misread.
 */
export function checkBatch(attack: string, victim: ClassifierInfo, x: Tensor, criterion: Criterion): void {
  const fits =
    x.shape.length === victim.inputShape.length + 1 &&
    victim.inputShape.every((size, i) => size === x.shape[i + 1])
  if (!fits)
    throw new PerturbError(
      'bad-input',
      `${attack}: x must have shape (N, ${victim.inputShape.join(', ')}); got (${x.shape.join(', ')})`,
    )
  if (victim.numClasses < 2)
    throw new PerturbError(
      'bad-input',
      `${attack}: the victim must tell at least two classes apart; got ${victim.numClasses}`,
    )
  const labels = criterionLabels(criterion)
  const noun = criterion.kind === 'targeted' ? 'targets' : 'labels'
  if (labels.length !== x.shape[0])
    throw new PerturbError(
      'bad-input',
      `${attack}: ${noun} must name one class for each of the ${x.shape[0]} rows of x; got ${labels.length}`,
    )
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!
    if (!Number.isInteger(label) || label < 0 || label >= victim.numClasses)
      throw new PerturbError(
        'bad-input',
        `${attack}: ${noun}[${i}] must be a whole number from 0 to ${victim.numClasses - 1}; got ${label}`,
      )
  }
}

/** The labels to lead away from. Throws `bad-input` for targets: the attack's paper has none. */
export function untargeted(attack: string, criterion: Criterion): Labels {
  if (criterion.kind === 'misclassification') return criterion.labels
  throw new PerturbError(
    'bad-input',
    `${attack}: leads away from a label and knows no target; for targets use pgd, carlini-wagner, ddn, ead or jsma`,
  )
}
