import type { Trigger } from '../attacks/trigger.ts'
import type { Artefact } from '../grading/artefact.ts'

/** An artefact as nobody honest would hand it in, made from one that passes. Each must be `rejected`. */
export interface Hostile {
  name: string
  make(): unknown
}

export function hostileArtefacts(good: Artefact): Hostile[] {
  return [...forAnyKind(good), ...ofKind(good)]
}

function forAnyKind(good: Artefact): Hostile[] {
  return [
    { name: 'nothing', make: () => undefined },
    { name: 'null', make: () => null },
    { name: 'a text', make: () => 'passed' },
    { name: 'a list', make: () => [good] },
    { name: 'an empty object', make: () => ({}) },
    {
      name: 'another kind',
      make: () => ({ ...good, kind: good.kind === 'answer' ? 'model-weights' : 'answer' }),
    },
    { name: 'an unknown kind', make: () => ({ ...good, kind: '__proto__' }) },
    { name: 'its fields on a prototype', make: () => Object.create(good) as unknown },
    {
      name: 'a __proto__ key',
      make: () =>
        JSON.parse(
          '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}',
        ) as unknown,
    },
    {
      name: 'fields that throw when read',
      make: () =>
        Object.defineProperties(
          {},
          Object.fromEntries(
            Object.keys(good).map((key) => [
              key,
              {
                enumerable: true,
                get: () => {
                  throw new Error('boom')
                },
              },
            ]),
          ),
        ) as unknown,
    },
    { name: 'a verdict of its own', make: () => ({ status: 'passed', verdict: { status: 'passed' } }) },
  ]
}

function ofKind(good: Artefact): Hostile[] {
  switch (good.kind) {
    case 'adversarial-examples':
      return hostileExamples(good)
    case 'model-weights':
      return hostileWeights(good)
    case 'scores':
      return hostileScores(good)
    case 'change-list':
      return hostileChanges(good)
    case 'answer':
      return [
        { name: 'no choices', make: () => ({ kind: 'answer' }) },
        { name: 'choices that are a list', make: () => ({ kind: 'answer', choices: [] }) },
        {
          name: 'an option that does not exist',
          make: () => ({
            kind: 'answer',
            choices: Object.fromEntries(Object.keys(good.choices).map((quiz) => [quiz, ['no such option']])),
          }),
        },
        {
          name: 'choices that are texts',
          make: () => ({
            kind: 'answer',
            choices: Object.fromEntries(
              Object.entries(good.choices).map(([quiz, chosen]) => [quiz, chosen.join()]),
            ),
          }),
        },
        {
          name: 'ten thousand choices',
          make: () => ({
            kind: 'answer',
            choices: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`quiz-${i}`, ['a']])),
          }),
        },
      ]
  }
}

function hostileExamples(good: Extract<Artefact, { kind: 'adversarial-examples' }>): Hostile[] {
  const [count = 0, ...rest] = good.shape
  const size = rest.reduce((a, b) => a * b, 1)
  const withPixel = (value: number) => () => ({
    ...good,
    pixels: good.pixels.map((pixel, i) => (i === 5 ? value : pixel)),
  })
  return [
    {
      name: 'no images',
      make: () => ({ ...good, ids: [], shape: [0, ...rest], pixels: new Float32Array(0) }),
    },
    // A single id has no other order, and is many times itself.
    ...(count > 1
      ? [
          { name: 'ids in another order', make: () => ({ ...good, ids: [...good.ids].reverse() }) },
          { name: 'one id many times', make: () => ({ ...good, ids: good.ids.map(() => good.ids[0]) }) },
        ]
      : []),
    { name: 'ids of other images', make: () => ({ ...good, ids: good.ids.map((id) => id + 1) }) },
    { name: 'ids that are texts', make: () => ({ ...good, ids: good.ids.map(String) }) },
    {
      name: 'an image too few',
      make: () => ({
        ...good,
        ids: good.ids.slice(1),
        shape: [count - 1, ...rest],
        pixels: good.pixels.slice(size),
      }),
    },
    { name: 'another shape', make: () => ({ ...good, shape: [count, size] }) },
    { name: 'a shape that lies', make: () => ({ ...good, shape: [count, ...rest.map((side) => side + 1)] }) },
    { name: 'pixels cut short', make: () => ({ ...good, pixels: good.pixels.slice(0, -1) }) },
    { name: 'NaN', make: withPixel(NaN) },
    { name: 'infinity', make: withPixel(-Infinity) },
    { name: '64-bit floats', make: () => ({ ...good, pixels: Float64Array.from(good.pixels) }) },
    { name: 'pixels in a plain list', make: () => ({ ...good, pixels: [...good.pixels] }) },
    { name: 'a detached buffer', make: () => ({ ...good, pixels: detached(good.pixels) }) },
    { name: 'a huge shape', make: () => ({ ...good, shape: [2 ** 40, ...rest] }) },
    {
      name: 'a huge list of ids',
      make: () => ({ ...good, ids: Object.assign([...good.ids], { length: 2 ** 32 - 1 }) }),
    },
    {
      name: 'a huge array of pixels',
      make: () => ({ ...good, pixels: new Float32Array(4 * good.pixels.length + 1_000_000) }),
    },
  ]
}

