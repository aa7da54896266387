import { PerturbError } from '../../core/errors.ts'
import * as tf from '../../core/tf.ts'
import { topClasses } from '../../models/network.ts'
import { checkPixels, withModel, type ModelRef } from '../images.ts'
import { defineMethod } from '../method.ts'
import { createPace } from '../pace.ts'

export interface SliceParams {
  model: ModelRef
  /** Three images that span the plane, one after the other. */
  pixels: Float32Array
  /** [3, height, width, channels]. */
  shape: number[]
  /** Points along each side of the grid. */
  size: number
}

/** The plane through three images, measured in L2: the first lies at (0, 0), the second on the axis to the right. */
export interface Slice {
  /** Where the three images lie. */
  points: [number, number][]
  /** What the model reads in them. */
  readAt: number[]
  /** The square that was read: its lower left corner and its side. */
  corner: [number, number]
  side: number
  size: number
  /** size × size classes, the top row of the picture first. */
  read: Int32Array
}

const batchRows = 128
/** Room around the three images, as a share of the distance between the farthest two. */
const room = 0.35

/**
 * What a model reads in every point of the plane through three images. Points of the grid outside the model's
 * bounds are read as they are: they show where the borders go on, not pictures that exist. Three images on one
 * line have no plane of their own; a direction that stands on the line is then made from the pixels' own order.
 */
export const method = defineMethod<SliceParams, Slice>({
  name: 'slice',
  runsOn: ['engine'],
  run: ({ model: ref, pixels, shape, size }, { signal, progress }, workshop) =>
    withModel(workshop, ref, async (model) => {
      if (shape[0] !== 3)
        throw new PerturbError('bad-input', `slice: three images span a plane; got ${shape[0]}`)
      if (!(Number.isInteger(size) && size >= 2 && size <= 256))
        throw new PerturbError('bad-input', `slice: size must be a whole number from 2 to 256; got ${size}`)
      checkPixels({ pixels, shape }, model)
      const plane = planeThrough(pixels)
      const { corner, side } = squareAround(plane.points)
      const total = size * size
      const read = new Int32Array(total)
      const breathe = createPace(signal)
      for (let from = 0; from < total; from += batchRows) {
        await breathe()
        const to = Math.min(total, from + batchRows)
        const batch = new Float32Array((to - from) * plane.origin.length)
        for (let at = from; at < to; at++) {
          const right = corner[0] + (side * (at % size)) / (size - 1)
          const up = corner[1] + side - (side * Math.floor(at / size)) / (size - 1)
          batch.set(plane.at(right, up), (at - from) * plane.origin.length)
        }
        read.set(await readOf(batch, to - from), from)
        progress(to, total)
      }
      const readAt = [...(await readOf(pixels, 3))]
      return { points: plane.points, readAt, corner, side, size, read }

      async function readOf(values: Float32Array, rows: number): Promise<Int32Array> {
        const x = tf.tensor(values, [rows, ...model.inputShape])
        try {
          return topClasses(await model.logitsArray(x), model.numClasses)
        } finally {
          x.dispose()
        }
      }
    }),
  transfer: ({ read }) => [read.buffer as ArrayBuffer],
})

interface Plane {
  origin: Float32Array
  points: [number, number][]
  /** The image at these coordinates. */
  at(right: number, up: number): Float32Array
}

/** Two directions of length 1 that stand on each other (Gram and Schmidt), from three images. */
export function planeThrough(pixels: Float32Array): Plane {
  const width = pixels.length / 3
  const [origin, second, third] = [0, 1, 2].map((i) => pixels.slice(i * width, (i + 1) * width)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  const any = (without?: Float64Array) => {
    for (let k = 0; k < width; k++) {
      const axis = Float64Array.from({ length: width }, (_, i) => (i === k ? 1 : 0))
      const left = without ? less(axis, without) : axis
      if (dot(left, left) > 0.5) return unit(left)
    }
    return new Float64Array(width)
  }
  const away = (to: Float32Array) => Float64Array.from(to, (value, i) => value - origin[i]!)
  const right = unit(away(second), any)
  const up = unit(less(away(third), right), () => any(right))
  const place = (to: Float32Array): [number, number] => [dot(away(to), right), dot(away(to), up)]
  return {
    origin,
    points: [[0, 0], place(second), place(third)],
    at: (a, b) => origin.map((value, i) => value + a * right[i]! + b * up[i]!),
  }
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
/** What is left of a without its part along b, which has length 1. */
const less = (a: Float64Array, b: Float64Array) => {
  const along = dot(a, b)
  return a.map((value, i) => value - along * b[i]!)
}
/** a divided by its length; the other one where it has none. */
function unit(a: Float64Array, other?: () => Float64Array): Float64Array {
  const length = Math.sqrt(dot(a, a))
  return length > 1e-6 || !other ? a.map((value) => value / Math.max(length, 1e-12)) : other()
}

/** The square around three points, with room on all sides. */
function squareAround(points: readonly [number, number][]): { corner: [number, number]; side: number } {
  const [rights, ups] = [0, 1].map((axis) => points.map((point) => point[axis]!)) as [number[], number[]]
  const span = Math.max(Math.max(...rights) - Math.min(...rights), Math.max(...ups) - Math.min(...ups), 1e-3)
  const side = span * (1 + 2 * room)
  const middle = (values: number[]) => (Math.max(...values) + Math.min(...values)) / 2
  return { corner: [middle(rights) - side / 2, middle(ups) - side / 2], side }
}
