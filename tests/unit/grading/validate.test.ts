import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseArtefact, type Expected } from '../../../src/grading/validate.ts'

const ids = [7, 3, 5]
const examples: Expected = { kind: 'adversarial-examples', ids, inputShape: [2, 2, 1] }
const weights: Expected = {
  kind: 'model-weights',
  model: 'tiny',
  tensors: [
    { name: 'dense/kernel', shape: [4, 2] },
    { name: 'dense/bias', shape: [2] },
  ],
}
const good = () => ({
  kind: 'adversarial-examples',
  ids: [7, 3, 5],
  shape: [3, 2, 2, 1],
  pixels: new Float32Array(12).fill(0.5),
})
const goodWeights = () => ({
  kind: 'model-weights',
  model: 'tiny',
  tensors: [
    { name: 'dense/kernel', shape: [4, 2], values: new Float32Array(8) },
    { name: 'dense/bias', shape: [2], values: new Float32Array(2) },
  ],
})

const scores: Expected = { kind: 'scores', ids, columns: ['class', 'radius'] }
const goodScores = () => ({
  kind: 'scores',
  ids: [7, 3, 5],
  columns: [
    { name: 'class', values: Float32Array.of(1, -1, 4) },
    { name: 'radius', values: Float32Array.of(0.5, 0, 0.25) },
  ],
})

describe('scores', () => {
  test('come out as a fresh copy, in the order of the task', () => {
    const handedIn = goodScores()
    const { artefact } = parseArtefact({ ...handedIn, columns: [...handedIn.columns].reverse() }, scores)
    handedIn.columns[0]!.values[0] = 9
    expect(artefact).toEqual(goodScores())
  })

  const [first, second] = goodScores().columns as [{ name: string; values: Float32Array }, { name: string }]
  test.each<[string, object, RegExp]>([
    ['ids of somebody else', { ids: [7, 3, 6] }, /those of your own variant/],
    ['no columns', { columns: undefined }, /must have the columns class, radius; got nothing/],
    ['a column too few', { columns: [first] }, /class, radius; got 1/],
    ['a column twice', { columns: [first, first] }, /each once; got "class"/],
    ['another column', { columns: [first, { ...second, name: '__proto__' }] }, /got "__proto__"/],
    ['a number too few', { columns: [{ ...first, values: new Float32Array(2) }, second] }, /3 numbers/],
    ['NaN', { columns: [{ ...first, values: Float32Array.of(0, NaN, 0) }, second] }, /finite; number 1/],
    ['a plain list', { columns: [{ ...first, values: [1, 2, 3] }, second] }, /32-bit floats/],
    ['columns on a prototype', { columns: [Object.create(first), second] }, /has no `name`/],
  ])('%s is rejected', (_, change, reason) => {
    const { rejected } = parseArtefact({ ...goodScores(), ...change }, scores)
    expect(rejected?.status).toBe('rejected')
    expect(rejected?.headline).toMatch(reason)
  })
})