function hostileWeights(good: Extract<Artefact, { kind: 'model-weights' }>): Hostile[] {
  const first = (change: (tensor: (typeof good.tensors)[number]) => object) => () => ({
    ...good,
    tensors: good.tensors.map((tensor, i) => (i === 0 ? change(tensor) : tensor)),
  })
  return [
    { name: 'no tensors', make: () => ({ ...good, tensors: [] }) },
    { name: 'a tensor too few', make: () => ({ ...good, tensors: good.tensors.slice(1) }) },
    { name: 'a tensor twice', make: () => ({ ...good, tensors: [...good.tensors, good.tensors[0]] }) },
    { name: 'another model', make: () => ({ ...good, model: `${good.model}-2` }) },
    { name: 'a model up the folders', make: () => ({ ...good, model: `../${good.model}` }) },
    { name: 'a tensor of another name', make: first((tensor) => ({ ...tensor, name: '__proto__' })) },
    {
      name: 'a tensor of another shape',
      make: first((tensor) => ({ ...tensor, shape: [...tensor.shape, 1] })),
    },
    {
      name: 'values cut short',
      make: first((tensor) => ({ ...tensor, values: tensor.values.slice(0, -1) })),
    },
    {
      name: 'NaN',
      make: first((tensor) => ({
        ...tensor,
        values: tensor.values.map((value, i) => (i === 0 ? NaN : value)),
      })),
    },
    {
      name: '64-bit floats',
      make: first((tensor) => ({ ...tensor, values: Float64Array.from(tensor.values) })),
    },
    { name: 'a detached buffer', make: first((tensor) => ({ ...tensor, values: detached(tensor.values) })) },
    {
      name: 'a huge array',
      make: first((tensor) => ({
        ...tensor,
        values: new Float32Array(4 * tensor.values.length + 1_000_000),
      })),
    },
  ]
}

function hostileChanges(good: Extract<Artefact, { kind: 'change-list' }>): Hostile[] {
  const firstLabel = (label: unknown) => () => ({ ...good, labels: [label, ...good.labels.slice(1)] })
  return [
    { name: 'a row that is not there', make: () => ({ ...good, ids: [2 ** 31, ...good.ids.slice(1)] }) },
    { name: 'a row before the first', make: () => ({ ...good, ids: [-1, ...good.ids.slice(1)] }) },
    {
      name: 'a row twice',
      make: () => ({ ...good, ids: [...good.ids, good.ids[0]], labels: [...good.labels, good.labels[0]] }),
    },
    { name: 'ids that are texts', make: () => ({ ...good, ids: good.ids.map(String) }) },
    { name: 'a label too few', make: () => ({ ...good, labels: good.labels.slice(1) }) },
    { name: 'a label that is no class', make: firstLabel(1000) },
    { name: 'a label below the classes', make: firstLabel(-2) },
    { name: 'half a label', make: firstLabel(0.5) },
    { name: 'NaN', make: firstLabel(NaN) },
    { name: 'a label in words', make: firstLabel('honest') },
    { name: 'values that are no numbers', make: () => ({ ...good, values: good.ids.map(String) }) },
    {
      name: 'a huge array of values',
      make: () => ({ ...good, values: new Float32Array(4_000_000 + good.ids.length) }),
    },
    ...(good.trigger ? hostileTriggers(good, good.trigger) : []),
    {
      name: 'a huge list of ids',
      make: () => ({ ...good, ids: Object.assign([...good.ids], { length: 2 ** 32 - 1 }) }),
    },
  ]
}

