/**
 * The door for learner code: everything a program in the sandbox may `import … from 'lab'`.
 * Only types and plain declarations live here, self-contained, because the editor's completion and hover
 * texts are generated from this very file. The values are made in src/sandbox/runtime/lab.ts, once for the
 * sandbox and for the check command in Node.
 */

/** An n-dimensional array of numbers. Make and combine them with `tf`; a tensor never changes. */
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
  /** Frees its memory at once. A run frees everything at its end, so this is for long loops. */
  dispose(): void
}

/** Anything that `tf` takes: a tensor, a number, or (nested) arrays of numbers. */
export type TensorLike = Tensor | number | ArrayLike<number> | number[][] | number[][][]

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
  /** The square root of each element. */
  sqrt(x: TensorLike): Tensor
  /** x · x, element by element. */
  square(x: TensorLike): Tensor
  /** e to the power of each element. */
  exp(x: TensorLike): Tensor
  /** The natural logarithm of each element. */
  log(x: TensorLike): Tensor
  /** base to the power of exponent, element by element. */
  pow(base: TensorLike, exponent: TensorLike): Tensor
  /** Each element rounded to the nearest whole number. */
  round(x: TensorLike): Tensor
  /** Each element rounded down. */
  floor(x: TensorLike): Tensor
  /** The larger of a and b, element by element. */
  maximum(a: TensorLike, b: TensorLike): Tensor
  /** The smaller of a and b, element by element. */
  minimum(a: TensorLike, b: TensorLike): Tensor
  /** Every element pulled into [low, high]. */
  clipByValue(x: TensorLike, low: number, high: number): Tensor
  /** max(x, 0), element by element. */
  relu(x: TensorLike): Tensor
  /** 1 / (1 + e^−x), element by element. */
  sigmoid(x: TensorLike): Tensor
  /** The hyperbolic tangent, element by element. */
  tanh(x: TensorLike): Tensor

  /** Sum over the given axes (all of them by default). */
  sum(x: TensorLike, axis?: number | number[], keepDims?: boolean): Tensor
  /** Mean over the given axes (all of them by default). */
  mean(x: TensorLike, axis?: number | number[], keepDims?: boolean): Tensor
  /** Largest element over the given axes (all of them by default). */
  max(x: TensorLike, axis?: number | number[], keepDims?: boolean): Tensor
  /** Smallest element over the given axes (all of them by default). */
  min(x: TensorLike, axis?: number | number[], keepDims?: boolean): Tensor
  /** Euclidean norm over the given axes. */
  norm(x: TensorLike, ord?: 'euclidean' | number, axis?: number | number[], keepDims?: boolean): Tensor
  /** Position of the largest element along an axis. */
  argMax(x: TensorLike, axis?: number): Tensor
  /** The k largest elements of each row, and where they are. */
  topk(x: Tensor, k?: number): { values: Tensor; indices: Tensor }
  /** Scores turned into probabilities, row by row. */
  softmax(logits: TensorLike): Tensor
  /** The logarithm of softmax, without its overflow. */
  logSoftmax(logits: TensorLike): Tensor
  /** A row of zeros with a one at each index: (N) → (N, depth). */
  oneHot(indices: TensorLike, depth: number): Tensor
  /** The matrix product. */
  matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor

  /** a where the condition is true, b elsewhere. */
  where(condition: Tensor, a: Tensor, b: Tensor): Tensor
  greater(a: TensorLike, b: TensorLike): Tensor
  greaterEqual(a: TensorLike, b: TensorLike): Tensor
  less(a: TensorLike, b: TensorLike): Tensor
  lessEqual(a: TensorLike, b: TensorLike): Tensor
  equal(a: TensorLike, b: TensorLike): Tensor
  logicalAnd(a: Tensor, b: Tensor): Tensor
  logicalOr(a: Tensor, b: Tensor): Tensor
  logicalNot(x: Tensor): Tensor

  /** The same numbers in another shape. One size may be −1: it is worked out. */
  reshape(x: TensorLike, shape: number[]): Tensor
  /** A block that starts at `begin` and has the given size. */
  slice(x: Tensor, begin: number | number[], size?: number | number[]): Tensor
  /** Tensors joined along an axis that they have. */
  concat(tensors: Tensor[], axis?: number): Tensor
  /** Tensors of one shape joined along a new axis. */
  stack(tensors: Tensor[], axis?: number): Tensor
  /** The tensors that `stack` would have joined. */
  unstack(x: Tensor, axis?: number): Tensor[]
  /** The rows (or other slices) at the given indices. */
  gather(x: Tensor, indices: TensorLike, axis?: number): Tensor
  /** Axes in another order, reversed by default. */
  transpose(x: Tensor, axes?: number[]): Tensor
  /** x repeated along each axis. */
  tile(x: Tensor, repetitions: number[]): Tensor
  /** x with a border: [before, after] for each axis. */
  pad(x: Tensor, borders: [number, number][], value?: number): Tensor

  /** A tensor from numbers: `tf.tensor([1, 2, 3, 4], [2, 2])`. */
  tensor(values: TensorLike, shape?: number[], dtype?: 'float32' | 'int32' | 'bool'): Tensor
  zeros(shape: number[]): Tensor
  ones(shape: number[]): Tensor
  zerosLike(x: Tensor): Tensor
  onesLike(x: Tensor): Tensor
  /** Every element the same. */
  fill(shape: number[], value: number): Tensor
  /** start, start + step, … below stop. */
  range(start: number, stop: number, step?: number): Tensor
  /** A copy. */
  clone(x: Tensor): Tensor
  /** The same numbers as another type. */
  cast(x: Tensor, dtype: 'float32' | 'int32' | 'bool'): Tensor
  /** Uniform noise in [low, high), from the seed you give (the run's own by default). */
  randomUniform(shape: number[], low?: number, high?: number, dtype?: 'float32', seed?: number): Tensor
  /** Normal noise, from the seed you give (the run's own by default). */
  randomNormal(shape: number[], mean?: number, deviation?: number, dtype?: 'float32', seed?: number): Tensor

  /** Runs f and frees every tensor it made but the one it returns. Not for async functions. */
  tidy<T>(f: () => T): T
  /** Saves x from being freed: by `tidy`, or with the training batch it was made in. Returns x. */
  keep(x: Tensor): Tensor
  /** Frees tensors at once. */
  dispose(tensors: Tensor | Tensor[]): void
}

