/**
 * The door for learner code: everything a program in the sandbox may `import … from 'lab'`.
 * Only types and plain declarations live here, self-contained, because the editor's completion is
 * generated from this very file. The sandbox's runtime (src/sandbox/runtime/) supplies the values; so
 * does the check command in Node.
 */

/** An n-dimensional array of numbers. Make and combine them with `tf`. */
export interface Tensor {
  /** Size along each axis, e.g. [100, 28, 28, 1] for 100 grey digits. */
  readonly shape: number[]
  readonly dtype: string
  /** Number of elements. */
  readonly size: number
  /** The numbers, row after row. */
  data(): Promise<Float32Array | Int32Array | Uint8Array>
  /** The numbers as nested arrays. */
  array(): Promise<unknown>
  dispose(): void
}

/** Anything that `tf` takes: a tensor, a number, or (nested) arrays of numbers. */
export type TensorLike = Tensor | number | number[] | number[][] | Float32Array

/** Tensor arithmetic, a slice of TensorFlow.js. Every function returns a new tensor and changes none. */
export interface TensorMath {
  /** a + b, element by element; shapes broadcast. */
  add(a: TensorLike, b: TensorLike): Tensor
  /** a − b, element by element. */
  sub(a: TensorLike, b: TensorLike): Tensor
  /** a · b, element by element. */
  mul(a: TensorLike, b: TensorLike): Tensor
  /** a / b, element by element. */
  div(a: TensorLike, b: TensorLike): Tensor
  /** −x. */
  neg(x: TensorLike): Tensor
  /** |x|. */
  abs(x: TensorLike): Tensor
  /** −1, 0 or +1 for each element. */
  sign(x: TensorLike): Tensor
  sqrt(x: TensorLike): Tensor
  square(x: TensorLike): Tensor
  exp(x: TensorLike): Tensor
  log(x: TensorLike): Tensor
  /** The larger of a and b, element by element. */
  maximum(a: TensorLike, b: TensorLike): Tensor
  /** The smaller of a and b, element by element. */
  minimum(a: TensorLike, b: TensorLike): Tensor
  /** Every element pulled into [low, high]. */
  clipByValue(x: TensorLike, low: number, high: number): Tensor
  /** Sum over the given axes (all of them by default). */
  sum(x: TensorLike, axis?: number | number[], keepDims?: boolean): Tensor
  mean(x: TensorLike, axis?: number | number[], keepDims?: boolean): Tensor
  max(x: TensorLike, axis?: number | number[], keepDims?: boolean): Tensor
  min(x: TensorLike, axis?: number | number[], keepDims?: boolean): Tensor
  /** Euclidean norm over the given axes. */
  norm(x: TensorLike, ord?: 'euclidean' | number, axis?: number | number[], keepDims?: boolean): Tensor
  /** Position of the largest element along an axis. */
  argMax(x: TensorLike, axis?: number): Tensor
  softmax(logits: TensorLike): Tensor
  oneHot(indices: TensorLike, depth: number): Tensor
  reshape(x: TensorLike, shape: number[]): Tensor
  slice(x: Tensor, begin: number[], size?: number[]): Tensor
  concat(tensors: Tensor[], axis?: number): Tensor
  stack(tensors: Tensor[], axis?: number): Tensor
  gather(x: Tensor, indices: TensorLike, axis?: number): Tensor
  matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor
  where(condition: Tensor, a: Tensor, b: Tensor): Tensor
  greater(a: TensorLike, b: TensorLike): Tensor
  less(a: TensorLike, b: TensorLike): Tensor
  equal(a: TensorLike, b: TensorLike): Tensor
  zerosLike(x: Tensor): Tensor
  onesLike(x: Tensor): Tensor
  zeros(shape: number[]): Tensor
  ones(shape: number[]): Tensor
  tensor(values: TensorLike, shape?: number[]): Tensor
  /** Uniform noise from the seed you give (the run's own seed by default). */
  randomUniform(shape: number[], low?: number, high?: number, dtype?: 'float32', seed?: number): Tensor
  randomNormal(shape: number[], mean?: number, deviation?: number, dtype?: 'float32', seed?: number): Tensor
  /** Runs f and frees every tensor it made but the one it returns. Not for async functions. */
  tidy<T>(f: () => T): T
}

export declare const tf: TensorMath

/** Which loss to climb: cross-entropy (the default), margin, or DLR. */
export type Loss = { kind: 'cross-entropy' } | { kind: 'margin' } | { kind: 'dlr'; targets?: number[] }

/** The model under test, with everything inside it visible. It runs outside your program. */
export interface Victim {
  readonly inputShape: readonly number[]
  readonly numClasses: number
  readonly bounds: readonly [number, number]
  /** The scores before softmax: (N, numClasses). */
  logits(x: Tensor): Promise<Tensor>
  /**
   * The loss of each image, and how each pixel changes it.
   * @param x images, (N, 28, 28, 1)
   * @param y the digit to measure the loss for, one an image
   */
  lossAndGradient(x: Tensor, y: ArrayLike<number>, loss?: Loss): Promise<{ loss: Tensor; gradient: Tensor }>
  /** Jacobianᵀ · cotangent, for attacks that need more than one loss. */
  vjp(x: Tensor, cotangent: Tensor): Promise<Tensor>
}

export declare const victim: Victim

/** A black box that answers with probabilities. Every row is counted. */
export interface Oracle {
  scores(x: Tensor): Promise<Tensor>
  decide(x: Tensor): Promise<number[]>
}
export declare const oracle: Oracle

/** The images of this checkpoint, chosen by your seed. */
export interface Data {
  /** The first n of them (all by default). */
  sample(n?: number): Promise<{ ids: number[]; x: Tensor; y: number[] }>
}
export declare const data: Data

/** Trains a copy of the victim that lives outside your program. */
export interface Trainer {
  /** One optimiser step on (x, y); resolves with the mean loss. */
  step(x: Tensor, y: ArrayLike<number>): Promise<number>
}
export declare const trainer: Trainer

/** What this checkpoint asks for, e.g. task.epsilon or task.target. */
export declare const task: Readonly<Record<string, number | string | boolean>> & {
  readonly epsilon: number
  readonly target: number
}

/** The library's own attacks, the ones the knobs run. */
export declare const attacks: Record<
  string,
  (victim: Victim, x: Tensor, y: ArrayLike<number>, options?: Record<string, number | string | boolean>) => Promise<Tensor>
>

/** Hands in adversarial examples: same ids, same order as `data.sample()` gave them. */
export declare function submit(examples: { ids: number[]; x: Tensor }): Promise<void>

/** Draws progress in the run bar. */
export declare function progress(done: number, total: number): void