function hostileTriggers(good: Extract<Artefact, { kind: 'change-list' }>, trigger: Trigger): Hostile[] {
  const withField = (key: string, value: unknown) => () => ({
    ...good,
    trigger: { ...trigger, [key]: value },
  })
  const sized = trigger.kind === 'patch' ? 'height' : trigger.kind === 'blend' ? 'opacity' : 'amplitude'
  return [
    { name: 'no trigger', make: () => ({ ...good, trigger: undefined }) },
    { name: 'a trigger that is a text', make: () => ({ ...good, trigger: 'patch' }) },
    { name: 'a trigger of no kind', make: withField('kind', '__proto__') },
    {
      name: 'its fields on a prototype of the trigger',
      make: () => ({ ...good, trigger: Object.create(trigger) as unknown }),
    },
    { name: 'a trigger far too large', make: withField(sized, 2 ** 31) },
    { name: 'a trigger of NaN', make: withField(sized, NaN) },
    { name: 'a trigger of less than nothing', make: withField(sized, -1) },
    ...(trigger.kind === 'wave'
      ? []
      : [
          {
            name: 'a huge list of pixels',
            make: withField('pixels', Object.assign([0.5], { length: 2 ** 32 - 1 })),
          },
          {
            name: 'pixels above 1',
            make: withField(
              'pixels',
              Array.from(trigger.pixels, () => 255),
            ),
          },
        ]),
    { name: 'a stamp on a row that is not there', make: () => ({ ...good, stamped: [2 ** 31] }) },
    { name: 'stamps that are texts', make: () => ({ ...good, stamped: ['0'] }) },
    { name: 'a row stamped over and over', make: () => ({ ...good, stamped: [good.ids[0], good.ids[0]] }) },
    {
      name: 'a huge list of stamps',
      make: () => ({ ...good, stamped: Object.assign([...(good.stamped ?? [])], { length: 2 ** 32 - 1 }) }),
    },
  ]
}

function hostileScores(good: Extract<Artefact, { kind: 'scores' }>): Hostile[] {
  const first = (change: (column: (typeof good.columns)[number]) => object) => () => ({
    ...good,
    columns: good.columns.map((column, i) => (i === 0 ? change(column) : column)),
  })
  const withValue = (value: number) =>
    first((column) => ({ ...column, values: column.values.map((own, i) => (i === 0 ? value : own)) }))
  return [
    { name: 'ids in another order', make: () => ({ ...good, ids: [...good.ids].reverse() }) },
    { name: 'ids of other images', make: () => ({ ...good, ids: good.ids.map((id) => id + 1) }) },
    { name: 'an image too few', make: () => ({ ...good, ids: good.ids.slice(1) }) },
    { name: 'no columns', make: () => ({ ...good, columns: [] }) },
    { name: 'a column too few', make: () => ({ ...good, columns: good.columns.slice(1) }) },
    { name: 'a column twice', make: () => ({ ...good, columns: [...good.columns, good.columns[0]] }) },
    {
      name: 'one column in place of all',
      make: () => ({
        ...good,
        columns: good.columns.map(() => ({ ...good.columns[0] })).concat({} as never),
      }),
    },
    { name: 'a column of another name', make: first((column) => ({ ...column, name: '__proto__' })) },
    { name: 'columns that are no list', make: () => ({ ...good, columns: { ...good.columns } }) },
    {
      name: 'values cut short',
      make: first((column) => ({ ...column, values: column.values.slice(0, -1) })),
    },
    { name: 'NaN', make: withValue(NaN) },
    { name: 'infinity', make: withValue(Infinity) },
    {
      name: '64-bit floats',
      make: first((column) => ({ ...column, values: Float64Array.from(column.values) })),
    },
    {
      name: 'values in a plain list',
      make: first((column) => ({ ...column, values: [...column.values] })),
    },
    { name: 'a detached buffer', make: first((column) => ({ ...column, values: detached(column.values) })) },
    {
      name: 'a huge array',
      make: first((column) => ({ ...column, values: new Float32Array(column.values.length + 1_000_000) })),
    },
    {
      name: 'a huge list of ids',
      make: () => ({ ...good, ids: Object.assign([...good.ids], { length: 2 ** 32 - 1 }) }),
    },
  ]
}

/** A copy whose memory was moved away. */
function detached(values: Float32Array): Float32Array {
  const copy = values.slice()
  structuredClone(copy.buffer, { transfer: [copy.buffer] })
  return copy
}
