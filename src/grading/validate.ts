import { checkTrigger, type Trigger } from '../attacks/trigger.ts'
import { PerturbError } from '../core/errors.ts'
import { dropped, profileStride } from '../data/change-list.ts'
import { surrogateName, type Artefact, type ArtefactKind } from './artefact.ts'
import { rejected } from './rows.ts'
import type { Verdict } from './verdict.ts'

/** What a well-formed hand-in for one task looks like. */
export type Expected =
  | { kind: 'adversarial-examples'; ids: readonly number[]; inputShape: readonly number[] }
  | { kind: 'model-weights'; model: string; tensors: readonly { name: string; shape: readonly number[] }[] }
  | { kind: 'scores'; ids: readonly number[]; columns: readonly string[] }
  | {
      /** Ratings of invented shoppers, as cells (`profileChanges`): so many shoppers at most. */
      kind: 'change-list'
      of: 'profiles'
      most: number
      numItems: number
      scale: readonly [lowest: number, highest: number]
    }
  /** Shoppers who are left out, by number. */
  | { kind: 'change-list'; of: 'shoppers'; numUsers: number }
  | {
      kind: 'change-list'
      of?: 'rows'
      /** Rows that may be changed. */
      ids: readonly number[]
      classes: readonly string[]
      /** Rows may be taken out. */
      mayDrop: boolean
      /** Numbers of one row, where these may be changed too. */
      rowSize?: number
      /** Shape of the images, where a trigger for them must come along. */
      triggerOn?: readonly number[]
    }
  | { kind: 'answer' }

export type Parsed =
  | { artefact: Artefact; rejected?: undefined; next?: undefined }
  | {
      artefact?: undefined
      rejected: Verdict
      /** What to do about this very fault, where that is known; it holds outside a hand-in as well. */
      next?: string
    }

/** 64 MB of float32: far above any lab's need, far below what takes a tab down. */
export const maxElements = 16 * 1024 * 1024

/**
 * Turns whatever came out of a sandbox, a file or a page into a fresh, plain artefact, or into a
 * `rejected` verdict whose headline says what, expected, got. Reads own properties only, so nothing on
 * a prototype can stand in for a field, and never calls anything that belongs to the object.
 * The range of pixels is *not* checked: leaving [0, 1] is a graded row, so that it can be made and told.
 */
export function parseArtefact(untrusted: unknown, expected: Expected): Parsed {
  try {
    const artefact = read(untrusted, expected)
    return { artefact }
  } catch (error) {
    if (error instanceof Malformed) {
      const next = error.next ?? nextFor(expected)
      return { rejected: rejected(error.message, next), next: next === nextFor(expected) ? undefined : next }
    }
    // A getter or a proxy of the object threw: its own doing, so still a rejection.
    const reason = 'The hand-in cannot be read: reading one of its fields throws.'
    return { rejected: rejected(reason, nextFor(expected)) }
  }
}

class Malformed extends Error {
  constructor(
    message: string,
    /** What to do, where it is not the same for every fault of such a hand-in. */
    readonly next?: string,
  ) {
    super(message)
  }
}

function nextFor(expected: Expected): string {
  switch (expected.kind) {
    case 'adversarial-examples':
      return 'Next: hand in what `data.sample()` gave you, changed: `submit({ ids, x: adversarial })`.'
    case 'model-weights':
      return expected.model === surrogateName
        ? `Next: hand in each tensor once, by its name: \`submit({ weights: { ${expected.tensors.map(({ name }) => name).join(', ')} } })\`.`
        : 'Next: train the repair again and hand that in; the weights must be those of this model.'
    case 'scores':
      return `Next: hand in one number for each id and each of ${expected.columns.join(', ')}, and nothing else.`
    case 'change-list':
      return expected.of === 'profiles' ? nextProfiles : nextChanges
    case 'answer':
      return nextAnswer
  }
}
const nextProfiles =
  'Next: hand in a list of profiles, each item once in a profile: `submit({ profiles: [[{ item, stars }]] })`.'