describe('parseArtefact', () => {
  test('makes a fresh copy of a right hand-in', () => {
    const handedIn = good()
    const { artefact } = parseArtefact(handedIn, examples)
    expect(artefact).toEqual(handedIn)
    handedIn.pixels[0] = 9
    handedIn.ids[0] = 9
    expect(artefact).toEqual(good())
  })

  test('leaves the range to the graded row', () => {
    expect(
      parseArtefact({ ...good(), pixels: new Float32Array(12).fill(255) }, examples).artefact,
    ).toBeDefined()
    expect(
      parseArtefact({ ...good(), pixels: new Float32Array(12).fill(-3) }, examples).artefact,
    ).toBeDefined()
  })

  test('drops what it does not know', () => {
    expect(parseArtefact({ ...good(), verdict: 'passed', extra: 1 }, examples).artefact).toEqual(good())
  })

  const detached = () => {
    const pixels = new Float32Array(12)
    structuredClone(pixels.buffer, { transfer: [pixels.buffer] })
    return pixels
  }
  const inherited = () => Object.create(good()) as unknown
  const liar = () => {
    const pixels = new Float32Array(3)
    Object.defineProperty(pixels, 'length', { value: 12 })
    return pixels
  }
  const getter = () =>
    Object.defineProperty({ ...good() }, 'pixels', { get: () => new Float32Array(12), enumerable: true })
  const trap = () =>
    new Proxy(good(), {
      getOwnPropertyDescriptor() {
        throw new Error('boo')
      },
    })

  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /must be an object; got nothing/],
    ['null', null, /got null/],
    ['a number', 42, /got 42/],
    ['a list', [good()], /got a list/],
    ['a text', 'pixels', /got "pixels"/],
    ['a function', () => good(), /got a function/],
    ['no kind', {}, /no `kind`/],
    ['another kind', { ...good(), kind: 'answer' }, /takes adversarial examples; got "answer"/],
    ['ids of another learner', { ...good(), ids: [8, 3, 5] }, /number 1 is 8, not 7/],
    ['ids in another order', { ...good(), ids: [3, 7, 5] }, /number 1 is 3/],
    ['too few ids', { ...good(), ids: [7, 3] }, /got 2 of 3/],
    ['too many ids', { ...good(), ids: [7, 3, 5, 5] }, /got 4 of 3/],
    ['a list of 2³² holes', { ...good(), ids: new Array(2 ** 32 - 1) }, /number 1 is nothing/],
    ['ids as numbers in text', { ...good(), ids: ['7', '3', '5'] }, /whole numbers/],
    ['half an id', { ...good(), ids: [7.5, 3, 5] }, /whole numbers/],
    ['another shape', { ...good(), shape: [3, 4, 1, 1] }, /must have the shape \[3,2,2,1\]; got \[3,4,1,1\]/],
    ['a flat shape', { ...good(), shape: [12] }, /got \[12\]/],
    ['a huge shape', { ...good(), shape: [3, 2, 2, 2 ** 40] }, /must have the shape/],
    ['a negative shape', { ...good(), shape: [-3, -2, 2, 1] }, /must have the shape/],
    [
      'too few pixels',
      { ...good(), pixels: new Float32Array(11) },
      /must hold 12 numbers for that shape; got 11/,
    ],
    ['64-bit floats', { ...good(), pixels: new Float64Array(12) }, /32-bit floats.*Float64Array/],
    ['bytes', { ...good(), pixels: new Uint8Array(12) }, /Uint8Array/],
    ['a plain list of pixels', { ...good(), pixels: new Array(12).fill(0) }, /got a list/],
    [
      'a look-alike',
      { ...good(), pixels: { length: 12, [Symbol.toStringTag]: 'Float32Array' } },
      /got an object/,
    ],
    ['a length that lies', { ...good(), pixels: liar() }, /must hold 12 numbers for that shape; got 3/],
    ['a detached buffer', { ...good(), pixels: detached() }, /detached buffer/],
    ['NaN', { ...good(), pixels: new Float32Array(12).fill(NaN, 4, 5) }, /must be finite; number 4 is NaN/],
    ['infinity', { ...good(), pixels: new Float32Array(12).fill(-Infinity, 11) }, /number 11 is -Infinity/],
    ['fields on the prototype', inherited(), /no `kind`/],
    ['a getter', getter(), /must be plain data; got a getter/],
    ['a proxy that throws', trap(), /throws/],
  ])('rejects %s, with the reason and the next step', (_, handedIn, reason) => {
    const { rejected, artefact } = parseArtefact(handedIn, examples)
    expect(artefact).toBeUndefined()
    expect(rejected?.status).toBe('rejected')
    expect(rejected?.headline).toMatch(reason)
    expect(rejected?.finding?.next).toMatch(/^Next: /)
  })

  test('is not fooled by a polluted prototype', () => {
    const prototype = Object.prototype as { pixels?: unknown }
    prototype.pixels = new Float32Array(12)
    try {
      const { pixels: _, ...rest } = good()
      expect(parseArtefact(rest, examples).rejected?.headline).toMatch(/no `pixels`/)
    } finally {
      delete prototype.pixels
    }
  })

  test('never writes to a prototype', () => {
    const handedIn = JSON.parse('{"kind":"answer","choices":{"__proto__":["polluted"],"q":["a"]}}') as unknown
    expect(parseArtefact(handedIn, { kind: 'answer' }).rejected?.headline).toMatch(/not the id of a quiz/)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  test('takes weights of the right names and shapes only', () => {
    expect(parseArtefact(goodWeights(), weights).artefact).toEqual(goodWeights())
    const wrong = (change: (w: ReturnType<typeof goodWeights>) => void) => {
      const handedIn = goodWeights()
      change(handedIn)
      return parseArtefact(handedIn, weights).rejected?.headline
    }
    expect(wrong((w) => (w.model = 'other'))).toMatch(/must belong to tiny; got "other"/)
    expect(wrong((w) => w.tensors.pop())).toMatch(/2 weight tensors; got 1/)
    expect(wrong((w) => (w.tensors[0]!.name = 'x'))).toMatch(/must be "dense\/kernel"/)
    expect(wrong((w) => (w.tensors[0]!.shape = [2, 4]))).toMatch(/\[4,2\]; got \[2,4\]/)
    expect(wrong((w) => (w.tensors[1]!.values[1] = NaN))).toMatch(/dense\/bias.*NaN/)
  })

  test('takes short answers only', () => {
    const parse = (choices: unknown) => parseArtefact({ kind: 'answer', choices }, { kind: 'answer' })
    expect(parse({ q: ['a', 'b'] }).artefact).toEqual({ kind: 'answer', choices: { q: ['a', 'b'] } })
    expect(parse([]).rejected).toBeDefined()
    expect(parse({ q: 'a' }).rejected).toBeDefined()
    expect(parse({ q: [1] }).rejected).toBeDefined()
    expect(parse({ q: ['x'.repeat(65)] }).rejected).toBeDefined()
    expect(parse({ q: new Array(101).fill('a') }).rejected).toBeDefined()
    expect(
      parse(Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`q${i}`, []]))).rejected,
    ).toBeDefined()
  })

  test('never throws, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.anything({ withTypedArray: true, withNullPrototype: true, withSparseArray: true }),
        fc.constantFrom(examples, weights, { kind: 'answer' } as Expected),
        (thing, expected) => {
          const parsed = parseArtefact(thing, expected)
          expect(parsed.rejected ? 1 : 0).toBe(parsed.artefact ? 0 : 1)
          const worse = parseArtefact(
            { ...good(), kind: expected.kind, ids: thing, pixels: thing, tensors: thing, choices: thing },
            expected,
          )
          expect(worse.rejected ? 1 : 0).toBe(worse.artefact ? 0 : 1)
        },
      ),
    )
  })
})
