/**
 * The first look at what a program hands in, made where the program runs (for an error at its own line),
 * again in the frame and again on the page. Range and ids are graded, not refused here.
 */
import type { PoisonList } from '../attacks/poison-list.ts'
import type { Trigger } from '../attacks/trigger.ts'
import { PerturbError } from '../core/errors.ts'
import { dropped } from '../data/change-list.ts'
import { surrogateName, type Artefact } from '../grading/artefact.ts'

export type AdversarialExamples = Extract<Artefact, { kind: 'adversarial-examples' }>
export type Scores = Extract<Artefact, { kind: 'scores' }>
export type Changes = Extract<Artefact, { kind: 'change-list' }>
/** The model in the run's trainer. The engine has its weights, and the page takes them from there; a program never does. */
export interface TrainedModel {
  kind: 'trained-model'
}
/** A model of the program's own making, tensor by tensor. */
export type OwnModel = Extract<Artefact, { kind: 'model-weights' }>
/** What a program may hand in. */
export type HandIn = AdversarialExamples | Scores | Changes | OwnModel | TrainedModel

export const maxArtefactBytes = 64 * 1024 * 1024
const maxRows = 100_000

const maxColumns = 100
const maxTensors = 100

/** Builds a fresh object from own properties only. Throws PerturbError `bad-input`: what, expected, got. */
export function checkSubmission(value: unknown, maxBytes = maxArtefactBytes): HandIn {
  if (own(value, 'kind') === 'trained-model') return { kind: 'trained-model' }
  const tensors = own(value, 'tensors')
  if (tensors !== undefined) return checkModel(tensors, maxBytes)
  if (own(value, 'kind') === 'change-list') return checkChanges(value, maxBytes)
  const ids = own(value, 'ids')
  const columns = own(value, 'columns')
  if (!Array.isArray(ids) || ids.length === 0 || ids.length > maxRows || !ids.every(isIndex)) {
    refuse(
      `ids must be a list of 1 to ${maxRows.toLocaleString('en')} whole numbers, as data.sample() gives them; got ${describe(ids)}`,
    )
  }
  return columns === undefined ? checkExamples(value, ids, maxBytes) : checkScores(columns, ids)
}

function checkModel(tensors: unknown, maxBytes: number): OwnModel {
  if (!Array.isArray(tensors) || tensors.length === 0 || tensors.length > maxTensors)
    refuse(`weights must hold 1 to ${maxTensors} tensors by name; got ${describe(tensors)}`)
  let bytes = 0
  const checked = tensors.map((tensor: unknown) => {
    const name = own(tensor, 'name')
    const shape = own(tensor, 'shape')
    const values = own(tensor, 'values')
    if (typeof name !== 'string' || name.length > 64)
      refuse(`weights must go by short names; got ${describe(name)}`)
    if (!(values instanceof Float32Array))
      refuse(`weights.${name} must be a list of numbers or a tensor; got ${describe(values)}`)
    bytes += values.byteLength
    if (bytes > maxBytes)
      refuse(
        `weights may hold at most ${mebibytes(maxBytes)} MiB together; got ${mebibytes(bytes)} MiB and more`,
      )
    if (!Array.isArray(shape) || shape.length > 6 || !shape.every(isIndex))
      refuse(`weights.${name} must have a shape of whole numbers; got ${describeShape(shape)}`)
    const expected = shape.reduce((product: number, size: number) => product * size, 1)
    if (values.length !== expected)
      refuse(
        `weights.${name} of shape ${describeShape(shape)} must hold ${expected} numbers; got ${values.length} (was its buffer transferred or detached?)`,
      )
    const bad = values.findIndex((number) => !Number.isFinite(number))
    if (bad >= 0)
      refuse(
        `weights.${name} must be finite; got ${values[bad]} as number ${bad}. The log-odds of an answer of exactly 0 or 1 is the usual cause`,
      )
    return { name, shape: [...shape] as number[], values: values.slice() }
  })
  return { kind: 'model-weights', model: surrogateName, tensors: checked }
}

/** Whether the rows exist and the labels are classes is the referee's to say. */
function checkChanges(value: unknown, maxBytes: number): Changes {
  const [ids, labels, values] = [own(value, 'ids'), own(value, 'labels'), own(value, 'values')]
  if (!Array.isArray(ids) || ids.length > maxRows || !ids.every(isIndex))
    refuse(
      `changes must name up to ${maxRows.toLocaleString('en')} rows by the ids that data.sample() gives; got ${describe(ids)}`,
    )
  if (!Array.isArray(labels) || labels.length !== ids.length || !labels.every(isLabel))
    refuse(`changes must give each row a class number, or 'drop'; got ${describe(labels)}`)
  const list: Changes = {
    kind: 'change-list',
    ids: [...ids],
    labels: [...labels],
    ...checkBackdoor(value, maxBytes),
  }
  if (values === undefined) return list
  if (!(values instanceof Float32Array)) refuse(`x must be a float32 tensor; got ${describe(values)}`)
  if (values.byteLength > maxBytes)
    refuse(`x may hold at most ${mebibytes(maxBytes)} MiB; got ${mebibytes(values.byteLength)} MiB`)
  const bad = values.findIndex((number) => !Number.isFinite(number))
  if (bad >= 0) refuse(`x must hold finite numbers; number ${bad} is ${values[bad]}`)
  return { ...list, values: values.slice() }
}