/** Tensor arithmetic: `tf.add(x, tf.mul(epsilon, tf.sign(gradient)))`. */
export declare const tf: TensorMath

/** Which loss to climb: cross-entropy (the default), margin, or DLR. */
export type Loss = { kind: 'cross-entropy' } | { kind: 'margin' } | { kind: 'dlr'; targets?: number[] }

/** The model under test, with everything inside it visible. It runs outside your program. */
export interface Victim {
  /** Shape of one input, without the batch: [28, 28, 1]. */
  readonly inputShape: readonly number[]
  readonly numClasses: number
  /** Smallest and largest legal value of a pixel: [0, 1]. */
  readonly bounds: readonly [number, number]
  /** The scores before softmax: (N, numClasses). */
  logits(x: Tensor): Promise<Tensor>
  /**
   * The loss of each image, and how each pixel changes it: loss (N), gradient of x's shape.
   * @param x images, (N, 28, 28, 1)
   * @param y the digit to measure the loss for, one an image
   * @param loss cross-entropy when left out
   */
  lossAndGradient(x: Tensor, y: ArrayLike<number>, loss?: Loss): Promise<{ loss: Tensor; gradient: Tensor }>
  /** Jacobianᵀ · cotangent, for attacks that need more than one loss: (N, numClasses) gives x's shape. */
  vjp(x: Tensor, cotangent: Tensor): Promise<Tensor>
  /**
   * Votes under noise: for each image, how often the model gives each answer on n copies with normal noise of
   * deviation sigma added, fresh at every call. `(await victim.sampleUnderNoise(x, 0.25, 100))[0][3]` is how many of
   * 100 copies of the first image are read as class 3. Every copy counts as one row.
   */
  sampleUnderNoise(x: Tensor, sigma: number, n: number): Promise<number[][]>
  /**
   * What the model's last layer reads of each image: (N, features). Two images that lie close together here look alike to the
   * model, whatever their pixels say.
   */
  features(x: Tensor): Promise<Tensor>
}

