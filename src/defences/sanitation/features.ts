/**
 * Training rows as the model sees them: what its last hidden layer says of each, with the labels they were
 * trained on.
 */
import { PerturbError } from '../../core/errors.ts'

export interface FeatureRows {
  readonly ids: Int32Array
  /** ids.length × size numbers, row-major. */
  readonly x: Float32Array | Float64Array
  readonly size: number
  readonly labels: Int32Array
  readonly numClasses: number
}

/**
 * Throws `bad-input`, in the name of `who`, when the arrays do not fit together or a number is not finite (a
 * model that diverged).
 */
export function checkFeatures(who: string, { ids, x, size, labels, numClasses }: FeatureRows): void {
  const fail = (what: string) => new PerturbError('bad-input', `${who}: ${what}`)
  if (!(Number.isInteger(size) && size > 0) || labels.length !== ids.length || x.length !== ids.length * size)
    throw fail(
      `${ids.length} rows of ${size} features need as many labels and ${ids.length * size} numbers; got ${labels.length} and ${x.length}`,
    )
  const bad = x.findIndex((value: number) => !Number.isFinite(value))
  if (bad >= 0)
    throw fail(
      `the features of row ${ids[Math.floor(bad / size)]} are not finite; the model's training has diverged`,
    )
  for (const [place, label] of labels.entries())
    if (!(label >= 0 && label < numClasses))
      throw fail(`the label of row ${ids[place]} must be a class from 0 to ${numClasses - 1}; got ${label}`)
}

/** The rows of one class: their places and their numbers, in order. */
export function classFeatures(
  { x, size, labels }: FeatureRows,
  label: number,
): { places: number[]; x: Float64Array } {
  const places = Array.from(labels.keys()).filter((place) => labels[place] === label)
  const own = new Float64Array(places.length * size)
  for (const [i, place] of places.entries()) own.set(x.subarray(place * size, (place + 1) * size), i * size)
  return { places, x: own }
}