/** Whether the trigger fits on the images is the referee's to say. */
function checkBackdoor(value: unknown, maxBytes: number): Pick<PoisonList, 'trigger' | 'stamped'> {
  const [trigger, stamped] = [own(value, 'trigger'), own(value, 'stamped')]
  if (trigger === undefined && stamped === undefined) return {}
  if (!Array.isArray(stamped) || stamped.length > maxRows || !stamped.every(isIndex))
    refuse(`stamped must name the rows that carry the trigger by their ids; got ${describe(stamped)}`)
  if (trigger === undefined) return { stamped: [...stamped] }
  const field = (name: string): unknown => {
    const part = own(trigger, name)
    if (!Array.isArray(part)) return part
    if (part.length * 4 > maxBytes || !part.every((number) => typeof number === 'number'))
      refuse(`trigger.${name} must be a list of numbers; got ${describe(part)}`)
    return [...part]
  }
  const names = triggerFields.filter((name) => own(trigger, name) !== undefined)
  return {
    trigger: Object.fromEntries(names.map((name) => [name, field(name)])) as unknown as Trigger,
    stamped: [...stamped],
  }
}

const triggerFields = [
  'kind',
  'top',
  'left',
  'height',
  'width',
  'pixels',
  'opacity',
  'amplitude',
  'frequency',
  'along',
] as const

function checkScores(columns: unknown, ids: number[]): Scores {
  if (!Array.isArray(columns) || columns.length === 0 || columns.length > maxColumns)
    refuse(`scores must hold 1 to ${maxColumns} lists by name; got ${describe(columns)}`)
  const checked = columns.map((column: unknown) => {
    const name = own(column, 'name')
    const values = own(column, 'values')
    if (typeof name !== 'string' || name.length > 64)
      refuse(`scores must go by short names; got ${describe(name)}`)
    if (!(values instanceof Float32Array))
      refuse(`scores.${name} must be a list of numbers; got ${describe(values)}`)
    if (values.length !== ids.length)
      refuse(
        `scores.${name} must hold one number for each of the ${ids.length} ids; got ${values.length} (was its buffer transferred or detached?)`,
      )
    const bad = values.findIndex((number) => !Number.isFinite(number))
    if (bad >= 0) refuse(`scores.${name} must be finite; got ${values[bad]} in row ${bad}`)
    return { name, values: values.slice() }
  })
  return { kind: 'scores', ids: [...ids], columns: checked }
}

function checkExamples(value: unknown, ids: number[], maxBytes: number): AdversarialExamples {
  const shape = own(value, 'shape')
  const pixels = own(value, 'pixels')
  if (!(pixels instanceof Float32Array)) refuse(`x must be a float32 tensor; got ${describe(pixels)}`)
  if (pixels.byteLength > maxBytes) {
    refuse(`x may hold at most ${mebibytes(maxBytes)} MiB; got ${mebibytes(pixels.byteLength)} MiB`)
  }
  if (!Array.isArray(shape) || shape.length < 2 || shape.length > 6 || !shape.every(isIndex)) {
    refuse(`x must have one row an image, e.g. shape (${ids.length}, 28, 28, 1); got ${describeShape(shape)}`)
  }
  if (shape[0] !== ids.length) {
    refuse(`x must have one row for each of the ${ids.length} ids; got shape ${describeShape(shape)}`)
  }
  const expected = shape.reduce((product: number, size: number) => product * size, 1)
  if (pixels.length !== expected || expected === 0) {
    refuse(
      `x of shape ${describeShape(shape)} must hold ${expected} numbers; got ${pixels.length} (was its buffer transferred or detached?)`,
    )
  }
  const bad = pixels.findIndex((pixel) => !Number.isFinite(pixel))
  if (bad >= 0) {
    const row = Math.floor(bad / (expected / ids.length))
    refuse(
      `x must hold finite numbers; got ${pixels[bad]} in row ${row}. A division by zero or the log of zero is the usual cause`,
    )
  }
  return { kind: 'adversarial-examples', ids: [...ids], shape: [...shape], pixels: pixels.slice() }
}

/** An own property, so that what a program put on Object.prototype is not taken for its answer. */
export function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined
}

const isIndex = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isLabel = (value: unknown): value is number => isIndex(value) || value === dropped
const mebibytes = (bytes: number) => Math.round(bytes / 1024 / 1024)

function refuse(sentence: string): never {
  throw new PerturbError('bad-input', `submit: ${sentence}`)
}

function describeShape(shape: unknown): string {
  return Array.isArray(shape) ? `(${shape.slice(0, 8).map(String).join(', ')})` : describe(shape)
}

export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length ? `a list of ${value.length}` : 'an empty list'
  if (ArrayBuffer.isView(value))
    return `${/^[AEIOU]/.test(value.constructor.name) ? 'an' : 'a'} ${value.constructor.name}`
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'string') return `the text "${value.slice(0, 40)}"`
  return `${typeof value === 'function' ? 'a function' : String(value)}`
}
