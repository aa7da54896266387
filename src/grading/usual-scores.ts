import type { Weight } from '../models/model.ts'

/** By how much the scores of one image may differ, on the mean, before they count as blown up. */
const usualSpread = 20

/**
 * The same network with scores of a usual size: it reads every image as before. Scores a hundred times too large
 * make the softmax so sure that its gradient is 0 in single precision, and every gradient attack fails on a model
 * that is as weak as ever; so a model that is handed in is attacked in this form. `logits`: of honest images,
 * row-major; the last layer must be a dense one without activation, as in all shipped architectures.
 */
export function withUsualScores(
  tensors: readonly Weight[],
  logits: Float32Array,
  classes: number,
): { tensors: Weight[]; spread: number } {
  let sum = 0
  for (let from = 0; from < logits.length; from += classes) {
    const row = logits.subarray(from, from + classes)
    sum += row.reduce((a, b) => Math.max(a, b), -Infinity) - row.reduce((a, b) => Math.min(a, b), Infinity)
  }
  const spread = sum / (logits.length / classes)
  if (!Number.isFinite(spread) || spread <= usualSpread) return { tensors: [...tensors], spread }
  const factor = usualSpread / spread
  return {
    tensors: tensors.map((tensor, i) =>
      i < tensors.length - 2 ? tensor : { ...tensor, values: tensor.values.map((value) => value * factor) },
    ),
    spread,
  }
}
