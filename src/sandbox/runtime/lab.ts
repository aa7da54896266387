/**
 * The values behind `import … from 'lab'` (their types and docs: src/lab-api/learner.ts). Written once for
 * the sandbox's worker and for the house's own checks in Node: what differs comes in as `LabOutside`.
 */
import { evasionAttacks } from '../../attacks/evasion-attacks.ts'
import type { EvasionEntry, EvasionResult, Options } from '../../attacks/attack.ts'
import { checkTrigger, stamp, type Trigger } from '../../attacks/trigger.ts'
import type { ClassifierInfo } from '../../core/classifier.ts'
import type { Criterion } from '../../core/criteria.ts'
import { PerturbError } from '../../core/errors.ts'
import { nullVector, solveLinear } from '../../core/linear-algebra.ts'
import type { LossSpec } from '../../core/losses.ts'
import { drawPlacements, pasteSticker, pullBack, type PictureShape } from '../../core/placement.ts'
import { createRng } from '../../core/rng.ts'
import { dropped, profileChanges, profileStride } from '../../data/change-list.ts'
import { betaQuantile, normalQuantile, shapiroWilk } from '../../core/statistics.ts'
import * as tf from '../../core/tf.ts'
import type { Capabilities, WireTensor } from '../../engine/capability-protocol.ts'
import type * as Learner from '../../lab-api/learner.ts'
import { checkSubmission, describe, own, type HandIn } from '../submission.ts'
import { learnerMath } from './math.ts'

export type CapabilityName = keyof Capabilities
/** Asks the engine: over a port in the sandbox, by a function call in Node. */
export type CallCapability = <C extends CapabilityName>(
  capability: C,
  ...args: Parameters<Capabilities[C]>
) => Promise<ReturnType<Capabilities[C]>>

export interface LabOutside {
  call: CallCapability
  /** Capabilities the lab grants, as in `SandboxSpec.access`. */
  access: readonly string[]
  values: Readonly<Record<string, number | string | boolean>>
  seed: number
  submit(artefact: HandIn): Promise<void>
  progress(done: number, total: number): void
  /** Told of every tensor the program is given, so that Node can free them after the run. */
  onTensor?(tensor: tf.Tensor): void
}

export interface Lab {
  /** What `import * as lab from 'lab'` sees. */
  values: Readonly<Record<string, unknown>>
  /** Math with a `random` that depends on nothing but the run's seed. */
  math: Math
}

