/**
 * The film of one image under an iterated attack: where it stood at each gradient that was asked for. It listens
 * between the attack and the model, so the attack itself knows nothing of it; each frame costs one read-back.
 */
import type { WhiteBoxAccess } from '../core/classifier.ts'
import type { Labels } from '../core/classifier.ts'
import * as tf from '../core/tf.ts'
import { crossEntropies } from '../metrics/cross-entropy.ts'
import type { Model } from '../models/model.ts'

/** A few frames, from the original to the result; arrays are row-major, C is the number of classes. */
export interface Film {
  /** After how many steps each frame was taken. */
  steps: number[]
  pixels: Float32Array
  /** frames × C. */
  logits: Float32Array
  loss: Float32Array
  /** Size of the change so far. */
  linf: Float32Array
  l2: Float32Array
}

/** More iterates than this are not kept: the film of a longer run shows its beginning and its result. */
const mostIterates = 200

export class Camera {
  readonly #iterates: Float32Array[] = []

  /** The same access; each place where one image's gradient is asked for is kept. */
  around(access: WhiteBoxAccess): WhiteBoxAccess {
    const keep = async (x: tf.Tensor) => {
      if (x.shape[0] !== 1 || this.#iterates.length >= mostIterates) return
      this.#iterates.push(Float32Array.from(await x.data()))
    }
    return {
      inputShape: access.inputShape,
      numClasses: access.numClasses,
      bounds: access.bounds,
      logits: (x) => access.logits(x),
      async lossAndGradient(x, y, loss) {
        await keep(x)
        return access.lossAndGradient(x, y, loss)
      },
      async vjp(x, cotangent) {
        await keep(x)
        return access.vjp(x, cotangent)
      },
    }
  }

  /**
   * At most `frames` of what was kept, evenly spread, the original first and the result last. Undefined for an
   * attack of a single step: there is nothing on the way. `steps` cuts a run off where its restarts begin.
   */
  async develop(
    frames: number,
    { original, result, steps }: { original: Float32Array; result: Float32Array; steps?: number | undefined },
    model: Model,
    goal: Labels,
  ): Promise<Film | undefined> {
    const way = this.#iterates.slice(0, steps)
    const all = [...(way.length > 0 ? way : [original]), result].filter(
      (pixels, i, list) => i === 0 || i === list.length - 1 || !same(pixels, list[i - 1]!),
    )
    if (all.length < 3) return undefined
    const count = Math.min(Math.max(2, frames), all.length)
    const chosen = Array.from({ length: count }, (_, i) => Math.round((i * (all.length - 1)) / (count - 1)))
    const size = original.length
    const film: Film = {
      steps: chosen,
      pixels: new Float32Array(count * size),
      logits: new Float32Array(0),
      loss: new Float32Array(0),
      linf: new Float32Array(count),
      l2: new Float32Array(count),
    }
    chosen.forEach((at, i) => {
      const pixels = all[at]!
      film.pixels.set(pixels, i * size)
      let squares = 0
      for (let j = 0; j < size; j++) {
        const change = Math.abs(pixels[j]! - original[j]!)
        squares += change * change
        if (change > film.linf[i]!) film.linf[i] = change
      }
      film.l2[i] = Math.sqrt(squares)
    })
    const x = tf.tensor(film.pixels, [count, ...model.inputShape])
    try {
      film.logits = await model.logitsArray(x)
    } finally {
      x.dispose()
    }
    film.loss = crossEntropies(film.logits, new Int32Array(count).fill(goal[0]!), model.numClasses)
    return film
  }
}

const same = (a: Float32Array, b: Float32Array) => a.every((value, i) => value === b[i])
