import type { Labels } from './classifier.ts'

/** What counts as success, as data: it crosses ports and is written into evidence. */
export type Criterion =
  | { readonly kind: 'misclassification'; readonly labels: Labels }
  | { readonly kind: 'targeted'; readonly targets: Labels }

/** Is row i, read as `predicted`, a success? */
export function isAdversarial(criterion: Criterion, i: number, predicted: number): boolean {
  return criterion.kind === 'targeted'
    ? predicted === criterion.targets[i]
    : predicted !== criterion.labels[i]
}

/** The class index whose loss an attack works on: the true label, or the target. */
export function criterionLabels(criterion: Criterion): Labels {
  return criterion.kind === 'targeted' ? criterion.targets : criterion.labels
}

/** +1: climb the loss of the true label. -1: descend the loss of the target. */
export function ascentSign(criterion: Criterion): 1 | -1 {
  return criterion.kind === 'targeted' ? -1 : 1
}

/** The same wish for some of the rows, in their order. */
export function criterionFor(criterion: Criterion, rows: readonly number[]): Criterion {
  const some = rows.map((row) => criterionLabels(criterion)[row]!)
  return criterion.kind === 'targeted'
    ? { kind: 'targeted', targets: some }
    : { kind: 'misclassification', labels: some }
}