/** Asks for the victim's facts once, so that `victim.bounds` needs no await. */
export async function createLab(outside: LabOutside): Promise<Lab> {
  const { call, access } = outside
  /** What was made since the last training batch was given; freed when the next one is asked for. */
  let sinceBatch: tf.Tensor[] | undefined
  const freeBatch = () => {
    for (const tensor of sinceBatch ?? []) if (!tensor.isDisposed && !tensor.kept) tensor.dispose()
    sinceBatch = undefined
  }
  const onTensor = (tensor: tf.Tensor) => {
    sinceBatch?.push(tensor)
    outside.onTensor?.(tensor)
  }
  const granted = (...names: string[]) => names.some((name) => access.includes(name))
  const noInfo: ClassifierInfo = { inputShape: [], numClasses: 0, bounds: [0, 1] }
  const info = granted('victim', 'inner', 'scores', 'decisions', 'surrogate')
    ? await call('victim.info')
    : noInfo
  const size = granted('features') ? await call('features.size') : 0
  const rng = createRng(outside.seed, 'program')

  const require = (name: string, method: string) => {
    if (granted(name)) return
    throw new PerturbError(
      'bad-input',
      `${method} is not available in this lab: it grants ${access.join(', ') || 'nothing'}`,
    )
  }
  const receive = (wire: WireTensor): tf.Tensor => {
    const tensor = tf.tensor(wire.values as Float32Array, [...wire.shape], wire.dtype)
    onTensor(tensor)
    return tensor
  }

  /** The white-box questions about the victim, what lies behind its first stages, or the surrogate. */
  const whiteBox = (name: 'victim' | 'inner' | 'surrogate') => ({
    ...info,
    async logits(x: Learner.Tensor) {
      require(name, `${name}.logits`)
      return receive(await call(`${name}.logits`, await toWire(`${name}.logits`, 'x', x))) as Learner.Tensor
    },
    async lossAndGradient(x: Learner.Tensor, y: ArrayLike<number>, loss?: Learner.Loss) {
      const method = `${name}.lossAndGradient` as const
      require(name, method)
      const wire = await toWire(method, 'x', x)
      const reply = await call(method, wire, toLabels(method, y), (loss ?? null) as LossSpec | null)
      return {
        loss: receive(reply.loss) as Learner.Tensor,
        gradient: receive(reply.gradient) as Learner.Tensor,
      }
    },
    async vjp(x: Learner.Tensor, cotangent: Learner.Tensor) {
      const method = `${name}.vjp` as const
      require(name, method)
      const wire = await toWire(method, 'x', x)
      return receive(await call(method, wire, await toWire(method, 'cotangent', cotangent))) as Learner.Tensor
    },
  })

  const victim: Learner.Victim = {
    ...whiteBox('victim'),
    async features(x) {
      require('victim', 'victim.features')
      return receive(await call('victim.features', await toWire('victim.features', 'x', x))) as Learner.Tensor
    },
    async sampleUnderNoise(x, sigma, n) {
      require('victim', 'victim.sampleUnderNoise')
      const wire = await toWire('victim.sampleUnderNoise', 'x', x)
      const { shape, values } = await call('victim.sampleUnderNoise', wire, sigma, n)
      const [images = 0, classes = 0] = shape
      return Array.from({ length: images }, (_, i) => [...values.subarray(i * classes, (i + 1) * classes)])
    },
  }

  const features: Learner.Features = {
    size,
    async of(x) {
      require('features', 'features.of')
      return receive(await call('features.logits', await toWire('features.of', 'x', x))) as Learner.Tensor
    },
    async vjp(x, cotangent) {
      require('features', 'features.vjp')
      const wire = await toWire('features.vjp', 'x', x)
      const along = await toWire('features.vjp', 'cotangent', cotangent)
      return receive(await call('features.vjp', wire, along)) as Learner.Tensor
    },
  }

  const oracle: Learner.Oracle = {
    ...info,
    async scores(x, account) {
      require('scores', 'oracle.scores')
      const wire = await toWire('oracle.scores', 'x', x)
      return receive(await call('oracle.scores', wire, account ?? null)) as Learner.Tensor
    },
    async decide(x, account) {
      require('decisions', 'oracle.decide')
      const wire = await toWire('oracle.decide', 'x', x)
      return [...(await call('oracle.decide', wire, account ?? null))]
    },
  }

  let stepsTaken = 0
  const trainer: Learner.Trainer = Object.freeze({
    async step(x: Learner.Tensor, y: ArrayLike<number>, rate?: number) {
      require('trainer', 'trainer.step')
      if (rate !== undefined && typeof rate !== 'number')
        throw new PerturbError('bad-input', `trainer.step: rate must be a number; got ${describe(rate)}`)
      const wire = await toWire('trainer.step', 'x', x)
      const loss = await call('trainer.step', wire, toLabels('trainer.step', y), rate ?? null)
      stepsTaken++
      return loss
    },
  })

  const surrogate: Learner.Surrogate = Object.freeze({
    ...whiteBox('surrogate'),
    async learn(x: Learner.Tensor, answers: Learner.Tensor, rate?: number) {
      const method = 'surrogate.learn'
      require('surrogate', method)
      if (rate !== undefined && typeof rate !== 'number')
        throw new PerturbError('bad-input', `${method}: rate must be a number; got ${describe(rate)}`)
      const wire = await toWire(method, 'x', x)
      // A class alone comes as whole numbers, from tf.oneHot.
      const { shape, values } = await toWire(method, 'answers', answers)
      const told: WireTensor = { shape, dtype: 'float32', values: Float32Array.from(values) }
      const loss = await call(method, wire, told, rate ?? null)
      stepsTaken++
      return loss
    },
    async restart() {
      require('surrogate', 'surrogate.restart')
      await call('surrogate.restart')
    },
  })

  async function* batches(options: Learner.BatchOptions = {}): AsyncGenerator<Learner.TrainingBatch> {
    require('trainer', 'data.batches')
    const { size, epochs, images } = readBatchOptions(options)
    try {
      for (let step = 0, steps = Infinity; step < steps; step++) {
        freeBatch()
        sinceBatch = []
        const { x, y, batches } = await call('data.batch', step, size, images)
        steps = Math.max(1, Math.round(epochs * batches))
        yield { x: receive(x) as Learner.Tensor, y: [...y], step, steps }
        outside.progress(step + 1, steps)
      }
    } finally {
      freeBatch()
    }
  }

  const retrain: typeof Learner.retrain = async (changes = [], also = {}) => {
    require('retrain', 'retrain')
    const { ids, labels, values, backdoor } = await toChanges('retrain', changes, also)
    const answer = await call('retrain', ids, labels, values ?? null, backdoor ?? null)
    const { byClass, scores, ...reading } = answer
    return { ...reading, byClass: [...byClass], scores: [...scores] }
  }

  const recommend: typeof Learner.recommend = async ({ profiles = [], without = [] } = {}) => {
    require('recommend', 'recommend')
    const { ids, labels } = toProfiles('recommend', profiles)
    const gone = toLabels('recommend', without, 'without')
    const { exposure, hitRate, removed } = await call('recommend', ids, labels, gone)
    return { exposure, hitRate, removed: [...removed] }
  }

  const suspects: typeof Learner.suspects = async (filter) => {
    require('filters', 'suspects')
    const { ids, scores, flagged } = await call('suspects', filter)
    return { ids: [...ids], scores: [...scores], flagged: [...flagged] }
  }

  const data: Learner.Data = {
    async ratings() {
      require('data', 'data.ratings')
      const { numUsers, numItems, kinds, users, items, values } = await call('data.ratings')
      const ratings = Array.from(users, (shopper, i) => ({ shopper, item: items[i]!, stars: values[i]! }))
      return { shoppers: numUsers, items: numItems, kinds: [...kinds], ratings }
    },
    async audited() {
      require('data', 'data.audited')
      const { ids, y } = await call('data.audited')
      return { ids: [...ids], y: [...y] }
    },
    async target() {
      require('target', 'data.target')
      const { x, y } = await call('data.target')
      return { x: receive(x) as Learner.Tensor, y }
    },
    batches: (options) => batches(options),
    async sample(n) {
      require('data', 'data.sample')
      if (n !== undefined && !(Number.isSafeInteger(n) && n >= 1)) {
        throw new PerturbError(
          'bad-input',
          `data.sample: n must be a whole number of at least 1, or left out for all; got ${describe(n)}`,
        )
      }
      const { ids, x, y } = await call('data.sample', n ?? null)
      return { ids: [...ids], x: receive(x) as Learner.Tensor, y: [...y] }
    },
  }

  const log: typeof Learner.log = {
    async accounts() {
      require('log', 'log.accounts')
      const { honest, today } = await call('log.accounts')
      return { honest: [...honest], today: [...today] }
    },
    async entries(account) {
      require('log', 'log.entries')
      const { answers, confidences, distances } = await call('log.entries', account)
      const rows = answers.length
      return Array.from(answers, (answer, i) => ({
        answer,
        confidence: confidences[i]!,
        distances: distances.subarray(i * rows, i * rows + i),
      }))
    },
    async times(account) {
      require('log', 'log.times')
      return Array.from(await call('log.times', account))
    },
  }

  let attackSeeds = 0
  const library = Object.fromEntries(
    [...evasionAttacks.values()].map((entry) => [
      entry.id,
      async (
        target: unknown,
        x: Learner.Tensor,
        y: ArrayLike<number>,
        options: Learner.AttackOptions = {},
      ) => {
        const result = await runAttack(
          entry,
          target,
          x,
          y,
          options,
          createRng(outside.seed, `attack ${attackSeeds++}`).uint32(),
        )
        onTensor(result)
        return result as Learner.Tensor
      },
    ]),
  )

  const placing = createRng(outside.seed, 'stickers')
  const stickers: typeof Learner.stickers = {
    draw(n, range, spot) {
      if (!(Number.isSafeInteger(n) && n >= 0 && n <= 100_000))
        throw new PerturbError('bad-input', `stickers.draw: n must be a whole number; got ${describe(n)}`)
      if (typeof range !== 'object' || range === null)
        throw new PerturbError(
          'bad-input',
          `stickers.draw: range must be { rotation, scale, shift, light }; got ${describe(range)}`,
        )
      return drawPlacements(n, range, placing, spot)
    },
    async paste(sticker, x, placements) {
      const patch = await toPicture('stickers.paste', 'sticker', sticker, 3)
      const pictures = await toPicture('stickers.paste', 'x', x, 4)
      const { values, shape } = pictures
      const pasted = pasteSticker(patch.values, patch.picture, values, pictures.picture, [...placements])
      return receive({ shape, dtype: 'float32', values: pasted }) as Learner.Tensor
    },
    async pullBack(gradient, sticker, placements) {
      const patch = await toPicture('stickers.pullBack', 'sticker', sticker, 3)
      const { values, picture } = await toPicture('stickers.pullBack', 'gradient', gradient, 4)
      const pulled = pullBack(values, picture, patch.values, patch.picture, [...placements])
      return receive({ shape: patch.shape, dtype: 'float32', values: pulled }) as Learner.Tensor
    },
  }

  let submitted = false
  async function submit(handIn: Parameters<typeof Learner.submit>[0]): Promise<void> {
    if (typeof handIn !== 'object' || handIn === null) {
      throw new PerturbError(
        'bad-input',
        `submit: hand in an object, submit({ ids, x }); got ${describe(handIn)}${handIn === undefined ? forgotten : ''}`,
      )
    }
    for (const name of ['weights', 'profiles', 'changes'] as const)
      if (Object.hasOwn(handIn, name) && own(handIn, name) === undefined)
        throw new PerturbError('bad-input', `submit: ${name} must be a list; got nothing${forgotten}`)
    if (handIn === trainer || handIn === surrogate) return sendTrained(handIn === surrogate)
    const weights = own(handIn, 'weights')
    if (weights !== undefined) return send(checkSubmission({ tensors: await tensorsOf(weights) }))
    if (own(handIn, 'profiles') !== undefined) {
      const { ids, labels } = toProfiles('submit', own(handIn, 'profiles'))
      return send(checkSubmission({ kind: 'change-list', ids: [...ids], labels: [...labels] }))
    }
    if (own(handIn, 'changes') !== undefined) {
      const { ids, labels, values, backdoor } = await toChanges('submit', own(handIn, 'changes'), handIn)
      const list = { kind: 'change-list', ids: [...ids], labels: [...labels], values, ...backdoor }
      return send(checkSubmission(list))
    }
    const ids = plainIds(own(handIn, 'ids'))
    const scores = own(handIn, 'scores')
    let artefact: HandIn
    if (scores === undefined) {
      const { shape, values } = await toWire('submit', 'x', own(handIn, 'x'))
      artefact = checkSubmission({ ids, shape, pixels: values })
    } else artefact = checkSubmission({ ids, columns: columnsOf(scores) })
    return send(artefact)
  }
  function sendTrained(isSurrogate: boolean): Promise<void> {
    if (stepsTaken > 0) return send({ kind: 'trained-model' })
    throw new PerturbError(
      'bad-input',
      isSurrogate
        ? 'submit: the surrogate has learned nothing yet; call await surrogate.learn(x, answers) for each batch first'
        : 'submit: the trainer has not taken a step yet; call await trainer.step(x, y) for each batch first',
    )
  }
  async function send(artefact: HandIn): Promise<void> {
    if (submitted)
      throw new PerturbError('bad-input', 'submit: a run hands in once; this was the second call')
    submitted = true
    await outside.submit(artefact)
  }

  return {
    values: Object.freeze({
      tf: learnerMath(() => rng.uint32(), onTensor),
      victim: Object.freeze(victim),
      inner: Object.freeze(whiteBox('inner')),
      features: Object.freeze(features),
      oracle: Object.freeze(oracle),
      trainer,
      surrogate,
      data: Object.freeze(data),
      retrain,
      stamp: async (x: unknown, trigger: unknown) => receive(await stampPictures(x, trigger)),
      recommend,
      suspects,
      task: Object.freeze({ ...outside.values }),
      attacks: onlyKnown(Object.freeze(library)),
      stickers: Object.freeze(stickers),
      stats: Object.freeze({
        betaQuantile,
        normalQuantile,
        shapiroWilk: (values: ArrayLike<number>) => shapiroWilk(Array.from(values)),
      }),
      log: Object.freeze(log),
      linear: Object.freeze({ solve: solveLinear, nullVector }),
      submit,
      progress: (done: number, total: number) => outside.progress(Number(done), Number(total)),
    }),
    math: seededMath(outside.seed),
  }
}