const nextChanges =
  'Next: hand in each row that you change once, by its id: `submit({ changes: [{ id, label }] })`.'
const nextAnswer = 'Next: choose an option on the page and hand it in again.'

function read(untrusted: unknown, expected: Expected): Artefact {
  if (typeof untrusted !== 'object' || untrusted === null || Array.isArray(untrusted)) {
    throw new Malformed(`The hand-in must be an object; got ${describe(untrusted)}.`)
  }
  const kind = own(untrusted, 'kind')
  if (kind !== expected.kind) {
    throw new Malformed(
      `This checkpoint takes ${articled(expected.kind)}; got ${typeof kind === 'string' ? `"${clip(kind)}"` : describe(kind)}.`,
    )
  }
  switch (expected.kind) {
    case 'adversarial-examples':
      return readExamples(untrusted, expected)
    case 'model-weights':
      return readWeights(untrusted, expected)
    case 'scores':
      return readScores(untrusted, expected)
    case 'change-list':
      return expected.of === 'profiles'
        ? readProfiles(untrusted, expected)
        : expected.of === 'shoppers'
          ? readLeftOut(untrusted, expected)
          : readChanges(untrusted, expected)
    case 'answer':
      return readAnswer(untrusted)
  }
}

function readExamples(
  untrusted: object,
  expected: Extract<Expected, { kind: 'adversarial-examples' }>,
): Artefact {
  const shape = integers(own(untrusted, 'shape'), 'shape', 8)
  const wanted = [expected.ids.length, ...expected.inputShape]
  if (!same(shape, wanted)) {
    throw new Malformed(
      `The images must have the shape [${wanted}]; got [${shape}].`,
      'Next: keep every image and its order, and return a tensor of the shape you were given.',
    )
  }
  const ids = readIds(untrusted, expected.ids)
  const pixels = floats(own(untrusted, 'pixels'), product(wanted), 'pixels')
  return { kind: 'adversarial-examples', ids, shape, pixels }
}

function readIds(untrusted: object, expected: readonly number[]): number[] {
  const ids = integers(own(untrusted, 'ids'), 'ids', expected.length + 1)
  if (!same(ids, expected)) {
    const at = ids.findIndex((id, i) => id !== expected[i])
    const got =
      ids.length === expected.length
        ? `number ${at + 1} is ${ids[at]}, not ${expected[at]}`
        : `${ids.length} of ${expected.length}`
    throw new Malformed(
      `The ids must be those of your own variant, in order; got ${got}.`,
      'Next: pass on the `ids` that `data.sample()` gave you, unchanged. Another learner has other images.',
    )
  }
  return ids
}

/** Columns may come in any order, and come out in the task's. */
function readScores(untrusted: object, expected: Extract<Expected, { kind: 'scores' }>): Artefact {
  const ids = readIds(untrusted, expected.ids)
  const list = own(untrusted, 'columns')
  if (!Array.isArray(list) || list.length !== expected.columns.length)
    throw new Malformed(
      `The scores must have the columns ${expected.columns.join(', ')}; got ${Array.isArray(list) ? list.length : describe(list)}.`,
    )
  const given = new Map<string, unknown>()
  for (let i = 0; i < list.length; i++) {
    const item: unknown = own(list, String(i))
    if (typeof item !== 'object' || item === null)
      throw new Malformed(`Column ${i + 1} must be an object; got ${describe(item)}.`)
    const name = own(item, 'name')
    if (typeof name !== 'string' || !expected.columns.includes(name) || given.has(name))
      throw new Malformed(
        `The scores must have the columns ${expected.columns.join(', ')}, each once; got ${typeof name === 'string' ? `"${clip(name)}"` : describe(name)}.`,
      )
    given.set(name, own(item, 'values'))
  }
  const columns = expected.columns.map((name) => ({
    name,
    values: floats(given.get(name), expected.ids.length, name),
  }))
  return { kind: 'scores', ids, columns }
}

