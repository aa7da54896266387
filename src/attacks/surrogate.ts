/** What a poisoner checks of a model of its own before it trusts it. */
import type { ClassifierInfo } from '../core/classifier.ts'
import { PerturbError } from '../core/errors.ts'
import type { LabelledRows } from '../data/labelled-rows.ts'

/**
 * Throws `bad-input` when the surrogate does not read rows of this shape, or (unless only its features count)
 * has other classes.
 */
export function checkSurrogate(
  attack: string,
  { shape, numClasses }: LabelledRows,
  surrogate: ClassifierInfo,
  { features = false } = {},
): void {
  const fits =
    surrogate.inputShape.length === shape.length && surrogate.inputShape.every((n, i) => n === shape[i])
  if (!fits)
    throw new PerturbError(
      'bad-input',
      `${attack}: the surrogate reads rows of shape [${surrogate.inputShape.join(', ')}]; the data have [${shape.join(', ')}]`,
    )
  if (!features && surrogate.numClasses !== numClasses)
    throw new PerturbError(
      'bad-input',
      `${attack}: the surrogate tells ${surrogate.numClasses} classes apart; the data have ${numClasses}`,
    )
}
