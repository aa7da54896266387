import * as tf from './tf.ts'

/**
 * The tensors that a loop carries from step to step. A step replaces some of them and frees what they were,
 * so that wherever a loop stops, by its end, an error or a cancel, one `dispose` leaves nothing behind.
 */
export class Held<T extends Record<string, tf.Tensor>> {
  readonly #tensors: T

  /** `make` runs in a tidy; it may return tensors made elsewhere only as clones. */
  constructor(make: () => T) {
    this.#tensors = tf.tidy(make)
  }

  /** As they stand; borrowed. */
  get now(): Readonly<T> {
    return this.#tensors
  }

  /** One step in a tidy: what `next` returns takes its place, and `spent` is freed, also when `next` throws. */
  step(next: (now: Readonly<T>) => Partial<T>, spent: tf.TensorContainer = []): void {
    try {
      const fresh = tf.tidy(() => next(this.#tensors) as T)
      for (const name of Object.keys(fresh) as (keyof T)[]) {
        const before: tf.Tensor | undefined = this.#tensors[name]
        if (before !== fresh[name]) before?.dispose()
        this.#tensors[name] = fresh[name]
      }
    } finally {
      tf.dispose(spent)
    }
  }

  /** A tensor that outlives the loop; the caller disposes it. */
  take(name: keyof T): tf.Tensor {
    return tf.clone(this.#tensors[name])
  }

  dispose(): void {
    tf.dispose(this.#tensors)
  }
}
