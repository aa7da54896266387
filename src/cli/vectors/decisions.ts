/** Attacks on decisions against a file's lengths: the nearest misreading that so many queries found. */
import { hopSkipJump } from '../../attacks/evasion/hop-skip-jump.ts'
import type { EvasionRun } from '../../attacks/attack.ts'
import type { DecisionOracle } from '../../core/classifier.ts'
import { QueryLedger } from '../../core/ledger.ts'
import { decisionOracle } from '../../core/oracle.ts'
import type { Model } from '../../models/model.ts'
import { evaluationRows, meanOf, medianOf, seedsOf, within } from './aggregates.ts'
import type { Json } from './json.ts'
import { tensorFor, type Pack } from './pack.ts'
import type { Check } from './verify.ts'

/** Median and mean length over images, each averaged over the seeds. */
export interface Lengths {
  median: number
  mean: number
}

type DecisionAttack = EvasionRun<DecisionOracle, { maxQueries: number }>

/** Runs an attack on a file's images with each of its seeds. Queries for the start count, which the files leave out. */
export async function lengthsOf(
  attack: DecisionAttack,
  model: Model,
  maxQueries: number,
  file: Json,
  pack: Pack,
): Promise<Lengths> {
  const rows = await evaluationRows(file, pack)
  const lengths = []
  for (const seed of seedsOf(file)) {
    const x = tensorFor(model, rows, file.get('inputs'))
    const criterion = { kind: 'misclassification', labels: rows.labels } as const
    const oracle = decisionOracle(model, new QueryLedger())
    const { adversarial } = await attack(oracle, x, criterion, { maxQueries }, { seed })
    const read = await model.predict(adversarial)
    const values = await adversarial.data()
    x.dispose()
    adversarial.dispose()
    lengths.push(
      Array.from(rows.labels, (label, row) => {
        if (read[row] === label) return Infinity
        let squares = 0
        for (let i = row * rows.width; i < (row + 1) * rows.width; i++)
          squares += (values[i]! - rows.values[i]!) ** 2
        return Math.sqrt(squares)
      }),
    )
  }
  return { median: meanOf(lengths.map(medianOf)), mean: meanOf(lengths.map(meanOf)) }
}

/** Both lengths against one case; being shorter than the file is no fault. */
export function* compareLengths(
  name: string,
  got: Lengths,
  expected: Json,
  percent: number,
): Generator<Check> {
  for (const [key, length] of [
    ['median_l2', got.median],
    ['mean_l2', got.mean],
  ] as const) {
    const mean = expected.get(key).get('mean').number()
    yield within(`${name} ${key}`, length, mean, (percent / 100) * mean, { lowerIsBetter: true })
  }
}

export const hopSkipJumpL2: DecisionAttack = (oracle, x, criterion, { maxQueries }, run) =>
  hopSkipJump(oracle, x, criterion, { maxQueries, norm: 'l2' }, run)