/** A copy of Math whose `random` is the run's own. */
export function seededMath(seed: number): Math {
  const rng = createRng(seed, 'Math.random')
  const math = Object.create(null, Object.getOwnPropertyDescriptors(Math)) as Math
  math.random = () => rng.uniform()
  return math
}

/** `attacks.fgms` says which attacks there are, instead of "is not a function". */
function onlyKnown(library: Readonly<Record<string, unknown>>): unknown {
  return new Proxy(library, {
    get(attacks, name) {
      // A promise asks every value it resolves to for `then`; printing asks for symbols.
      if (typeof name !== 'string' || name === 'then' || name === 'toJSON' || Object.hasOwn(attacks, name))
        return Reflect.get(attacks, name)
      throw new PerturbError(
        'bad-input',
        `attacks: there is no attack "${name}"; the attacks are ${Object.keys(attacks).join(', ')}`,
      )
    },
  })
}

async function runAttack(
  entry: EvasionEntry,
  target: unknown,
  x: Learner.Tensor,
  y: ArrayLike<number>,
  { targets, seed, ...options }: Learner.AttackOptions,
  defaultSeed: number,
): Promise<tf.Tensor> {
  const name = `attacks.${entry.id}`
  if (typeof target !== 'object' || target === null) {
    const whom = entry.access === 'white-box' ? 'victim' : 'oracle'
    throw new PerturbError(
      'bad-input',
      `${name}: the first argument must be ${whom}, as imported from 'lab'; got ${describe(target)}`,
    )
  }
  const criterion: Criterion = targets
    ? { kind: 'targeted', targets: toLabels(name, targets, 'targets') }
    : { kind: 'misclassification', labels: toLabels(name, y) }
  const run = { seed: seed ?? defaultSeed }
  // Which access the entry needs is its own type; the caller hands over what `lab` gave them.
  const attack = entry.run as (...args: unknown[]) => Promise<EvasionResult>
  return (await attack(target, asTensor(name, 'x', x), criterion, options as Options, run)).adversarial
}

