import type { FetchBytes } from '../core/backends.ts'
import { PerturbError } from '../core/errors.ts'
import { tensor } from '../core/tf.ts'
import type { DataSet, Split } from './data-set.ts'
import { fetchShippedText } from './shipped.ts'

/** schema.json of a table: numeric columns with the training rows' mean and deviation, and the class last. */
interface Schema {
  file: string
  rows: number
  trainRows: number
  target: string
  classes: string[]
  /** What one row is about, in a word. */
  noun?: string
  columns: { name: string; type: string; mean?: number; std?: number }[]
}

/**
 * Loads a table of static/data/<name>/ (schema.json and its CSV): every number standardised with the training rows' mean
 * and deviation, the first `trainRows` rows as the training split. A row is a picture of one pixel to the rest of the
 * house: shape [1, 1, measurements]. Throws PerturbError `missing`, `checksum` or `unreadable`, naming the file.
 */
export async function loadTable(name: string, fetchBytes: FetchBytes): Promise<DataSet> {
  const folder = `data/${name}`
  const schema = JSON.parse(await fetchShippedText(`${folder}/schema.json`, fetchBytes)) as Schema
  const path = `${folder}/${schema.file}`
  return parseTable(name, schema, await fetchShippedText(path, fetchBytes), path)
}

export function parseTable(name: string, schema: Schema, text: string, path: string): DataSet {
  const { classes, columns, target, rows, trainRows, noun = 'row' } = schema
  const [header = '', ...lines] = text.split(/\r?\n/).filter((line) => line !== '')
  const names = columns.map((column) => column.name)
  if (header !== names.join(','))
    throw unreadable(path, `its first line must name the columns of schema.json; got ${header.slice(0, 80)}`)
  if (lines.length !== rows) throw unreadable(path, `expected ${rows} rows, got ${lines.length}`)
  const inputs = columns.filter((column) => column.name !== target)
  const strange = inputs.find(({ type, mean, std }) => type !== 'number' || mean === undefined || !(std! > 0))
  if (strange)
    throw unreadable(
      path,
      `column ${strange.name} must be a number with a mean and a deviation in schema.json`,
    )
  const at = names.indexOf(target)
  const values = new Float32Array(rows * inputs.length)
  const labels = new Uint8Array(rows)
  for (const [row, line] of lines.entries()) {
    const cells = line.split(',')
    const label = classes.indexOf(cells[at] ?? '')
    if (cells.length !== names.length || label < 0)
      throw unreadable(
        path,
        `row ${row + 1} must have ${names.length} cells and a class of ${classes.join(', ')}`,
      )
    labels[row] = label
    const numbers = cells.filter((_, i) => i !== at)
    for (const [i, { name: column, mean, std }] of inputs.entries()) {
      const cell = numbers[i]!
      const value = (Number(cell) - mean!) / std!
      if (cell.trim() === '' || !Number.isFinite(value))
        throw unreadable(path, `row ${row + 1}, ${column}: expected a number, got "${cell.slice(0, 20)}"`)
      values[row * inputs.length + i] = value
    }
  }
  const split = (from: number, to: number) => splitOf(values, labels, inputs.length, from, to, path)
  return {
    name,
    noun,
    shape: [1, 1, inputs.length],
    features: inputs.map(({ name: column, mean, std }) => ({
      name: column,
      title: column,
      scale: 'linear',
      low: mean!,
      high: mean! + std!,
    })),
    classes,
    train: split(0, trainRows),
    test: split(trainRows, rows),
  }
}

function splitOf(
  values: Float32Array,
  labels: Uint8Array,
  width: number,
  from: number,
  to: number,
  path: string,
): Split {
  const count = to - from
  const pixels = (ids: ArrayLike<number>) => {
    const out = new Float32Array(ids.length * width)
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!
      if (!Number.isInteger(id) || id < 0 || id >= count)
        throw new PerturbError(
          'bad-input',
          `${path}: no row ${id}; ids are whole numbers from 0 to ${count - 1}`,
        )
      out.set(values.subarray((from + id) * width, (from + id + 1) * width), i * width)
    }
    return out
  }
  return {
    count,
    labels: labels.slice(from, to),
    pixels,
    images: (ids) => tensor(pixels(ids), [ids.length, 1, 1, width]),
  }
}

const unreadable = (path: string, what: string) => new PerturbError('unreadable', `${path}: ${what}`)