/** The model under test (white-box): you may ask for its gradient. */
export declare const victim: Victim

/** A model whose inside is open: what attacks need of a victim. Write one yourself, and every attack runs on it. */
export type WhiteBox = Omit<Victim, 'sampleUnderNoise' | 'features'>

/**
 * The same model without what stands in front of it: the part behind the victim's preprocessing, where the lab
 * grants it. Give it what the preprocessing would have made of your images.
 */
export declare const inner: WhiteBox

/** What the victim's last layer reads of an input: all the layers before it, which stay as they are. */
export interface Features {
  /** How many numbers an input becomes. */
  readonly size: number
  /** The features of each input: (N, size). */
  of(x: Tensor): Promise<Tensor>
  /** Jacobianᵀ · cotangent: (N, size) gives x's shape. With `of(x) − f` it is the gradient of ½‖of(x) − f‖². */
  vjp(x: Tensor, cotangent: Tensor): Promise<Tensor>
}

/** The victim without its last layer, where the lab grants it. */
export declare const features: Features

/** A black box. Every row you ask about is counted, and a spent budget refuses. */
export interface Oracle {
  readonly inputShape: readonly number[]
  readonly numClasses: number
  readonly bounds: readonly [number, number]
  /**
   * Probabilities: (N, numClasses), as exact as the checkpoint's API tells them.
   * @param account who asks: an account or an API key, a number from 0; it matters where they are watched or have a quota
   */
  scores(x: Tensor, account?: number): Promise<Tensor>
  /** The top class of each row; `account` as in `scores`. */
  decide(x: Tensor, account?: number): Promise<number[]>
}

/** The model under test (black-box): you may only ask what it answers. */
export declare const oracle: Oracle

/** A few training images, and how far the training is. */
export interface TrainingBatch {
  /** Images, e.g. (64, 28, 28, 1), every pixel in [0, 1]. */
  readonly x: Tensor
  /** What each one shows. */
  readonly y: number[]
  /** Batches before this one. */
  readonly step: number
  /** Batches in the whole training. */
  readonly steps: number
}

/** How `data.batches` cuts the training images. */
export interface BatchOptions {
  /** Images in a batch; 64 when left out. */
  size?: number
  /** Times that each image comes; 1 when left out. */
  epochs?: number
  /** Train on this many of the training images only, chosen by your seed; on all of them when left out. */
  images?: number
}

/** One row of the training data, changed: another class number, or 'drop' to take it out. */
export interface Change {
  /** As `data.sample()` gives it. */
  id: number
  label: number | 'drop'
  /** The row's picture carries the trigger that is handed in along with the changes. */
  stamped?: boolean
}

/**
 * A backdoor's trigger, as data. A patch covers a few pixels of a picture: `pixels` are height × width × channels numbers in
 * [0, 1], row by row, and `opacity` says how much of the picture they cover up, one number or one a pixel. A blend is a whole
 * faint picture. A wave is added to every row of pixels, or to every column.
 */
export type Trigger =
  | {
      kind: 'patch'
      /** Pixels above it, and to its left. */
      top: number
      left: number
      height: number
      width: number
      pixels: ArrayLike<number>
      opacity: number | ArrayLike<number>
    }
  | { kind: 'blend'; pixels: ArrayLike<number>; opacity: number }
  | { kind: 'wave'; amplitude: number; frequency: number; along: 'width' | 'height' }