/** What a function gives that was left without a return. */
const forgotten = '; does the function that makes it end with a return?'

function asTensor(method: string, argument: string, value: unknown): tf.Tensor {
  if (value instanceof tf.Tensor) return value
  const hint =
    value instanceof Promise
      ? ' (write await in front of the call that makes it)'
      : value === undefined
        ? forgotten
        : '; tf.tensor(…) makes one'
  throw new PerturbError(
    'bad-input',
    `${method}: ${argument} must be a tensor; got ${value instanceof Promise ? 'a Promise' : describe(value)}${hint}`,
  )
}

async function toWire(
  method: string,
  argument: string,
  value: unknown,
): Promise<WireTensor & { values: Float32Array | Int32Array }> {
  const tensor = asTensor(method, argument, value)
  if (tensor.isDisposed)
    throw new PerturbError('bad-input', `${method}: ${argument} was disposed before this call`)
  if (tensor.dtype !== 'float32' && tensor.dtype !== 'int32') {
    throw new PerturbError(
      'bad-input',
      `${method}: ${argument} must hold float32 numbers; got ${tensor.dtype}`,
    )
  }
  const values = (await tensor.data()) as Float32Array | Int32Array
  return { shape: [...tensor.shape], dtype: tensor.dtype, values }
}

/** A picture, or a batch of them, in plain numbers. */
async function toPicture(method: string, argument: string, value: unknown, rank: 3 | 4) {
  const { shape, values } = await toWire(method, argument, value)
  if (shape.length !== rank)
    throw new PerturbError(
      'bad-input',
      `${method}: ${argument} must have the shape (${rank === 4 ? 'N, ' : ''}height, width, channels); got (${shape.join(', ')})`,
    )
  return { shape, values: Float32Array.from(values), picture: shape.slice(-3) as unknown as PictureShape }
}

