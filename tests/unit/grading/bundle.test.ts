import { gzipSync, strToU8 } from 'fflate'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeBundle,
  encodeBundle,
  maxBundleBytes,
  migrate,
  migrations,
  schemaVersion,
} from '../../../src/grading/bundle.ts'
import {
  artefactDigest,
  fromBase64,
  packFloats,
  toBase64,
  unpackFloats,
} from '../../../src/grading/packing.ts'
import { trimAttempts } from '../../../src/grading/records.ts'
import { attempt, bundle, pixels, record, records, verdict } from './helpers.ts'
import { runs } from '../../helpers/runs.ts'

const text = (value: unknown) => strToU8(typeof value === 'string' ? value : JSON.stringify(value))
const plain = (value: ReturnType<typeof bundle>) =>
  JSON.parse(new TextDecoder().decode(encodeBundle(value))) as Record<string, unknown> & {
    labs: Record<string, unknown>[]
  }

describe('round trip', () => {
  test('any evidence comes back as it was, gzipped or not', () => {
    fc.assert(
      fc.property(
        fc.array(records, { maxLength: 2 }),
        fc.boolean(),
        fc.option(fc.string({ maxLength: 50 }), { nil: undefined }),
        (labs, gzip, learner) => {
          const original = bundle(labs, learner)
          const { bundle: back, damaged } = decodeBundle(encodeBundle(original, { gzip }))
          expect(damaged).toEqual([])
          expect(back).toEqual({
            ...original,
            labs: labs.map((lab) => ({ ...lab, attempts: trimAttempts(lab.attempts) })),
          })
        },
      ),
      { numRuns: runs(60) },
    )
  })

  test('arrays are little-endian float32, deflated, in base64', () => {
    const packed = packFloats(Float32Array.of(1, -0.25, 1e-40))
    expect(packed).toMatchObject({ encoding: 'float32-le+deflate+base64', length: 3 })
    expect(unpackFloats(packed, { bytes: 100 })).toEqual(Float32Array.of(1, -0.25, 1e-40))
  })

  test('base64 is that of everybody else', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
        expect(fromBase64(Buffer.from(bytes).toString('base64'))).toEqual(Uint8Array.from(bytes))
      }),
    )
    for (const wrong of ['a', 'ab=c', 'äöüß', 'ab\n=']) expect(() => fromBase64(wrong)).toThrow(/base64/)
  })

  test('only the best and the last fifty attempts go into a file', () => {
    const attempts = Array.from({ length: 70 }, (_, i) =>
      attempt({
        id: `n${i}`,
        time: new Date(1e12 + i * 1000).toISOString(),
        verdict: verdict('failed', i === 2 ? 60 : 1),
      }),
    )
    expect(decodeBundle(encodeBundle(bundle([record({ attempts })]))).bundle.labs[0]!.attempts).toHaveLength(
      51,
    )
  })
})

describe('files that are no evidence', () => {
  const whole = encodeBundle(bundle([record({ attempts: [attempt()] })]))
  const zipped = encodeBundle(bundle([record({ attempts: [attempt()] })]), { gzip: true })
  test.each<[string, Uint8Array, RegExp]>([
    ['empty', new Uint8Array(0), /the file is empty/],
    ['blank', text('  \n'), /the file is empty/],
    ['cut short', whole.subarray(0, whole.length - 40), /cut short/],
    ['gzip, cut short', zipped.subarray(0, zipped.length - 60), /cut short/],
    [
      'gzip, damaged',
      Uint8Array.from(zipped, (byte, i) => (i > 20 && i < 60 ? byte ^ 0x55 : byte)),
      /damaged|cut short|not JSON|cannot/,
    ],
    ['the head of a gzip', zipped.subarray(0, 5), /cut short/],
    ['a gzip that ends after its head', zipped.subarray(0, 10), /cut short/],
    ['not JSON', text('dear teacher'), /not JSON/],
    ['a picture', Uint8Array.from([137, 80, 78, 71, 13, 10, 26, 10]), /not JSON/],
    ['a list', text('[]'), /a list, not an evidence bundle/],
    ['null', text('null'), /not an evidence bundle/],
    [
      'another format',
      text({ format: 'jupyter', schema: 1 }),
      /expected format "perturb-evidence"; got "jupyter"/,
    ],
    ['no format', text({}), /got none/],
    ['no schema', text({ format: 'perturb-evidence' }), /schema number/],
    [
      'a newer schema',
      text({ format: 'perturb-evidence', schema: 7 }),
      /newer Perturb \(schema 7; this one reads up to 1\)/,
    ],
    ['schema 0', text({ format: 'perturb-evidence', schema: 0 }), /at least 1/],
    ['labs that are no list', text({ ...plain(bundle([])), labs: 3 }), /`labs` is wrong/],
  ])('%s is refused in a sentence', (_, bytes, reason) => {
    let error: unknown
    try {
      decodeBundle(bytes)
    } catch (caught) {
      error = caught
    }
    expect(error).toMatchObject({ code: 'unreadable', message: expect.stringMatching(reason) as string })
  })

  test('100 MB is refused while inflating', () => {
    // Two gigabytes of blanks in about two megabytes; inflated whole, this test would not end well.
    const bomb = gzipSync(new Uint8Array(50_000_000).fill(32))
    const large = gzipSync(new Uint8Array(maxBundleBytes + 1).fill(32))
    expect(() => decodeBundle(large)).toThrow(/100 MB at most, unpacked, and it unpacks to more/)
    expect(() => decodeBundle(bomb)).toThrow(/empty/)
    expect(() => decodeBundle(new Uint8Array(maxBundleBytes + 1))).toThrow(/100 MB at most/)
  })
})

