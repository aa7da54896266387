import { describe, expect, test } from 'vitest'
import { artefactDigest, packArtefact, unpackArtefact } from '../../../src/grading/packing.ts'
import { parseArtefact, type Expected } from '../../../src/grading/validate.ts'
import { hostileArtefacts } from '../../../src/labs/hostile.ts'
import type { Artefact } from '../../../src/grading/artefact.ts'

const expected: Expected = {
  kind: 'change-list',
  ids: [3, 5, 8, 13],
  classes: ['honest', 'fraud'],
  mayDrop: false,
}
const good = () => ({ kind: 'change-list' as const, ids: [5, 13], labels: [1, 0] })
const onImages: Expected = { ...expected, triggerOn: [2, 2, 1] }
const patch = () => ({
  kind: 'patch' as const,
  top: 1,
  left: 1,
  height: 1,
  width: 1,
  pixels: [1],
  opacity: 1,
})
const withTrigger = () => ({ ...good(), trigger: patch(), stamped: [13] })

describe('a change list', () => {
  test('comes out as a fresh copy, and may be empty', () => {
    const handedIn = good()
    const { artefact } = parseArtefact(handedIn, expected)
    handedIn.labels[0] = 0
    expect(artefact).toEqual(good())
    expect(parseArtefact({ kind: 'change-list', ids: [], labels: [] }, expected).rejected).toBeUndefined()
  })

  test('may take rows out, and bring numbers, only where the task says so', () => {
    const drops = { ...good(), labels: [-1, 0] }
    expect(parseArtefact(drops, expected).rejected?.headline).toMatch(/rows cannot be taken out here/)
    expect(parseArtefact(drops, { ...expected, mayDrop: true }).artefact).toEqual(drops)
    const values = { ...good(), values: Float32Array.of(1, 2, 3, 4) }
    expect(parseArtefact(values, expected).rejected?.headline).toMatch(/Only labels may be changed/)
    expect(parseArtefact(values, { ...expected, rowSize: 2 }).artefact).toEqual(values)
    expect(parseArtefact(values, { ...expected, rowSize: 3 }).rejected?.headline).toMatch(/6 numbers/)
  })

  test.each<[string, object, RegExp]>([
    ['a row of somebody else', { ids: [5, 14] }, /Row 14 is not in your training data/],
    ['a row twice', { ids: [5, 5] }, /Row 5 is changed twice/],
    ['a label too few', { labels: [1] }, /2 rows and 1 labels/],
    [
      'a label that is no class',
      { labels: [1, 2] },
      /row 13 must be one of 0 \(honest\), 1 \(fraud\); got 2/,
    ],
    ['NaN', { labels: [1, NaN] }, /whole numbers; number 2 is NaN/],
    ['half a label', { labels: [0.5, 1] }, /whole numbers; number 1 is 0.5/],
    ['no labels', { labels: undefined }, /list of whole numbers; got nothing/],
  ])('%s is rejected', (_, change, reason) => {
    const { rejected } = parseArtefact({ ...good(), ...change }, expected)
    expect(rejected).toMatchObject({ status: 'rejected' })
    expect(rejected!.headline).toMatch(reason)
  })

  test('every hostile one is rejected', () => {
    for (const { name, make } of hostileArtefacts(good() as Artefact))
      expect(parseArtefact(make(), expected).rejected, name).toBeDefined()
    for (const { name, make } of hostileArtefacts(withTrigger() as Artefact))
      expect(parseArtefact(make(), onImages).rejected, name).toBeDefined()
  })

  test('brings a trigger where there are images, and says which rows carry it', () => {
    const handedIn = withTrigger()
    const { artefact } = parseArtefact(handedIn, onImages)
    handedIn.trigger.pixels[0] = 0
    expect(artefact).toEqual(withTrigger())
    const { stamped: _, ...nobody } = withTrigger()
    expect(parseArtefact(nobody, onImages).artefact).toEqual({ ...nobody, stamped: [] })
    for (const trigger of [
      { kind: 'blend' as const, pixels: [0, 0.5, 1, 0], opacity: 0.2 },
      { kind: 'wave' as const, amplitude: 0.1, frequency: 0.5, along: 'height' as const },
    ])
      expect(parseArtefact({ ...withTrigger(), trigger }, onImages).artefact).toMatchObject({ trigger })
  })

  test.each<[string, object, RegExp]>([
    ['none', { trigger: undefined }, /must be an object; got nothing/],
    ['of another kind', { trigger: { ...patch(), kind: 'sticker' } }, /kind must be 'patch'.*got "sticker"/],
    ['larger than the image', { trigger: { ...patch(), height: 3 } }, /larger than the image of 2 × 2/],
    ['over the edge', { trigger: { ...patch(), left: 2 } }, /must lie inside the image/],
    ['with NaN in it', { trigger: { ...patch(), pixels: [NaN] } }, /pixels must lie in \[0, 1\]; got NaN/],
    [
      'with words in it',
      { trigger: { ...patch(), pixels: ['white'] } },
      /must hold numbers; number 1 is "white"/,
    ],
    ['without a place', { trigger: { ...patch(), top: '1' } }, /top must be a number; got "1"/],
    ['on a row that is not changed', { stamped: [8] }, /Row 8 is to be stamped and is not among the changes/],
    ['twice on a row', { stamped: [5, 5] }, /stamped twice/],
    [
      'a wave that runs nowhere',
      { trigger: { kind: 'wave', amplitude: 1, frequency: 1, along: 'up' } },
      /must run along/,
    ],
  ])('a trigger %s is rejected', (_, change, reason) => {
    expect(parseArtefact({ ...withTrigger(), ...change }, onImages).rejected?.headline).toMatch(reason)
  })

  test('is not asked for a trigger where labels alone may be changed', () => {
    expect(parseArtefact(withTrigger(), expected).rejected?.headline).toMatch(/No trigger is asked for here/)
    expect(parseArtefact(good(), onImages).rejected?.headline).toMatch(/has no `trigger`/)
  })

  test('packs, unpacks and is told from another by its content', () => {
    const withValues: Artefact = { ...good(), values: Float32Array.of(0.5, -1, 0, 2) }
    for (const artefact of [good() as Artefact, withValues, withTrigger() as Artefact]) {
      const packed = JSON.parse(JSON.stringify(packArtefact(artefact))) as ReturnType<typeof packArtefact>
      expect(unpackArtefact(packed, { bytes: 1000 })).toEqual(artefact)
    }
    const digests = [
      good(),
      { ...good(), labels: [0, 0] },
      withValues,
      withTrigger(),
      { ...withTrigger(), stamped: [5] },
      { ...withTrigger(), trigger: { ...patch(), top: 0 } },
    ].map((one) => artefactDigest(one as Artefact))
    expect(new Set(digests).size).toBe(6)
  })
})