function readWeights(untrusted: object, expected: Extract<Expected, { kind: 'model-weights' }>): Artefact {
  const model = own(untrusted, 'model')
  if (model !== expected.model)
    throw new Malformed(
      `The weights must belong to ${expected.model}; got ${typeof model === 'string' ? `"${clip(model)}"` : describe(model)}.`,
    )
  const list = own(untrusted, 'tensors')
  if (!Array.isArray(list) || list.length !== expected.tensors.length) {
    throw new Malformed(
      `${expected.model} has ${expected.tensors.length} weight tensors; got ${Array.isArray(list) ? list.length : describe(list)}.`,
    )
  }
  const tensors = expected.tensors.map((wanted, i) => {
    const item: unknown = own(list, String(i))
    if (typeof item !== 'object' || item === null)
      throw new Malformed(`Weight tensor ${i + 1} must be an object; got ${describe(item)}.`)
    const name = own(item, 'name')
    if (name !== wanted.name)
      throw new Malformed(
        `Weight tensor ${i + 1} must be "${wanted.name}"; got ${typeof name === 'string' ? `"${clip(name)}"` : describe(name)}.`,
      )
    const shape = integers(own(item, 'shape'), `${wanted.name}: shape`, 8)
    if (!same(shape, wanted.shape))
      throw new Malformed(`${wanted.name} must have the shape [${wanted.shape}]; got [${shape}].`)
    return {
      name: wanted.name,
      shape,
      values: floats(own(item, 'values'), product(wanted.shape), wanted.name),
    }
  })
  return { kind: 'model-weights', model: expected.model, tensors }
}

type ExpectedChanges = Extract<Expected, { kind: 'change-list' }>

function idsAndLabels(untrusted: object, most: number, noun: string, next: string) {
  const ids = integers(own(untrusted, 'ids'), 'ids', most + 1)
  const labels = integers(own(untrusted, 'labels'), 'labels', most + 1)
  if (ids.length !== labels.length)
    throw new Malformed(
      `Every ${noun} needs one label; got ${ids.length} rows and ${labels.length} labels.`,
      next,
    )
  return { ids, labels }
}

/** No profile at all is a hand-in, and more of them than a budget allows are: they are graded, and fail. */
function readProfiles(
  untrusted: object,
  { most, numItems, scale: [lowest, highest] }: Extract<ExpectedChanges, { of: 'profiles' }>,
): Artefact {
  const next = nextProfiles
  const { ids, labels } = idsAndLabels(untrusted, most * numItems, 'invented rating', next)
  const seen = new Set<number>()
  for (const [i, id] of ids.entries()) {
    const [who, item, stars] = [Math.floor(id / profileStride), id % profileStride, labels[i]!]
    if (!(who >= 0 && who < most))
      throw new Malformed(`At most ${most} invented shoppers are read; got number ${who + 1}.`, next)
    if (item >= numItems)
      throw new Malformed(
        `Invented shopper ${who + 1} rates item ${item}; items go from 0 to ${numItems - 1}.`,
        next,
      )
    if (!(stars >= lowest && stars <= highest))
      throw new Malformed(
        `Invented shopper ${who + 1} gives item ${item} ${stars} stars; ratings go from ${lowest} to ${highest}.`,
        next,
      )
    if (seen.has(id)) throw new Malformed(`Invented shopper ${who + 1} rates item ${item} twice.`, next)
    seen.add(id)
  }
  noValues(untrusted, next)
  return { kind: 'change-list', ids, labels }
}

