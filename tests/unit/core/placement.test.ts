import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  drawPlacements,
  pasteSticker,
  pullBack,
  straight,
  warpOf,
  type PictureShape,
  type Placement,
} from '../../../src/core/placement.ts'
import { createRng } from '../../../src/core/rng.ts'
import { runs } from '../../helpers/runs.ts'

const picture: PictureShape = [8, 10, 2]
const sticker: PictureShape = [4, 4, 2]
const sizeOf = ([height, width, channels]: PictureShape) => height * width * channels
const range = { rotation: 60, scale: 0.4, shift: 4, light: 0.5 }
const numbers = (count: number, seed: number, low = 0, high = 1) => {
  const rng = createRng(seed)
  return Float32Array.from({ length: count }, () => low + (high - low) * rng.uniform())
}

describe('pasteSticker', () => {
  it('puts a straight sticker where it belongs, pixel by pixel', () => {
    const pattern = numbers(sizeOf(sticker), 1)
    const pasted = pasteSticker(pattern, sticker, new Float32Array(sizeOf(picture)), picture, [straight()])
    for (let row = 0; row < 8; row++)
      for (let column = 0; column < 10; column++)
        for (let channel = 0; channel < 2; channel++) {
          const [v, u] = [row - 2, column - 3]
          const inside = v >= 0 && v < 4 && u >= 0 && u < 4
          expect(pasted[(row * 10 + column) * 2 + channel]).toBe(
            inside ? pattern[(v * 4 + u) * 2 + channel] : 0,
          )
        }
  })

  it('turns a quarter clockwise', () => {
    const square: PictureShape = [4, 4, 1]
    const pattern = Float32Array.from({ length: 16 }, (_, i) => i / 16)
    const pasted = pasteSticker(pattern, square, new Float32Array(16), square, [
      { ...straight(), rotation: 90 },
    ])
    for (let row = 0; row < 4; row++)
      for (let column = 0; column < 4; column++)
        expect(pasted[row * 4 + column]).toBeCloseTo(pattern[(3 - column) * 4 + row]!, 6)
  })

  it('moves by half a pixel as bilinear sampling does, and doubles in size', () => {
    const dot: PictureShape = [1, 1, 1]
    const row: PictureShape = [1, 6, 1]
    const white = Float32Array.of(1)
    const black = new Float32Array(6)
    const at = (placement: Partial<Placement>) => [
      ...pasteSticker(white, dot, black, row, [{ ...straight(), ...placement }]),
    ]
    expect(at({ right: 0.5 })).toEqual([0, 0, 0, 1, 0, 0])
    expect(at({ right: 0 })).toEqual([0, 0, 0.5, 0.5, 0, 0])
    // Twice the size: the middles of two pixels lie a quarter of the sticker from its own.
    expect(at({ right: 0, scale: 2 })).toEqual([0, 0.25, 0.75, 0.75, 0.25, 0])
  })

  it('is lit, and saturates at 1', () => {
    const pasted = pasteSticker(
      Float32Array.of(0.5, 0.9),
      [1, 1, 2],
      new Float32Array(2),
      [1, 1, 2],
      [{ ...straight(), light: 1.4 }],
    )
    expect([...pasted]).toEqual([...Float32Array.of(0.7, 1)])
  })

  it('leaves what it does not cover, and its arguments, as they are, and may lie beside the picture', () => {
    const pictures = numbers(2 * sizeOf(picture), 2)
    const before = Float32Array.from(pictures)
    const away = { ...straight(), right: 40 }
    const pasted = pasteSticker(numbers(sizeOf(sticker), 3), sticker, pictures, picture, [away, straight()])
    expect(pictures).toEqual(before)
    expect(pasted.subarray(0, sizeOf(picture))).toEqual(before.subarray(0, sizeOf(picture)))
    expect(pasted[sizeOf(picture)]).toBe(before[sizeOf(picture)])
    expect(pasted).not.toEqual(before)
  })

  it('covers every pixel by 0 to 1 and stays within [0, 1] when both do', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
        const placements = drawPlacements(2, range, createRng(seed))
        const pasted = pasteSticker(
          numbers(sizeOf(sticker), seed),
          sticker,
          numbers(2 * sizeOf(picture), seed + 1),
          picture,
          placements,
        )
        for (const value of pasted) expect(value >= 0 && value <= 1 + 1e-6, `${value}`).toBe(true)
        for (const cover of warpOf(sticker, picture, placements[0]!).cover)
          expect(cover > 0 && cover <= 1 + 1e-6).toBe(true)
      }),
      { numRuns: runs(50) },
    )
  })
})