/**
 * `[{ id, label, stamped }]` as lists; a label may be 'drop'. Beside them may come `x`, new numbers of the rows as one
 * tensor, a row a change, and `trigger`, which goes on the stamped ones.
 */
async function toChanges(
  method: string,
  changes: unknown,
  also: unknown,
): Promise<{
  ids: Int32Array
  labels: Int32Array
  values?: Float32Array
  backdoor?: { trigger?: unknown; stamped: number[] }
}> {
  const [x, trigger] = [own(also, 'x'), own(also, 'trigger')]
  if (!Array.isArray(changes))
    throw new PerturbError(
      'bad-input',
      `${method}: changes must be a list of { id, label }; got ${changes instanceof Promise ? 'a Promise (write await)' : describe(changes)}`,
    )
  const ids = new Int32Array(changes.length)
  const labels = new Int32Array(changes.length)
  const stamped: number[] = []
  for (const [i, change] of (changes as unknown[]).entries()) {
    const [id, label] = [own(change, 'id'), own(change, 'label')]
    if (!isCount(id))
      throw new PerturbError(
        'bad-input',
        `${method}: changes[${i}].id must be the id of a row, as data.sample() gives it; got ${describe(id)}`,
      )
    if (label !== 'drop' && !isCount(label))
      throw new PerturbError(
        'bad-input',
        `${method}: changes[${i}].label must be a class number, or 'drop'; got ${describe(label)}`,
      )
    ids[i] = id
    labels[i] = isCount(label) ? label : dropped
    const carries = own(change, 'stamped')
    if (carries !== undefined && typeof carries !== 'boolean')
      throw new PerturbError(
        'bad-input',
        `${method}: changes[${i}].stamped must be true or false; got ${describe(carries)}`,
      )
    if (carries) stamped.push(id)
  }
  if (stamped.length > 0 && trigger === undefined)
    throw new PerturbError(
      'bad-input',
      `${method}: ${stamped.length} changes are stamped, and there is no trigger; pass { trigger } along`,
    )
  const backdoor =
    trigger === undefined ? {} : { backdoor: { trigger: plainTrigger(method, trigger), stamped } }
  if (x === undefined) return { ids, labels, ...backdoor }
  const { shape, values } = await toWire(method, 'x', x)
  if (shape[0] !== changes.length)
    throw new PerturbError(
      'bad-input',
      `${method}: x must have one row for each of the ${changes.length} changes; got shape (${shape.join(', ')})`,
    )
  return { ids, labels, values: Float32Array.from(values), ...backdoor }
}

