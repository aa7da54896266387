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
  })

  test('packs, unpacks and is told from another by its content', () => {
    const withValues: Artefact = { ...good(), values: Float32Array.of(0.5, -1, 0, 2) }
    for (const artefact of [good() as Artefact, withValues]) {
      const packed = JSON.parse(JSON.stringify(packArtefact(artefact))) as ReturnType<typeof packArtefact>
      expect(unpackArtefact(packed, { bytes: 1000 })).toEqual(artefact)
    }
    const digests = [good(), { ...good(), labels: [0, 0] }, withValues].map((one) =>
      artefactDigest(one as Artefact),
    )
    expect(new Set(digests).size).toBe(3)
  })
})
