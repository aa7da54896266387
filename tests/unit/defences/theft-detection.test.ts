import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRng } from '../../../src/core/rng.ts'
import { MeanConfidence } from '../../../src/defences/detection/mean-confidence.ts'
import { detectedAt, detectionRoc } from '../../../src/metrics/extraction.ts'
import { TheftWatch, watchStream, type TheftRules } from '../../../src/defences/detection/theft-watch.ts'
import { bandOf, nearestDistance, NearestQuery } from '../../../src/defences/detection/nearest-query.ts'

const point = (...values: number[]) => Float32Array.from(values)
const cloud = (count: number, scale: number, seed: number, size = 16) => {
  const rng = createRng(seed, 'cloud')
  return Array.from({ length: count }, () => Float32Array.from({ length: size }, () => scale * rng.normal()))
}
const alarmAt = (watch: NearestQuery, stream: readonly Float32Array[]) =>
  stream.findIndex((query) => watch.see(query).alarm)

describe('the nearest earlier query', () => {
  test('worked by hand', () => {
    const watch = new NearestQuery({ low: 1, high: 4, atLeast: 3 })
    expect([0, 3, 4].map((x) => watch.see(point(x)).median)).toEqual([undefined, undefined, undefined])
    // Distances so far 3, 1, 2: the median is 2; then 0.5: 1.5; then 0 and 0: 0.75.
    expect(watch.see(point(6))).toEqual({ median: 2, alarm: false })
    expect(watch.see(point(6.5))).toEqual({ median: 1.5, alarm: false })
    expect(watch.see(point(6.5))).toEqual({ median: 1, alarm: false })
    expect(watch.see(point(6.5))).toEqual({ median: 0.75, alarm: true })
  })

  test('is found however many there are, and is infinite when there are none', () => {
    expect(nearestDistance(point(0, 0), [])).toBe(Infinity)
    const spot = fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 }))
    fc.assert(
      fc.property(spot, fc.array(spot), ([x, y], others) => {
        const wanted = Math.min(Infinity, ...others.map(([a, b]) => Math.sqrt((a - x) ** 2 + (b - y) ** 2)))
        const found = nearestDistance(
          point(x, y),
          others.map((one) => point(...one)),
        )
        expect(found).toBe(wanted)
      }),
    )
  })

  const band = bandOf([cloud(150, 1, 1), cloud(150, 1, 2), cloud(150, 1, 3)], { atLeast: 100, margin: 0.1 })

  test('lets honest streams pass and closes noise, probes of one input and foreign inputs', () => {
    for (let seed = 10; seed < 30; seed++)
      expect(alarmAt(new NearestQuery(band), cloud(150, 1, seed))).toBe(-1)
    expect(alarmAt(new NearestQuery(band), cloud(150, 2, 4))).toBe(100)
    const [origin] = cloud(1, 1, 5)
    const probes = cloud(150, 0.05, 6).map((step) => step.map((value, i) => value + origin![i]!))
    expect(alarmAt(new NearestQuery(band), probes)).toBe(100)
  })

  test('does not see a thief who asks as honest users do, nor one who mixes enough of them in', () => {
    expect(alarmAt(new NearestQuery(band), cloud(300, 1, 77).slice(0, 150))).toBe(-1)
    const noise = cloud(40, 2, 8)
    const diluted = cloud(150, 1, 9).flatMap((query, i) => (i % 10 === 0 ? [query, noise[i / 10]!] : [query]))
    expect(alarmAt(new NearestQuery(band), diluted)).toBe(-1)
  })

  test('alarms at once for a number that is not finite, and forgets it', () => {
    const watch = new NearestQuery({ low: 0, high: 10, atLeast: 1 })
    watch.see(point(0))
    expect(watch.see(point(NaN))).toEqual({ median: undefined, alarm: true })
    expect(watch.see(point(3))).toEqual({ median: 3, alarm: false })
  })

  test.each([
    [{ low: -1, high: 1, atLeast: 1 }, /0 ≤ low ≤ high; got -1 and 1/],
    [{ low: 2, high: 1, atLeast: 1 }, /0 ≤ low ≤ high; got 2 and 1/],
    [{ low: 0, high: 1, atLeast: 0 }, /atLeast must be a whole number of at least 1; got 0/],
  ])('refuses %j', (wrong, message) => expect(() => new NearestQuery(wrong)).toThrow(message))

  test('a band needs streams that are long enough', () =>
    expect(() => bandOf([cloud(50, 1, 1)], { atLeast: 100, margin: 0.1 })).toThrow(
      /no honest stream has 100 distances/,
    ))
})