/** A trigger whose lists are plain ones. Whether it fits on the images is told by whoever stamps it. */
function plainTrigger(method: string, trigger: unknown): Trigger {
  if (typeof trigger !== 'object' || trigger === null || Array.isArray(trigger))
    throw new PerturbError(
      'bad-input',
      `${method}: trigger must be an object, e.g. { kind: 'patch', top: 24, left: 24, height: 3, width: 3, pixels, opacity: 1 }; got ${describe(trigger)}`,
    )
  const entries = Object.entries(trigger).map(([key, value]: [string, unknown]): [string, unknown] => {
    if (typeof value !== 'object' || value === null) return [key, value]
    if (value instanceof tf.Tensor)
      throw new PerturbError(
        'bad-input',
        `${method}: trigger.${key} must be a list of numbers; got a tensor (use [...await t.data()])`,
      )
    return [key, Array.from(value as ArrayLike<unknown>)]
  })
  return Object.fromEntries(entries) as unknown as Trigger
}

/** The same pictures, each with the trigger on it. */
async function stampPictures(x: unknown, trigger: unknown): Promise<WireTensor> {
  const { shape, values, picture } = await toPicture('stamp', 'x', x, 4)
  const plain = plainTrigger('stamp', trigger)
  checkTrigger('stamp', plain, picture)
  const size = picture[0] * picture[1] * picture[2]
  for (let i = 0; i < shape[0]!; i++) stamp(values.subarray(i * size, (i + 1) * size), picture, plain)
  return { shape, dtype: 'float32', values }
}