function readLeftOut(
  untrusted: object,
  { numUsers }: Extract<ExpectedChanges, { of: 'shoppers' }>,
): Artefact {
  const next =
    'Next: name each shopper whom you leave out once, by number: `submit({ changes: [{ id, label: "drop" }] })`.'
  const { ids, labels } = idsAndLabels(untrusted, numUsers, 'shopper', next)
  const seen = new Set<number>()
  for (const [i, id] of ids.entries()) {
    if (!(id >= 0 && id < numUsers))
      throw new Malformed(`There is no shopper ${id}; shoppers go from 0 to ${numUsers - 1}.`, next)
    if (labels[i] !== dropped)
      throw new Malformed(`Shopper ${id} can only be dropped here; got the label ${labels[i]}.`, next)
    if (seen.has(id)) throw new Malformed(`Shopper ${id} is dropped twice.`, next)
    seen.add(id)
  }
  noValues(untrusted, next)
  return { kind: 'change-list', ids, labels }
}

function noValues(untrusted: object, next: string): void {
  for (const name of ['values', 'trigger'])
    if (Object.hasOwn(untrusted, name) && own(untrusted, name) !== undefined)
      throw new Malformed(`Only ratings may be changed here, and this hand-in has \`${name}\` too.`, next)
}

/** No change at all is a hand-in: it is graded, and fails. */
function readChanges(
  untrusted: object,
  expected: Exclude<ExpectedChanges, { of: 'profiles' | 'shoppers' }>,
): Artefact {
  const next = nextChanges
  const known = new Set(expected.ids)
  const { ids, labels } = idsAndLabels(untrusted, known.size, 'changed row', next)
  const seen = new Set<number>()
  for (const [i, id] of ids.entries()) {
    if (!known.has(id))
      throw new Malformed(
        `Row ${id} is not in your training data.`,
        'Next: take the ids from `data.sample()`, unchanged. Another learner has other rows.',
      )
    if (seen.has(id))
      throw new Malformed(`Row ${id} is changed twice; which change counts cannot be told.`, next)
    seen.add(id)
    const label = labels[i]!
    const isDropped = label === dropped && expected.mayDrop
    if (!isDropped && !(label >= 0 && label < expected.classes.length)) {
      const words = expected.classes.map((name, number) => `${number} (${name})`).join(', ')
      const or = label === dropped ? '; rows cannot be taken out here' : ''
      throw new Malformed(`The label of row ${id} must be one of ${words}; got ${label}${or}.`, next)
    }
  }
  const backdoor = readBackdoor(untrusted, seen, expected.triggerOn)
  if (!Object.hasOwn(untrusted, 'values')) return { kind: 'change-list', ids, labels, ...backdoor }
  if (expected.rowSize === undefined)
    throw new Malformed(
      `Only labels${expected.triggerOn ? ' and the trigger' : ''} may be changed here, and this hand-in has \`values\` of rows too.`,
      next,
    )
  const values = floats(own(untrusted, 'values'), ids.length * expected.rowSize, 'x')
  return { kind: 'change-list', ids, labels, values, ...backdoor }
}

/** The trigger, and the changed rows that carry it. */
function readBackdoor(
  untrusted: object,
  changed: ReadonlySet<number>,
  shape: readonly number[] | undefined,
): { trigger?: Trigger; stamped?: number[] } {
  const next =
    'Next: hand in one trigger, and say which changes carry it: `submit({ changes: [{ id, label, stamped: true }], trigger })`.'
  if (!shape) {
    const extra = ['trigger', 'stamped'].find((key) => Object.hasOwn(untrusted, key))
    if (extra) throw new Malformed(`No trigger is asked for here, and this hand-in has \`${extra}\`.`, next)
    return {}
  }
  if (!Object.hasOwn(untrusted, 'trigger')) throw new Malformed('The hand-in has no `trigger`.', next)
  const trigger = readTrigger(own(untrusted, 'trigger'), shape, next)
  const stamped = Object.hasOwn(untrusted, 'stamped')
    ? integers(own(untrusted, 'stamped'), 'stamped', changed.size + 1)
    : []
  const seen = new Set<number>()
  for (const id of stamped) {
    if (!changed.has(id))
      throw new Malformed(`Row ${id} is to be stamped and is not among the changes.`, next)
    if (seen.has(id)) throw new Malformed(`Row ${id} is stamped twice.`, next)
    seen.add(id)
  }
  return { trigger, stamped }
}

