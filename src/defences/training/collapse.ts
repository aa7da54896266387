/**
 * Two ways in which adversarial training fails while its progress bar runs on, told from the curve that was
 * measured on the way. Named so that a page, a grader and a report use the same words.
 */
import type { HistoryPoint } from '../../models/train.ts'

export type Collapse =
  /**
   * The network has learned to withstand one long step and nothing else: accuracy under FGSM is high while that
   * under PGD is gone, or never came (Wong et al. 2020, §5.1; Andriushchenko & Flammarion 2020).
   */
  | { kind: 'catastrophic-overfitting'; step: number; fgsm: number; pgd: number; bestPgd: number }
  /**
   * The loss stays where it is for a network that answers the same whatever it sees: the logarithm of the number of
   * classes, 2.30 for ten.
   */
  | { kind: 'stuck'; step: number; loss: number; chance: number }

/** How far a loss may lie from ln(classes) and still be the loss of a guess, as a share of it. */
const nearChance = 0.03
/** Points of accuracy: PGD has lost this much of its best and lies this far below FGSM. */
const lost = 0.15
const apart = 0.25
/** Or FGSM has come this high with PGD this far below: further than a training that is only not finished yet. */
const high = 0.65
const farApart = 0.55
/** Of the steps taken, the last part over which the loss must have stood still. */
const stillFor = 0.5

/** What the curve shows at its end, or nothing. Shares are 0 to 1. */
export function findCollapse(history: readonly HistoryPoint[], classes: number): Collapse | undefined {
  const last = history.at(-1)
  if (!last) return undefined
  const chance = Math.log(classes)
  const recent = history.filter(({ step }) => step > last.step * (1 - stillFor))
  if (recent.length >= 2 && recent.every(({ loss }) => Math.abs(loss - chance) <= nearChance * chance))
    return { kind: 'stuck', step: last.step, loss: last.loss, chance }
  const read = history.filter(
    ({ fgsmAccuracy, pgdAccuracy }) => fgsmAccuracy !== undefined && pgdAccuracy !== undefined,
  )
  const end = read.at(-1)
  if (!end) return undefined
  const bestPgd = Math.max(...read.map(({ pgdAccuracy }) => pgdAccuracy!))
  const [fgsm, pgd] = [end.fgsmAccuracy!, end.pgdAccuracy!]
  const gone = bestPgd - pgd >= lost && fgsm - pgd >= apart
  const neverCame = fgsm >= high && fgsm - pgd >= farApart
  if (gone || neverCame) return { kind: 'catastrophic-overfitting', step: end.step, fgsm, pgd, bestPgd }
  return undefined
}