/** `[[{ item, stars }]]` as cells of the table of ratings; whether items and stars exist is the engine's to say. */
function toProfiles(method: string, profiles: unknown): { ids: Int32Array; labels: Int32Array } {
  if (!Array.isArray(profiles))
    throw new PerturbError(
      'bad-input',
      `${method}: profiles must be a list with a list of { item, stars } for each invented shopper; got ${profiles instanceof Promise ? 'a Promise (write await)' : describe(profiles)}`,
    )
  if (profiles.length > mostProfiles)
    throw new PerturbError(
      'bad-input',
      `${method}: at most ${mostProfiles} profiles can be sent; got ${profiles.length}`,
    )
  const read = (profiles as unknown[]).map((profile, who) => {
    if (!Array.isArray(profile) || profile.length === 0)
      throw new PerturbError(
        'bad-input',
        `${method}: profiles[${who}] must be a list of { item, stars } with one rating at least; got ${describe(profile)}`,
      )
    return (profile as unknown[]).map((rating, i) => {
      const [item, stars] = [own(rating, 'item'), own(rating, 'stars')]
      if (!isCount(item) || item >= profileStride)
        throw new PerturbError(
          'bad-input',
          `${method}: profiles[${who}][${i}].item must be the number of an item; got ${describe(item)}`,
        )
      if (!isCount(stars))
        throw new PerturbError(
          'bad-input',
          `${method}: profiles[${who}][${i}].stars must be a whole number of stars; got ${describe(stars)}`,
        )
      return { item, value: stars }
    })
  })
  const { ids, labels } = profileChanges(read)
  return { ids: Int32Array.from(ids), labels: Int32Array.from(labels) }
}
/** So many fit into 32 bits with the item. */
const mostProfiles = 10_000

/** A whole number from 0 that fits into 32 bits. */
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && (value | 0) === value

function toLabels(method: string, value: unknown, noun = 'y'): Int32Array {
  const list = value as ArrayLike<number>
  if (
    typeof value !== 'object' ||
    value === null ||
    typeof list.length !== 'number' ||
    value instanceof tf.Tensor
  ) {
    throw new PerturbError(
      'bad-input',
      `${method}: ${noun} must be a list of class numbers, one a row, e.g. [3, 7]; got ${value instanceof tf.Tensor ? 'a tensor (use await y.array())' : describe(value)}`,
    )
  }
  const labels = Int32Array.from(list)
  const bad = labels.findIndex((label, i) => label !== list[i])
  if (bad >= 0)
    throw new PerturbError(
      'bad-input',
      `${method}: ${noun}[${bad}] must be a whole number; got ${describe(list[bad])}`,
    )
  return labels
}