describe('pullBack', () => {
  it('is the transpose of pasting: ⟨paste(s) − paste(0), g⟩ = ⟨s, pullBack(g)⟩', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
        const placements = drawPlacements(3, range, createRng(seed))
        // Dark enough that no light saturates it.
        const pattern = numbers(sizeOf(sticker), seed, 0, 0.6)
        const pictures = numbers(3 * sizeOf(picture), seed + 1)
        const gradient = numbers(pictures.length, seed + 2, -1, 1)
        const pasted = pasteSticker(pattern, sticker, pictures, picture, placements)
        const bare = pasteSticker(new Float32Array(pattern.length), sticker, pictures, picture, placements)
        const pulled = pullBack(gradient, picture, pattern, sticker, placements)
        const onPictures = pasted.reduce((sum, value, i) => sum + (value - bare[i]!) * gradient[i]!, 0)
        const onSticker = pulled.reduce((sum, value, i) => sum + value * pattern[i]!, 0)
        // Sums of a few hundred float32 products.
        expect(Math.abs(onPictures - onSticker)).toBeLessThan(1e-4)
      }),
      { numRuns: runs(50) },
    )
  })

  it('is nothing where the light saturates, and adds up over the pictures', () => {
    const place = (light: number) => ({ ...straight(), light })
    const pulled = (sticker: number, ...lights: number[]) =>
      pullBack(
        Float32Array.from(lights, () => 1),
        [1, 1, 1],
        Float32Array.of(sticker),
        [1, 1, 1],
        lights.map(place),
      )[0]
    expect(pulled(0.9, 1.25)).toBe(0)
    expect(pulled(0.5, 1.25)).toBe(1.25)
    expect(pulled(0.5, 1.25, 0.75)).toBe(2)
  })
})

describe('drawPlacements', () => {
  it('stays within its range around the spot, and gives the same seed the same ones', () => {
    const spot = { right: 2, down: -3 }
    const drawn = drawPlacements(200, range, createRng(5), spot)
    expect(drawPlacements(200, range, createRng(5), spot)).toEqual(drawn)
    for (const { rotation, scale, right, down, light } of drawn) {
      expect(Math.abs(rotation)).toBeLessThanOrEqual(60)
      expect(Math.abs(scale - 1)).toBeLessThanOrEqual(0.4)
      expect(Math.abs(right - 2)).toBeLessThanOrEqual(4)
      expect(Math.abs(down + 3)).toBeLessThanOrEqual(4)
      expect(Math.abs(light - 1)).toBeLessThanOrEqual(0.5)
    }
    const spread = (of: (placement: Placement) => number) =>
      Math.max(...drawn.map(of)) - Math.min(...drawn.map(of))
    expect(spread(({ rotation }) => rotation)).toBeGreaterThan(100)
    expect(spread(({ down }) => down)).toBeGreaterThan(7)
  })

  it.each([
    [{ ...range, rotation: -1 }, 'rotation must be at least 0 and below 180.5; got -1'],
    [{ ...range, scale: 1 }, 'scale must be at least 0 and below 1; got 1'],
    [{ ...range, shift: NaN }, 'shift must be at least 0; got NaN'],
    [{ ...range, light: 2 }, 'light must be at least 0 and below 1; got 2'],
  ])('refuses %o', (wrong, message) => {
    expect(() => drawPlacements(1, wrong, createRng(1))).toThrow(message)
  })
})

describe('what does not fit', () => {
  it.each<[string, () => unknown, string]>([
    [
      'a grey sticker',
      () => pasteSticker(new Float32Array(16), [4, 4, 1], new Float32Array(160), picture, [straight()]),
      'expected (height, width, 2)',
    ],
    [
      'too few numbers',
      () => pasteSticker(new Float32Array(31), sticker, new Float32Array(160), picture, [straight()]),
      'and 31 numbers',
    ],
    [
      'a placement too few',
      () => pasteSticker(new Float32Array(32), sticker, new Float32Array(320), picture, [straight()]),
      'got 1 placements for 320 numbers',
    ],
    ['a scale of 0', () => warpOf(sticker, picture, { ...straight(), scale: 0 }), 'scale above 0'],
    ['NaN', () => warpOf(sticker, picture, { ...straight(), right: NaN }), 'expected finite numbers'],
  ])('is refused: %s', (_, make, message) => {
    expect(make).toThrow(message)
  })
})