describe('files with a damaged part', () => {
  const damage = (change: (attempts: Record<string, unknown>[]) => void) => {
    const document = plain(
      bundle([
        record({
          attempts: [attempt({ id: 'good' }), attempt({ id: 'bad', time: '2026-11-22T10:00:01.000Z' })],
        }),
      ]),
    )
    change(document.labs[0]!.attempts as Record<string, unknown>[])
    return decodeBundle(text(document))
  }
  const artefact = (attempts: Record<string, unknown>[]) =>
    attempts[1]!.artefact as { pixels: Record<string, unknown> }

  test.each<[string, (attempts: Record<string, unknown>[]) => void, RegExp]>([
    ['base64 that is none', (a) => (artefact(a).pixels.data = '%%%%'), /damaged/],
    [
      'an array that ends early',
      (a) => (artefact(a).pixels.length = 9),
      /must unpack to 9 numbers; it is shorter/,
    ],
    ['an array that goes on', (a) => (artefact(a).pixels.length = 7), /it is longer/],
    ['an array of 4 GB', (a) => (artefact(a).pixels.length = 1e9), /unpack to more than is allowed/],
    ['a negative length', (a) => (artefact(a).pixels.length = -1), /length/],
    ['another encoding', (a) => (artefact(a).pixels.encoding = 'gif'), /encoding/],
    ['no verdict', (a) => delete a[1]!.verdict, /verdict/],
    ['a seed that is none', (a) => (a[1]!.seed = 2 ** 32), /seed/],
    ['a time that is none', (a) => (a[1]!.time = 'yesterday'), /time/],
    ['a number', (a) => (a[1] = 5 as never), /expected Object/],
  ])('%s costs that attempt and no other', (_, change, reason) => {
    const { bundle: back, damaged } = damage(change)
    expect(back.labs[0]!.attempts.map(({ id }) => id)).toEqual(['good'])
    expect(damaged).toHaveLength(1)
    expect(damaged[0]!.reason).toMatch(reason)
    expect(damaged[0]!.lab).toBe('evasion-fgsm')
  })

  test('all arrays of a file share one allowance', () => {
    const packed = packFloats(Float32Array.of(1, 2, 3))
    const allowance = { bytes: 20 }
    expect(unpackFloats(packed, allowance)).toEqual(Float32Array.of(1, 2, 3))
    expect(() => unpackFloats(packed, allowance)).toThrow(/more than is allowed/)
  })

  test('a lab that is none costs that lab', () => {
    const { bundle: back, damaged } = decodeBundle(
      text({ ...plain(bundle([record()])), labs: [{ lab: 'half' }, ...plain(bundle([record()])).labs] }),
    )
    expect(back.labs.map(({ lab }) => lab)).toEqual(['evasion-fgsm'])
    expect(damaged).toEqual([{ lab: 'half', reason: expect.stringMatching(/labVersion/) as string }])
  })

  test('nothing in a file reaches a prototype', () => {
    const document = JSON.stringify(plain(bundle([record()]))).replace(
      '"knobs":{}',
      '"knobs":{"__proto__":{"polluted":true},"constructor":1}',
    )
    decodeBundle(text(document))
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

describe('migrations', () => {
  test('there is one for every schema before this one', () => {
    expect(Object.keys(migrations).map(Number)).toEqual(
      Array.from({ length: schemaVersion - 1 }, (_, i) => i + 1),
    )
  })

  test('are applied one after the other', () => {
    const steps = {
      1: (old: Record<string, unknown>) => ({ ...old, names: [old.name] }),
      2: (old: Record<string, unknown>) => ({ ...old, count: (old.names as unknown[]).length }),
    }
    const old = { format: 'perturb-evidence', schema: 1, name: 'ada' }
    expect(migrate(old, steps, 3)).toEqual({
      format: 'perturb-evidence',
      schema: 3,
      name: 'ada',
      names: ['ada'],
      count: 1,
    })
    expect(old).toEqual({ format: 'perturb-evidence', schema: 1, name: 'ada' })
  })

  test('a gap is said, not guessed over', () => {
    expect(() => migrate({ format: 'perturb-evidence', schema: 1 }, {}, 2)).toThrow(
      /no migration from schema 1/,
    )
  })
})

test('digests tell artefacts apart by content, and answers by the set of options', () => {
  expect(artefactDigest(pixels(0.5))).toBe(artefactDigest(pixels(0.5)))
  expect(artefactDigest(pixels(0.5))).not.toBe(artefactDigest(pixels(0.25)))
  const answer = (...q: string[]) => artefactDigest({ kind: 'answer', choices: { q } })
  expect(answer('a', 'b')).toBe(answer('b', 'a'))
  expect(answer('a')).not.toBe(answer('b'))
})