function readBatchOptions(options: Learner.BatchOptions) {
  const known = { size: 64, epochs: 1, images: null as number | null }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, name))
      throw new PerturbError(
        'bad-input',
        `data.batches: there is no option "${name}"; the options are size, epochs, images`,
      )
    if (value === undefined) continue
    const whole = name !== 'epochs'
    if (!(
      typeof value === 'number' &&
      value > 0 &&
      Number.isFinite(value) &&
      (!whole || Number.isInteger(value))
    ))
      throw new PerturbError(
        'bad-input',
        `data.batches: ${name} must be a ${whole ? 'whole ' : ''}number above 0; got ${describe(value)}`,
      )
    known[name as 'size'] = value
  }
  return known
}

/** Lists by name, as the program hands them in. */
function columnsOf(scores: unknown): { name: string; values: Float32Array }[] {
  if (typeof scores !== 'object' || scores === null || Array.isArray(scores) || scores instanceof tf.Tensor)
    throw new PerturbError(
      'bad-input',
      `submit: scores must be lists by name, e.g. { radius: [0.4, 0.7] }; got ${scores instanceof tf.Tensor ? 'a tensor' : describe(scores)}`,
    )
  return Object.entries(scores).map(([name, values]: [string, unknown]) => {
    const isList = Array.isArray(values) || (ArrayBuffer.isView(values) && !(values instanceof DataView))
    if (!isList)
      throw new PerturbError(
        'bad-input',
        `submit: scores.${name} must be a list of numbers, one an image; got ${values instanceof tf.Tensor ? 'a tensor (use await t.data())' : values instanceof Promise ? 'a Promise (write await)' : describe(values)}`,
      )
    const list = values as ArrayLike<unknown>
    const bad = Array.from(list).findIndex((number) => typeof number !== 'number')
    if (bad >= 0)
      throw new PerturbError(
        'bad-input',
        `submit: scores.${name}[${bad}] must be a number; got ${describe(list[bad])}`,
      )
    return { name, values: Float32Array.from(list as ArrayLike<number>) }
  })
}

/** A model by the names of its tensors: numbers, lists of numbers, or tensors of their own shape. */
async function tensorsOf(
  weights: unknown,
): Promise<{ name: string; shape: number[]; values: Float32Array }[]> {
  if (
    typeof weights !== 'object' ||
    weights === null ||
    Array.isArray(weights) ||
    weights instanceof tf.Tensor
  )
    throw new PerturbError(
      'bad-input',
      `submit: weights must be tensors by name, e.g. { kernel, bias }; got ${weights instanceof tf.Tensor ? 'a tensor' : describe(weights)}`,
    )
  const read = async ([name, value]: [string, unknown]) => {
    const wrong = (got: string) =>
      new PerturbError('bad-input', `submit: weights.${name} must be numbers or a tensor; got ${got}`)
    if (value instanceof tf.Tensor) {
      const { shape, values } = await toWire('submit', `weights.${name}`, value)
      return { name, shape, values: Float32Array.from(values) }
    }
    const list = typeof value === 'number' ? [value] : value
    if (!Array.isArray(list) && !(ArrayBuffer.isView(list) && !(list instanceof DataView)))
      throw wrong(value instanceof Promise ? 'a Promise (write await)' : describe(value))
    const numbers = Array.from(list as ArrayLike<unknown>)
    const bad = numbers.findIndex((number) => typeof number !== 'number')
    if (bad >= 0) throw wrong(`${describe(numbers[bad])} as number ${bad}`)
    return { name, shape: [numbers.length], values: Float32Array.from(numbers as number[]) }
  }
  return Promise.all(Object.entries(weights).map(read))
}

/** Ids may come as a typed array or as numbers; anything else is left for `checkSubmission` to name. */
function plainIds(ids: unknown): unknown {
  return ArrayBuffer.isView(ids) ? Array.from(ids as unknown as ArrayLike<number>) : ids
}