/** A fresh trigger from own properties; one that does not fit on images of this shape is malformed. */
function readTrigger(value: unknown, shape: readonly number[], next: string): Trigger {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Malformed(`\`trigger\` must be an object; got ${describe(value)}.`, next)
  const number = (key: string): number => {
    const field = own(value, key)
    if (typeof field === 'number') return field
    throw new Malformed(`The trigger's ${key} must be a number; got ${describe(field)}.`, next)
  }
  const most = shape.reduce((product, n) => product * n, 1)
  const list = (key: string): number[] => numbers(own(value, key), `trigger.${key}`, most + 1, next)
  const kind = own(value, 'kind')
  let trigger: Trigger
  if (kind === 'patch') {
    const isOne = typeof own(value, 'opacity') === 'number'
    const [top, left, height, width] = [number('top'), number('left'), number('height'), number('width')]
    const opacity = isOne ? number('opacity') : list('opacity')
    trigger = { kind, top, left, height, width, pixels: list('pixels'), opacity }
  } else if (kind === 'blend') {
    trigger = { kind, pixels: list('pixels'), opacity: number('opacity') }
  } else if (kind === 'wave') {
    const along = own(value, 'along')
    if (along !== 'width' && along !== 'height')
      throw new Malformed(`The wave must run along 'width' or 'height'; got ${describe(along)}.`, next)
    trigger = { kind, amplitude: number('amplitude'), frequency: number('frequency'), along }
  } else
    throw new Malformed(`The trigger's kind must be 'patch', 'blend' or 'wave'; got ${describe(kind)}.`, next)
  try {
    checkTrigger('The trigger does not fit', trigger, shape)
  } catch (error) {
    throw error instanceof PerturbError ? new Malformed(`${error.message}.`, next) : error
  }
  return trigger
}

const longestId = 64
const mostAnswers = 100

function readAnswer(untrusted: object): Artefact {
  const choices = own(untrusted, 'choices')
  if (typeof choices !== 'object' || choices === null || Array.isArray(choices)) {
    throw new Malformed(`The answer must hold \`choices\`, by quiz; got ${describe(choices)}.`, nextAnswer)
  }
  const quizzes = Object.keys(choices)
  if (quizzes.length > mostAnswers)
    throw new Malformed(
      `At most ${mostAnswers} quizzes can be answered at once; got ${quizzes.length}.`,
      nextAnswer,
    )
  const clean: [string, string[]][] = quizzes.map((quiz) => {
    const chosen = own(choices, quiz)
    if (quiz.length > longestId || quiz === '__proto__')
      throw new Malformed(`"${clip(quiz)}" is not the id of a quiz.`, nextAnswer)
    if (!Array.isArray(chosen) || chosen.length > mostAnswers)
      throw new Malformed(
        `The answer to "${clip(quiz)}" must be a short list of option ids; got ${describe(chosen)}.`,
        nextAnswer,
      )
    const options = Array.from({ length: chosen.length }, (_, i) => {
      const option = own(chosen, String(i))
      if (typeof option !== 'string' || option.length > longestId)
        throw new Malformed(
          `The answer to "${clip(quiz)}" must list option ids; got ${describe(option)}.`,
          nextAnswer,
        )
      return option
    })
    return [quiz, options]
  })
  return { kind: 'answer', choices: Object.fromEntries(clean) }
}