/** The same pictures, (N, height, width, channels), each with the trigger on it: a new tensor. */
export declare function stamp(x: Tensor, trigger: Trigger): Promise<Tensor>

/** How well a victim does that was trained on changed rows, on rows that nobody changed. */
export interface Retrained {
  /** Share of the watched class that is found, at a fixed share of false alarms where the checkpoint has one, 0 to 1. */
  recall: number
  /** Share of all rows that get their own class. */
  accuracy: number
  /** The same, class by class. */
  byClass: number[]
  /** How sure it is that each training row is of the watched class, 0 to 1, in the order of `data.sample()`. */
  scores: number[]
  /** With a trigger: the share of the test pictures to be turned that are read as the attacker wants, 0 to 1. */
  success?: number
}

/**
 * What if: trains the victim anew on the training rows with these changes, and reads it on the test rows. From then
 * on `victim` is the new one. It costs as many rows of the budget as it trains on.
 * @param changes none when left out: the rows as they are
 * @param also x: new numbers for the changed rows, one row a change, where only labels are not enough; trigger: what the
 *   stamped rows carry, and what the victim is then tested with
 */
export declare function retrain(
  changes?: readonly Change[],
  also?: { x?: Tensor; trigger?: Trigger },
): Promise<Retrained>

/** What one shopper gave one item: 1 to 5 stars. Shoppers and items are numbers from 0. */
export interface Rating {
  shopper: number
  item: number
  stars: number
}

/** What anybody can read in a shop: every rating, and the kind of each item. */
export interface Shop {
  shoppers: number
  items: number
  /** Of each item, e.g. 3 for a dress. */
  kinds: number[]
  ratings: Rating[]
}

/** All that one invented shopper rates, each item once. */
export type Profile = { item: number; stars: number }[]

/** What the recommender shows after a change of its ratings. */
export interface Recommended {
  /** Of the honest shoppers, the share whose list of ten holds the pushed item, 0 to 1. */
  exposure: number
  /** How many of the ratings kept back from honest shoppers are of items in their lists, 0 to 1. */
  hitRate: number
  /** Shoppers whom the shop's own filter left out, by number; invented ones come after all others, in your order. */
  removed: number[]
}

/**
 * What if: fits the shop's recommender anew, with more shoppers, without some, or both, and reads everybody's list. It
 * costs as many rows of the budget as there are ratings.
 */
export declare function recommend(change?: {
  profiles?: readonly Profile[]
  without?: readonly number[]
}): Promise<Recommended>

/** What one of the library's filters says of the training rows. */
export interface Suspects {
  /** The rows that the victim was trained on last. */
  ids: number[]
  /** One a row: the higher, the more suspicious. */
  scores: number[]
  /** The rows that the filter's own rule picks, by id. */
  flagged: number[]
}

/**
 * Runs one of the library's filters on the rows that the victim was trained on last: those of the last `retrain`, or those that
 * were given. STRIP reads each row under sixteen audited ones, so that it costs seventeen times as much as the others.
 */
export declare function suspects(
  filter: 'activation-clustering' | 'spectral' | 'strip' | 'deep-knn',
): Promise<Suspects>

/** Images, chosen by your seed. */
export interface Data {
  /** The first n of this checkpoint's images (all by default): ids, images x in [0, 1], and the digits y that they show. */
  sample(n?: number): Promise<{ ids: number[]; x: Tensor; y: number[] }>
  /**
   * The training images, shuffled, a batch at a time: `for await (const { x, y } of data.batches()) { … }`.
   * Every tensor made with one batch is freed when the next one comes, so that a long training does not fill the
   * memory: keep numbers from batch to batch, or `tf.keep` a tensor.
   */
  batches(options?: BatchOptions): AsyncIterable<TrainingBatch>
  /** What shoppers said of the items, in a lab that has a shop. */
  ratings(): Promise<Shop>
  /** Rows that somebody you trust has looked at, and their true labels; none in most checkpoints. */
  audited(): Promise<{ ids: number[]; y: number[] }>
  /** The one input that you are after, (1, …), and what it shows; most checkpoints have none. */
  target(): Promise<{ x: Tensor; y: number }>
}

