/**
 * Figures of poisoning, from plain arrays: what the attack reached, what it cost, and how well a filter tells
 * poison from the rest.
 */
import { PerturbError } from '../core/errors.ts'

/** Share of rows read as their label, 0 to 1. Throws `bad-input` for no rows or lists of two lengths. */
export function accuracyOf(read: ArrayLike<number>, labels: ArrayLike<number>): number {
  sameLength('accuracyOf', read, labels)
  let right = 0
  for (let i = 0; i < read.length; i++) right += Number(read[i] === labels[i])
  return right / read.length
}

/** Of the rows of one class, the share read as it; NaN when there are none. */
export function classRecall(read: ArrayLike<number>, labels: ArrayLike<number>, label: number): number {
  sameLength('classRecall', read, labels)
  let [rows, right] = [0, 0]
  for (let i = 0; i < read.length; i++)
    if (labels[i] === label) {
      rows++
      right += Number(read[i] === label)
    }
  return rows === 0 ? NaN : right / rows
}

/**
 * Attack success rate (Gu et al. 2017, §4.1): of the rows that carry the trigger, the share read as the
 * attacker wants. Rows whose own label is the wanted one count neither way: they would be read so without a
 * trigger. NaN when none is left. wanted: the class for each row; sources: the classes that the backdoor is
 * for, all when absent.
 */
export function attackSuccess(
  readWithTrigger: ArrayLike<number>,
  labels: ArrayLike<number>,
  wanted: (label: number) => number,
  sources?: readonly number[],
): number {
  sameLength('attackSuccess', readWithTrigger, labels)
  let [rows, hits] = [0, 0]
  for (let i = 0; i < labels.length; i++) {
    const target = wanted(labels[i]!)
    if (target === labels[i] || (sources && !sources.includes(labels[i]!))) continue
    rows++
    hits += Number(readWithTrigger[i] === target)
  }
  return rows === 0 ? NaN : hits / rows
}

/**
 * Recall of the positives at a fixed share of false alarms: the threshold is put where at most `falseAlarms`
 * of the negatives score above it, and positives above it count. A recall at score ½ moves with the
 * training's length; this one does not. Throws `bad-input` without a positive or a negative, and for a score
 * that is NaN.
 */
export function recallAtFalseAlarms(
  scores: ArrayLike<number>,
  positive: ArrayLike<boolean | number>,
  falseAlarms: number,
): { recall: number; threshold: number } {
  if (!(falseAlarms >= 0 && falseAlarms <= 1))
    throw new RangeError(`recallAtFalseAlarms: falseAlarms must lie in [0, 1]; got ${falseAlarms}`)
  sameLength('recallAtFalseAlarms', scores, positive)
  const all = Array.from(scores)
  if (all.some(Number.isNaN))
    throw new PerturbError('bad-input', 'recallAtFalseAlarms: a score is NaN; the model has diverged')
  const negatives = Float64Array.from(all.filter((_, i) => !positive[i])).sort()
  const positives = all.filter((_, i) => positive[i])
  if (negatives.length === 0 || positives.length === 0)
    throw new PerturbError(
      'bad-input',
      `recallAtFalseAlarms: expected positives and negatives; got ${positives.length} and ${negatives.length}`,
    )
  const allowed = Math.floor(falseAlarms * negatives.length + 1e-9)
  const threshold = allowed >= negatives.length ? -Infinity : negatives[negatives.length - 1 - allowed]!
  return { recall: positives.filter((score) => score > threshold).length / positives.length, threshold }
}

export interface FilterMeasure {
  flagged: number
  /** Of the flagged rows, the share that is poison; 1 when nothing is flagged. */
  precision: number
  /** Of the poison, the share that is flagged; 1 when there is none. */
  recall: number
  /** Of the honest rows, the share that is flagged: the price; 0 when there are none. */
  honestLost: number
}

/** How well a filter's picks fit the truth. Ids count once. */
export function measureFilter(
  flaggedIds: ArrayLike<number>,
  poisonedIds: ArrayLike<number>,
  rows: number,
): FilterMeasure {
  const [flagged, poison] = [new Set(Array.from(flaggedIds)), new Set(Array.from(poisonedIds))]
  const caught = [...flagged].filter((id) => poison.has(id)).length
  const honest = rows - poison.size
  return {
    flagged: flagged.size,
    precision: flagged.size === 0 ? 1 : caught / flagged.size,
    recall: poison.size === 0 ? 1 : caught / poison.size,
    honestLost: honest === 0 ? 0 : (flagged.size - caught) / honest,
  }
}

/**
 * Precision and recall of a score at every cut, most suspicious first: what the filter would be at each
 * number of flagged rows. Equal scores are cut together.
 */
export function filterCurve(
  scores: ArrayLike<number>,
  poisoned: ArrayLike<boolean | number>,
): (FilterMeasure & { threshold: number })[] {
  sameLength('filterCurve', scores, poisoned)
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[b]! - scores[a]!)
  const total = Array.from(poisoned).filter(Boolean).length
  const curve: (FilterMeasure & { threshold: number })[] = []
  let caught = 0
  for (const [i, place] of order.entries()) {
    caught += Number(Boolean(poisoned[place]))
    if (i + 1 < order.length && scores[order[i + 1]!] === scores[place]) continue
    const flagged = i + 1
    const honest = scores.length - total
    curve.push({
      threshold: scores[place]!,
      flagged,
      precision: caught / flagged,
      recall: total === 0 ? 1 : caught / total,
      honestLost: honest === 0 ? 0 : (flagged - caught) / honest,
    })
  }
  return curve
}

/**
 * Area under the ROC curve: how often a poisoned row scores above an honest one, ties as one half; NaN when a
 * side is empty. Throws `bad-input` for a NaN.
 */
export function areaUnderRoc(scores: ArrayLike<number>, poisoned: ArrayLike<boolean | number>): number {
  sameLength('areaUnderRoc', scores, poisoned)
  if (Array.prototype.some.call(scores, Number.isNaN))
    throw new PerturbError('bad-input', 'areaUnderRoc: a score is NaN, which stands in no order')
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!)
  let [below, honest, poison, wins] = [0, 0, 0, 0]
  for (let from = 0; from < order.length;) {
    let to = from
    let [goodHere, badHere] = [0, 0]
    while (to < order.length && scores[order[to]!] === scores[order[from]!]) {
      if (poisoned[order[to]!]) badHere++
      else goodHere++
      to++
    }
    wins += badHere * (below + goodHere / 2)
    below += goodHere
    honest += goodHere
    poison += badHere
    from = to
  }
  return wins / (honest * poison)
}

/** Share of users whose list holds the item: what a shilling attack moves. NaN without users. */
export function exposure(lists: readonly ArrayLike<number>[], item: number): number {
  return lists.filter((list) => Array.from(list).includes(item)).length / lists.length
}

/**
 * Share of users whose list holds the item that was kept back from them (leave-one-out); NaN without users.
 */
export function hitRate(lists: readonly ArrayLike<number>[], kept: ArrayLike<number>): number {
  return lists.filter((list, user) => Array.from(list).includes(kept[user]!)).length / lists.length
}

function sameLength(who: string, a: ArrayLike<unknown>, b: ArrayLike<unknown>): void {
  if (a.length === 0 || a.length !== b.length)
    throw new PerturbError(
      'bad-input',
      `${who}: expected two equally long lists, not empty; got ${a.length} and ${b.length}`,
    )
}