/** The value of an own data property; getters are not called. */
function own(object: object, key: string): unknown {
  const property = Object.getOwnPropertyDescriptor(object, key)
  if (!property) throw new Malformed(`The hand-in has no \`${key}\`.`)
  if (!('value' in property)) throw new Malformed(`\`${key}\` must be plain data; got a getter.`)
  return property.value
}

function integers(value: unknown, name: string, most: number): number[] {
  if (!Array.isArray(value))
    throw new Malformed(`\`${name}\` must be a list of whole numbers; got ${describe(value)}.`)
  // Copied element by element, up to one more than can be right: a list of 2³² holes costs nothing.
  return Array.from({ length: Math.min(value.length, most) }, (_, i) => {
    const item = Object.getOwnPropertyDescriptor(value, i)?.value as unknown
    if (!Number.isSafeInteger(item))
      throw new Malformed(`\`${name}\` must hold whole numbers; number ${i + 1} is ${describe(item)}.`)
    return item as number
  })
}

/** Finite or not is the reader's to say; a list of more than `most` numbers is cut there. */
function numbers(value: unknown, name: string, most: number, next: string): number[] {
  if (!Array.isArray(value))
    throw new Malformed(`\`${name}\` must be a list of numbers; got ${describe(value)}.`, next)
  return Array.from({ length: Math.min(value.length, most) }, (_, i) => {
    const item = Object.getOwnPropertyDescriptor(value, i)?.value as unknown
    if (typeof item !== 'number')
      throw new Malformed(`\`${name}\` must hold numbers; number ${i + 1} is ${describe(item)}.`, next)
    return item
  })
}

// Taken from the class once: an object cannot shadow them with fields of its own.
const typedArray = Object.getPrototypeOf(Float32Array.prototype) as object
const tagOf = Object.getOwnPropertyDescriptor(typedArray, Symbol.toStringTag)!.get!
const lengthOf = Object.getOwnPropertyDescriptor(typedArray, 'length')!.get!
const bufferOf = Object.getOwnPropertyDescriptor(typedArray, 'buffer')!.get!

function floats(value: unknown, length: number, name: string): Float32Array {
  const tag: unknown = typeof value === 'object' && value !== null ? tagOf.call(value) : undefined
  if (tag !== 'Float32Array')
    throw new Malformed(
      `\`${name}\` must be 32-bit floats (a Float32Array); got ${typeof tag === 'string' ? tag : describe(value)}.`,
    )
  const got = lengthOf.call(value) as number
  if (got === 0 && length > 0 && (bufferOf.call(value) as ArrayBuffer).byteLength === 0) {
    throw new Malformed(
      `\`${name}\` is empty: its memory was moved away (a detached buffer) or never filled.`,
      'Next: hand in the tensor itself, before anything else takes its memory.',
    )
  }
  if (got > maxElements)
    throw new Malformed(`\`${name}\` may hold ${maxElements} numbers at most; got ${got}.`)
  if (got !== length)
    throw new Malformed(`\`${name}\` must hold ${length} numbers for that shape; got ${got}.`)
  // A copy in memory of our own: what we measure cannot be changed under our hands.
  const copy = new Float32Array(length)
  copy.set(value as Float32Array)
  const at = copy.findIndex((number) => !Number.isFinite(number))
  if (at >= 0) {
    throw new Malformed(
      `\`${name}\` must be finite; number ${at} is ${copy[at]}.`,
      'Next: print what it is computed from. A division by a zero norm, or a logarithm of zero, makes NaN, and clipping lets it through.',
    )
  }
  return copy
}

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)
const same = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((value, i) => value === b[i])
const clip = (text: string) => (text.length > 40 ? `${text.slice(0, 40)}…` : text)
const articled = (kind: ArtefactKind) =>
  ({
    'adversarial-examples': 'adversarial examples',
    'model-weights': 'model weights',
    scores: 'scores',
    'change-list': 'a list of changes',
    answer: 'an answer',
  })[kind]

function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return `"${clip(value)}"`
  return value === undefined ? 'nothing' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