/** The images of this checkpoint: `const { ids, x, y } = await data.sample()`. */
export declare const data: Data

/** One question in the provider's log, as the provider has it. */
export interface LogEntry {
  /** The class that it was answered with. */
  readonly answer: number
  /** How sure the victim was of it, 0 to 1. */
  readonly confidence: number
  /** How far (L2) it lies from each earlier question of the same account, in their order; empty for the first. */
  readonly distances: Float32Array
}

/** The log of your own prediction API. */
export interface ProviderLog {
  /** Account numbers: last week's, which are known to be honest, and today's, of which nobody knows. */
  accounts(): Promise<{ honest: number[]; today: number[] }>
  /** What one account asked, in order. */
  entries(account: number): Promise<LogEntry[]>
  /** When it asked, in seconds from its first question, in order. */
  times(account: number): Promise<number[]>
}

/** What the provider of the model has noted: who asked what, and when. */
export declare const log: ProviderLog

/** Trains a copy of the victim that lives outside your program. From its first step on, `victim` is that copy. */
export interface Trainer {
  /**
   * One step of the optimiser (Adam) down the mean cross-entropy of (x, y); resolves with that loss.
   * @param x images, 512 at most
   * @param y what each one shows
   * @param rate length of the step, 0.001 when left out; larger learns faster, until it learns nothing
   */
  step(x: Tensor, y: ArrayLike<number>, rate?: number): Promise<number>
}

/** Trains a copy of the victim: `await trainer.step(adversarial, y)`. Hand it in with `await submit(trainer)`. */
export declare const trainer: Trainer

/**
 * A network of your own. Its inside is open, asking it is free, and every attack runs on it; like the victim it lives
 * outside your program.
 */
export interface Surrogate extends WhiteBox {
  /**
   * One step of the optimiser (Adam) towards these answers; resolves with the mean cross-entropy.
   * @param x images, 512 at most, that the oracle has answered
   * @param answers a row of probabilities for each: `await oracle.scores(x)`, or `tf.oneHot(await oracle.decide(x), 10)`
   * @param rate length of the step, 0.001 when left out; larger learns faster, until it learns nothing
   */
  learn(x: Tensor, answers: Tensor, rate?: number): Promise<number>
  /** Forgets everything that it has learned. */
  restart(): Promise<void>
}

/** The network that this checkpoint lends you. Hand it in with `await submit(surrogate)`. */
export declare const surrogate: Surrogate

/** What this checkpoint asks for, e.g. `task.epsilon` or `task.target`. */
export declare const task: Readonly<Record<string, number | string | boolean>> & {
  /** How far a pixel may move. */
  readonly epsilon: number
  /** The class to be read as, where the checkpoint is a targeted one. */
  readonly target: number
}

/** How one sticker lies on one picture. */
export interface Placement {
  /** Degrees, clockwise. */
  rotation: number
  /** 1 is its own size. */
  scale: number
  /** Pixels from the middle of the picture to the middle of the sticker. */
  right: number
  down: number
  /** Brightness against the picture's; what exceeds 1 is cut off. */
  light: number
}

/** How far placements reach to either side: degrees, a share, pixels, a share. All 0 is straight, in the middle of the spot. */
export interface PlacementRange {
  rotation: number
  scale: number
  shift: number
  light: number
}

