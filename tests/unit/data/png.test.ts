import { zlibSync } from 'fflate'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodePng } from '../../../src/data/png.ts'

interface Made {
  width: number
  height: number
  channels: 1 | 2 | 3 | 4
  pixels: Uint8Array
  /** A filter for each row. */
  filters: number[]
}

const chunk = (type: string, body: Uint8Array): number[] => {
  const length = [body.length >>> 24, body.length >>> 16, body.length >>> 8, body.length].map(
    (byte) => byte & 255,
  )
  return [...length, ...[...type].map((c) => c.charCodeAt(0)), ...body, 0, 0, 0, 0]
}

/** A PNG encoder written from the specification's forward formulas (§9.2), to test the decoder against. */
function encode(
  { width, height, channels, pixels, filters }: Made,
  header: Record<number, number> = {},
): Uint8Array {
  const stride = width * channels
  const at = (row: number, i: number) => (row < 0 || i < 0 ? 0 : pixels[row * stride + i]!)
  const raw: number[] = []
  for (let row = 0; row < height; row++) {
    raw.push(filters[row]!)
    for (let i = 0; i < stride; i++) {
      const [a, b, c] = [at(row, i - channels), at(row - 1, i), i < channels ? 0 : at(row - 1, i - channels)]
      const distances = [a, b, c].map((neighbour) => Math.abs(a + b - c - neighbour))
      const paeth = [a, b, c][distances.indexOf(Math.min(...distances))]!
      const guess = [0, a, b, Math.floor((a + b) / 2), paeth][filters[row]!]!
      raw.push((at(row, i) - guess) & 255)
    }
  }
  const ihdr = Uint8Array.of(
    0,
    0,
    0,
    width,
    0,
    0,
    0,
    height,
    8,
    { 1: 0, 2: 4, 3: 2, 4: 6 }[channels],
    0,
    0,
    0,
  )
  for (const [index, value] of Object.entries(header)) ihdr[Number(index)] = value
  const packed = zlibSync(Uint8Array.from(raw))
  return Uint8Array.from([
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    ...chunk('IHDR', ihdr),
    ...chunk('tEXt', Uint8Array.of(1, 2, 3)),
    // Two parts: decoders must join them.
    ...chunk('IDAT', packed.subarray(0, 5)),
    ...chunk('IDAT', packed.subarray(5)),
    ...chunk('IEND', new Uint8Array(0)),
  ])
}

const made: fc.Arbitrary<Made> = fc
  .record({
    width: fc.integer({ min: 1, max: 9 }),
    height: fc.integer({ min: 1, max: 9 }),
    channels: fc.constantFrom(1, 2, 3, 4),
  })
  .chain(({ width, height, channels }) =>
    fc.record({
      width: fc.constant(width),
      height: fc.constant(height),
      channels: fc.constant(channels as Made['channels']),
      pixels: fc.uint8Array({ minLength: width * height * channels, maxLength: width * height * channels }),
      filters: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: height, maxLength: height }),
    }),
  )

const one: Made = { width: 2, height: 2, channels: 1, pixels: Uint8Array.of(1, 2, 3, 4), filters: [0, 4] }

describe('decodePng', () => {
  it('undoes every filter, whatever the row before used', () => {
    fc.assert(
      fc.property(made, (picture) => {
        const { width, height, channels, pixels } = picture
        expect(decodePng(encode(picture), 'x.png')).toEqual({ width, height, channels, pixels })
      }),
    )
  })

  it('names a file that was cut short, wherever it was cut', () => {
    const bytes = encode(one)
    for (let length = 8; length < bytes.length; length++) {
      expect(() => decodePng(bytes.subarray(0, length), 'x.png')).toThrow(
        `x.png: cut short after ${length} bytes`,
      )
    }
  })

  it('refuses what it cannot read, and says what', () => {
    const refuse = (bytes: Uint8Array, why: string) => {
      expect(() => decodePng(bytes, 'x.png')).toThrow(why)
      expect(() => decodePng(bytes, 'x.png')).toThrow(expect.objectContaining({ code: 'unreadable' }))
    }
    refuse(new TextEncoder().encode('<!doctype html>'), 'x.png: not a PNG')
    refuse(new Uint8Array(0), 'not a PNG')
    refuse(encode(one, { 8: 16 }), 'got 16 bits')
    refuse(encode(one, { 9: 3 }), 'colour type 3')
    refuse(encode(one, { 12: 1 }), 'interlace 1')
    refuse(encode(one, { 7: 3 }), 'expected 9 bytes of pixels, got 6')
    refuse(encode({ ...one, filters: [0, 5] }), 'row 1 has filter 5')
    const damaged = encode(one)
    // The last byte but CRC and IEND chunk: inside the compressed stream's end.
    damaged.fill(0xff, 8 + 25 + 15 + 8, 8 + 25 + 15 + 13)
    refuse(damaged, 'its pixels do not inflate')
  })
})
