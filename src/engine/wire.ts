/**
 * Reads values that came from a learner's program. Everything here is untrusted: only own data
 * properties are looked at (a getter or a polluted prototype answers nothing), lengths are counted and
 * never believed, and what passes is a fresh copy that the sender cannot change afterwards.
 * The range of pixels is *not* checked: leaving [0, 1] is a graded row, so that the learner is told.
 */
import { PerturbError } from '../core/errors.ts'
import type { LossSpec } from '../core/losses.ts'
import type { WireTensor } from './capability-protocol.ts'

/** Most rows one call may ask about; a program with more of them asks twice. */
export const maxRows = 4096
/** Most numbers in one tensor: 64 MiB of float32. */
const maxElements = 16 * 1024 * 1024

/** An own, plain property, or undefined: never a getter, never inherited. */
export function own(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.getOwnPropertyDescriptor(value, key)?.value
}

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object
const kindOf = Object.getOwnPropertyDescriptor(typedArray, Symbol.toStringTag)!.get!
const lengthOf = Object.getOwnPropertyDescriptor(typedArray, 'length')!.get!

/** The true kind of a typed array ("Float32Array"), whatever it says of itself; undefined for anything else. */
function typedKind(value: unknown): string | undefined {
  return kindOf.call(value) as string | undefined
}

/**
 * A float32 tensor of shape (N, …rowShape), 1 ≤ N ≤ 4096, all finite. `what` names it in the error,
 * e.g. "victim.logits: x". `rows` fixes N. Throws `bad-input`.
 */
export function readTensor(
  what: string,
  value: unknown,
  rowShape: readonly number[],
  rows?: number,
): WireTensor & { values: Float32Array } {
  const wanted = `float32 of shape (${[rows ?? 'N', ...rowShape].join(', ')})`
  const wrong = (got: string, next = '') =>
    new PerturbError('bad-input', `${what} must be ${wanted}; got ${got}${next && `. ${next}`}`)
  if (typeof value !== 'object' || value === null || Array.isArray(value) || typedKind(value))
    throw wrong(describe(value), 'Make a tensor of it with tf.tensor(values, shape)')

  const shape = readShape(own(value, 'shape'))
  if (!shape) throw wrong('no readable shape', 'Send a tensor that tf made')
  const fits = shape.length === rowShape.length + 1 && rowShape.every((size, i) => shape[i + 1] === size)
  if (!fits || (rows !== undefined && shape[0] !== rows))
    throw wrong(`shape (${shape.join(', ')})`, 'Reshape it with tf.reshape')
  if (shape[0]! < 1) throw wrong('no rows', 'Ask about at least one image')
  if (shape[0]! > maxRows) throw wrong(`${shape[0]} rows`, `Ask about at most ${maxRows} at a time`)
  const size = shape.reduce((product, n) => product * n, 1)
  if (size > maxElements) throw wrong(`${size} numbers`, `Ask about at most ${maxElements} numbers at a time`)

  const dtype = own(value, 'dtype')
  const values = own(value, 'values')
  const kind = typedKind(values)
  if (dtype !== 'float32' || kind !== 'Float32Array')
    throw wrong(
      `dtype ${typeof dtype === 'string' ? dtype.slice(0, 20) : describe(dtype)} with ${kind ?? describe(values)}`,
      'Convert it, e.g. with tf.mul(x, 1.0) or tf.tensor',
    )
  const length = lengthOf.call(values) as number
  if (length === 0)
    throw wrong(
      'a buffer that is empty or was handed to someone else',
      'Keep the values until the answer has come',
    )
  if (length !== size)
    throw wrong(`${length} values where the shape needs ${size}`, 'Shape and values must agree')

  const copy = new Float32Array(values as Float32Array)
  for (let i = 0; i < copy.length; i++)
    if (!Number.isFinite(copy[i]))
      throw wrong(`${copy[i]} at element ${i}`, 'Look for a division by zero or the logarithm of 0')
  return { shape, dtype: 'float32', values: copy }
}

/** One class a row, from an array or a typed array of whole numbers. Throws `bad-input`. */
export function readLabels(what: string, value: unknown, rows: number, numClasses: number): Int32Array {
  const wanted = `one class from 0 to ${numClasses - 1} for each of the ${rows} rows`
  const wrong = (got: string) => new PerturbError('bad-input', `${what} must be ${wanted}; got ${got}`)
  const list = typedKind(value) ? value : Array.isArray(value) ? value : own(value, 'values')
  const typed = typedKind(list)
  if (!typed && !Array.isArray(list)) throw wrong(describe(value))
  if (typed?.startsWith('Big')) throw wrong(typed)
  const length = typed ? (lengthOf.call(list) as number) : (own(list, 'length') as number)
  if (length !== rows) throw wrong(`${length}`)
  const labels = new Int32Array(rows)
  for (let i = 0; i < rows; i++) {
    const label = typed ? (list as Float32Array)[i] : own(list, i)
    if (typeof label !== 'number' || !Number.isInteger(label) || label < 0 || label >= numClasses)
      throw wrong(`${describe(label)} at row ${i}`)
    labels[i] = label
  }
  return labels
}

/** Which loss to climb; cross-entropy when absent. A field that the loss does not read is an error. */
export function readLoss(
  what: string,
  value: unknown,
  rows: number,
  numClasses: number,
): LossSpec | undefined {
  if (value === undefined || value === null) return undefined
  const kind = own(value, 'kind')
  if (kind !== 'cross-entropy' && kind !== 'margin' && kind !== 'dlr')
    throw new PerturbError(
      'bad-input',
      `${what}.kind must be "cross-entropy", "margin" or "dlr"; got ${describe(kind)}`,
    )
  const extra = Object.keys(value as object).find(
    (key) => key !== 'kind' && !(kind === 'dlr' && key === 'targets'),
  )
  if (extra !== undefined)
    throw new PerturbError(
      'bad-input',
      `${what}: "${extra.slice(0, 40)}" has no effect on the ${kind} loss; leave it out`,
    )
  if (kind !== 'dlr') return { kind }
  const targets = own(value, 'targets')
  return targets === undefined
    ? { kind }
    : { kind, targets: readLabels(`${what}.targets`, targets, rows, numClasses) }
}

/** A whole number between two others. */
export function readWhole(what: string, value: unknown, low: number, high: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high) return value
  throw new PerturbError(
    'bad-input',
    `${what} must be a whole number from ${low} to ${high}; got ${describe(value)}`,
  )
}

/** A short word for a value that may be anything; never calls anything of it. */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return `"${value.slice(0, 40)}"`
  if (typeof value === 'number' || typeof value === 'boolean' || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  const kind = typedKind(value)
  return kind ? `a ${kind}` : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function readShape(value: unknown): number[] | undefined {
  if (!Array.isArray(value)) return undefined
  const length = own(value, 'length') as number
  if (length < 1 || length > 6) return undefined
  const shape: number[] = []
  for (let i = 0; i < length; i++) {
    const size = own(value, i)
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined
    shape.push(size)
  }
  return shape
}