/** A sticker on pictures, and the way back. */
export declare const stickers: {
  /**
   * n placements drawn evenly from a range around a spot (the middle of the picture when left out), other ones at each
   * call; the same run draws the same.
   */
  draw(n: number, range: PlacementRange, spot?: { right: number; down: number }): Placement[]
  /**
   * The pictures with the sticker on each, at a placement each.
   * @param sticker (side, side, 3)
   * @param x pictures, (N, 32, 32, 3)
   */
  paste(sticker: Tensor, x: Tensor, placements: readonly Placement[]): Promise<Tensor>
  /**
   * What the sticker's own pixels are worth, from what those of the pasted pictures are worth: every placement
   * undone, and all of them added up. The result has the sticker's shape.
   */
  pullBack(gradient: Tensor, sticker: Tensor, placements: readonly Placement[]): Promise<Tensor>
}

/** The knobs of an attack by name, e.g. { epsilon: 0.25 }; a name that it does not know is an error. */
export interface AttackOptions {
  /** Makes the attack a targeted one: the class that each row shall be read as. */
  targets?: ArrayLike<number>
  /** Where its randomness comes from; the run's own seed when left out. */
  seed?: number
  /** A picture for each row that is misread already, for attacks on decisions to begin with. */
  starts?: Tensor
  /** A model of your own, for `attacks.transfer`. */
  surrogate?: Victim
  [knob: string]: number | string | boolean | ArrayLike<number> | Tensor | Victim | undefined
}

/** One of the library's attacks. Resolves with the changed images, of x's shape; x is untouched. */
export type LibraryAttack = (
  target: WhiteBox | Oracle,
  x: Tensor,
  y: ArrayLike<number>,
  options?: AttackOptions,
) => Promise<Tensor>

/** The library's own attacks, the ones the knobs run: `await attacks.fgsm(victim, x, y, { epsilon: 0.25 })`. */
export declare const attacks: {
  /** The fast gradient sign method: one step of length epsilon. */
  readonly fgsm: LibraryAttack
  /** Projected gradient descent: many small steps, each pulled back into the ball. */
  readonly pgd: LibraryAttack
  readonly [id: string]: LibraryAttack
}

/**
 * Hands in, once a run, for the ids in the order that `data.sample()` gave them: changed images `x`, or
 * `scores`, lists with one number an image, by the names that the checkpoint asks for. Or `changes`: what you change in
 * the training data, with the `trigger` that some of the rows carry. Or `profiles`: invented shoppers and what they rate. Or
 * `submit({ weights })`: a model of your own making, its tensors by name. Or `submit(trainer)`: the
 * model that you trained, `submit(surrogate)` that which learned from answers.
 */
export declare function submit(
  handIn:
    | { ids: ArrayLike<number>; x: Tensor }
    | { ids: ArrayLike<number>; scores: Readonly<Record<string, ArrayLike<number>>> }
    | { weights: Readonly<Record<string, Tensor | ArrayLike<number> | number>> }
    | { changes: readonly Change[]; x?: Tensor; trigger?: Trigger }
    | { profiles: readonly Profile[] }
    | Trainer
    | Surrogate,
): Promise<void>

/** Small systems of linear equations. */
export declare const linear: {
  /**
   * The x with a · x = b. a: as many rows as unknowns. Throws when the system is singular, and says which unknown no row
   * settles.
   */
  solve(a: readonly ArrayLike<number>[], b: ArrayLike<number>): number[]
  /** The vector of length 1 on which all rows are smallest together (least ‖a · x‖); its sign is open. */
  nullVector(a: readonly ArrayLike<number>[]): number[]
}

/** Statistics, for whoever has to prove something. */
export declare const stats: {
  /** The x that a standard normal number stays below with probability p; −∞ at 0, 0 at a half, ∞ at 1. */
  normalQuantile(p: number): number
  /**
   * Shapiro–Wilk's W of at least three numbers: 1 when they are spread like a normal distribution, less the less they
   * are. Numbers that are all equal give 1; one that is not finite is an error.
   */
  shapiroWilk(values: ArrayLike<number>): number
  /** The x that a Beta(a, b) distributed number stays below with probability p; a and b above 0. */
  betaQuantile(p: number, a: number, b: number): number
}

/** Draws progress in the run bar. */
export declare function progress(done: number, total: number): void