describe('the mean confidence', () => {
  test('worked by hand, at the limit and below it', () => {
    const watch = new MeanConfidence({ least: 0.75, atLeast: 2 })
    expect(watch.see([0.9, 0.1])).toEqual({ mean: undefined, alarm: false })
    expect(watch.see([0.4, 0.6])).toEqual({ mean: 0.75, alarm: false })
    expect(watch.see([0.5, 0.5]).alarm).toBe(true)
  })

  test('counts what is no number as no confidence at all', () => {
    const watch = new MeanConfidence({ least: 0.5, atLeast: 1 })
    expect(watch.see([NaN, NaN])).toEqual({ mean: 0, alarm: true })
  })

  test.each([
    [{ least: 1.5, atLeast: 1 }, /least must lie between 0 and 1; got 1.5/],
    [{ least: 0.5, atLeast: 1.5 }, /atLeast must be a whole number of at least 1; got 1.5/],
  ])('refuses %j', (wrong, message) => expect(() => new MeanConfidence(wrong)).toThrow(message))
})

describe('three watches on one account', () => {
  const sure = (count: number) => Array.from({ length: count }, () => Float32Array.of(0.99, 0.01))
  const doubtful = (count: number) => Array.from({ length: count }, () => Float32Array.of(0.6, 0.4))
  const rules: TheftRules = {
    prada: { delta: 0.9, atLeast: 100 },
    nearest: bandOf([cloud(150, 1, 1), cloud(150, 1, 2), cloud(150, 1, 3)], { atLeast: 100, margin: 0.15 }),
    confidence: { least: 0.95, atLeast: 50 },
  }
  /** Each input again and again, a little aside: what augmentation asks. */
  const made = (seed: number) => {
    const first = cloud(75, 1, seed)
    return [...first, ...first.map((query, i) => query.map((value, j) => value + ((i + j) % 2 ? 0.1 : -0.1)))]
  }

  test('let honest streams pass', () => {
    for (let seed = 20; seed < 35; seed++)
      expect(watchStream(cloud(150, 1, seed), sure(150), rules)).toMatchObject({ at: undefined, by: [] })
  })

  test('each sees the thief that it is for', () => {
    expect(watchStream(made(5), sure(150), { prada: rules.prada! }).by).toEqual(['prada'])
    expect(watchStream(cloud(150, 2, 6), sure(150), rules)).toMatchObject({ at: 101, by: ['nearest'] })
    expect(watchStream(cloud(150, 1, 7), doubtful(150), rules)).toMatchObject({ at: 50, by: ['confidence'] })
  })

  test('the thief who asks as honest users do is not seen', () =>
    expect(watchStream(cloud(150, 1, 99), sure(150), rules).at).toBeUndefined())

  test('a watch without rules never alarms', () =>
    expect(new TheftWatch({}).see(point(0), point(1, 0))).toEqual({
      w: undefined,
      median: undefined,
      mean: undefined,
      alarms: [],
    }))

  test('their readings make a curve against honest traffic', () => {
    const lowestW = (stream: readonly Float32Array[]) => {
      const watch = new TheftWatch({ prada: { delta: 0.01, atLeast: 100 } })
      return Math.min(...stream.map((query) => watch.see(query, point(1, 0)).w ?? 1))
    }
    const honest = Array.from({ length: 8 }, (_, i) => 1 - lowestW(cloud(150, 1, 40 + i)))
    const thieves = Array.from({ length: 8 }, (_, i) => 1 - lowestW(made(60 + i)))
    const roc = detectionRoc(honest, thieves)
    expect(roc.auc).toBe(1)
    expect(detectedAt(roc, 0).detected).toBe(1)
  })
})
