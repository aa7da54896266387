/**
 * Schema and range validation: what a column may hold is written down, and a row that breaks it never reaches
 * the training. Breck, Polyzotis, Roy, Whang, Zinkevich 2019, "Data Validation for Machine Learning", §3
 * (MLSys): a schema of expected types and domains, anomalies named one by one, and the distance L∞ between
 * two distributions to see a shift.
 *
 * It stops broken and clumsy data. A flipped label on an honest row breaks no rule: this is the first gate
 * and not the last.
 */
import { PerturbError } from '../../core/errors.ts'
import { rowSize, type LabelledRows } from '../../data/labelled-rows.ts'

export interface ColumnRule {
  name: string
  /** Smallest and largest legal value. */
  min: number
  max: number
  /** Are only whole numbers legal? */
  whole?: boolean
  /** The only legal values, e.g. 0 and 1 of a flag. */
  allowed?: readonly number[]
}

/** One rule for each number of a row. */
export type Schema = readonly ColumnRule[]

export interface Violation {
  /** The row, by its id. */
  id: number
  /** The column's name; "label" or "id" when it is none of the columns. */
  column: string
  value: number
  /** What it should have been, in words. */
  expected: string
}

/**
 * Every rule that a row breaks, in the order of the rows: a number that is not finite, out of its range, not
 * whole or not among those allowed; a label that is no class; an id that came before. Unlike all else here it
 * takes data that are broken. Throws `bad-input` when the schema has not one rule a column, or a rule allows
 * nothing.
 */
export function violations(data: LabelledRows, schema: Schema): Violation[] {
  const size = rowSize(data)
  checkSchema(schema, size)
  const found: Violation[] = []
  const seen = new Set<number>()
  for (const [place, id] of data.ids.entries()) {
    if (seen.has(id)) found.push({ id, column: 'id', value: id, expected: 'an id of its own' })
    seen.add(id)
    for (const [k, rule] of schema.entries()) {
      const value = data.x[place * size + k]!
      const expected = brokenRule(rule, value)
      if (expected) found.push({ id, column: rule.name, value, expected })
    }
    const label = data.labels[place]!
    if (!(label >= 0 && label < data.numClasses))
      found.push({ id, column: 'label', value: label, expected: `a class from 0 to ${data.numClasses - 1}` })
  }
  return found
}

function brokenRule({ min, max, whole, allowed }: ColumnRule, value: number): string | undefined {
  if (!Number.isFinite(value)) return 'a finite number'
  if (value < min || value > max) return `from ${min} to ${max}`
  if (whole && !Number.isInteger(value)) return 'a whole number'
  // Rows are float32: 0.1 is not there, its nearest neighbour is.
  if (allowed && !allowed.some((legal) => Math.fround(legal) === value)) return `one of ${allowed.join(', ')}`
  return undefined
}

function checkSchema(schema: Schema, size: number): void {
  if (schema.length !== size)
    throw new PerturbError('bad-input', `schema: expected ${size} rules, one a column; got ${schema.length}`)
  for (const { name, min, max, allowed } of schema)
    if (!(min <= max) || allowed?.length === 0)
      throw new PerturbError(
        'bad-input',
        `schema: the rule for ${name} allows nothing; got ${allowed?.length === 0 ? 'no value' : `from ${min} to ${max}`}`,
      )
}

/**
 * A schema read off trusted rows: each column's range, widened by `margin` of its width on either side, and
 * whether it is whole. A column of at most `fewValues` different values allows just those. Throws `bad-input`
 * for no rows, a number that is not finite, or a name too few; RangeError for a negative margin.
 */
export function schemaOf(
  trusted: LabelledRows,
  names: readonly string[],
  { margin = 0.1, fewValues = 2 } = {},
): Schema {
  const size = rowSize(trusted)
  if (!(margin >= 0)) throw new RangeError(`schemaOf: margin must be at least 0; got ${margin}`)
  if (trusted.ids.length === 0 || names.length !== size)
    throw new PerturbError(
      'bad-input',
      `schemaOf: expected trusted rows and ${size} names, one a column; got ${trusted.ids.length} rows and ${names.length} names`,
    )
  return names.map((name, k): ColumnRule => {
    const column = Array.from(trusted.ids.keys(), (place) => trusted.x[place * size + k]!)
    const bad = column.findIndex((value) => !Number.isFinite(value))
    if (bad >= 0)
      throw new PerturbError(
        'bad-input',
        `schemaOf: row ${trusted.ids[bad]} has ${column[bad]} as ${name}; trusted rows must be finite`,
      )
    const values = [...new Set(column)].sort((a, b) => a - b)
    const [low, high] = [values[0]!, values.at(-1)!]
    if (values.length <= fewValues) return { name, min: low, max: high, allowed: values }
    const room = margin * (high - low)
    return {
      name,
      min: low - room,
      max: high + room,
      ...(values.every(Number.isInteger) && { whole: true }),
    }
  })
}

/**
 * By how much the share of any class has moved between two sets, and of which: Breck et al.'s L∞ distance. A
 * set without rows has no shares: RangeError.
 */
export function labelShift(before: LabelledRows, after: LabelledRows): { distance: number; label: number } {
  const shares = [before, after].map(({ labels, numClasses }) => {
    if (labels.length === 0) throw new RangeError('labelShift: both sets must have rows; got one without')
    const counts = new Float64Array(numClasses)
    for (const label of labels) counts[label]! += 1
    return counts.map((count) => count / labels.length)
  }) as [Float64Array, Float64Array]
  let [distance, label] = [0, 0]
  for (let k = 0; k < shares[0].length; k++) {
    const moved = Math.abs(shares[0][k]! - (shares[1][k] ?? 0))
    if (moved > distance) [distance, label] = [moved, k]
  }
  return { distance, label }
}
