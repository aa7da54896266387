import type { EvidenceRow } from '../grading/verdict.ts'
import type { CheckpointSpec } from './manifest.ts'

/** "at least 75 %", "at most 3,200": a need that says its bar in one number, and nothing else. */
const plainNeed = /^at (least|most) ([\d,]*\.?\d+)(?: ?(%))?$/

/**
 * Does `needs` in lab.json say the bars that the grader's rows demand? Needs in other words ("inside [0, 1]",
 * "at most 1.22 × the referee's own") are the author's; each plain number must be a row's bar, and when all needs
 * are plain or about the range, each row's bar must be told. The first that does not agree, in words.
 */
export function disagreement(
  needs: CheckpointSpec['needs'],
  rows: readonly EvidenceRow[],
): string | undefined {
  const plain = needs.flatMap(({ name, value }) => {
    const found = plainNeed.exec(value)
    return found ? [{ name, relation: `at-${found[1]}`, bar: Number(found[2]!.replace(/,/g, '')) }] : []
  })
  const says = (row: EvidenceRow) =>
    `${row.needed.relation.replace('-', ' ')} ${row.needed.value}${row.unit && ` ${row.unit}`}`
  const strange = plain.find(
    ({ relation, bar }) => !rows.some(({ needed }) => needed.relation === relation && needed.value === bar),
  )
  if (strange)
    return `"${strange.name}" needs ${strange.relation.replace('-', ' ')} ${strange.bar}, and no row of the grader does; its rows need ${rows.map(says).join(', ')}`
  const free = needs.filter(({ value }) => !plainNeed.test(value) && !/inside/.test(value))
  const untold = rows.find(
    ({ id, needed }) =>
      id !== 'range' &&
      !plain.some(({ relation, bar }) => needed.relation === relation && needed.value === bar),
  )
  if (free.length === 0 && untold)
    return `the grader's row "${untold.name}" needs ${says(untold)}, and no need tells it`
  return undefined
}
