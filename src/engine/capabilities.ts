/**
 * The engine's side of a learner's run: what the sandboxed program may ask, one call at a time.
 * The program never holds the victim; it sends rows and gets numbers. Every row is booked in a ledger
 * that lives here, before it is answered, so a budget cannot be cheated from inside.
 * The same object serves the sandbox's port (`serveCapabilities`) and, in Node, trusted programs.
 */
import { PerturbError, toPlainError } from '../core/errors.ts'
import type { Counted } from '../core/ledger.ts'
import { QueryLedger } from '../core/ledger.ts'
import * as tf from '../core/tf.ts'
import { withPoison, type PoisonList } from '../attacks/poison-list.ts'
import { dropped, profilesOf, rowsOfSplit } from '../data/change-list.ts'
import type { DataSet } from '../data/data-set.ts'
import type { LabelledRows } from '../data/labelled-rows.ts'
import { rowFilterNames, stripOverlays } from '../defences/sanitation/filter-names.ts'
import { sampleUnderNoise } from '../defences/certification/randomised-smoothing.ts'
import { defended } from '../defences/defended.ts'
import type { StageSpec } from '../defences/stage.ts'
import type { LedgerSummary } from '../grading/artefact.ts'
import type { Task } from '../grading/grader.ts'
import { readRows, readTest } from '../grading/readings.ts'
import { accountLog, arrivals, type LogSpec } from '../grading/account-log.ts'
import { givenRows, victimRows } from '../grading/retrained.ts'
import { givenRatings, recommended, type ShopSpec } from '../grading/shop.ts'
import { parseArtefact, type Expected, type Parsed } from '../grading/validate.ts'
import type { SandboxSpec } from '../labs/manifest.ts'
import { featureModel } from '../models/features.ts'
import type { Model, Weight } from '../models/model.ts'
import { createModel, topClasses } from '../models/network.ts'
import { fitVictim } from '../models/refit.ts'
import type { TrainingSpec } from '../models/train-on-rows.ts'
import { createRng } from '../core/rng.ts'
import { createTrainer, type Trainer } from '../models/trainer.ts'
import type { Capabilities, CapabilityReply, LedgerFigures, WireTensor } from './capability-protocol.ts'
import { trainedBefore } from './training-rows.ts'
import { PredictionApi, type ApiLog } from './prediction-api.ts'
import { Watch } from './watch.ts'
import { Guard } from './guard.ts'
import { LentSurrogate } from './lent-surrogate.ts'
import { describe, own, readLabels, readLoss, readTensor, readWhole } from './wire.ts'

export interface CapabilityOptions {
  /** The victim. A function is asked at each call, so that a restarted backend's copy is found. */
  model: Model | (() => Promise<Model>)
  dataset: DataSet
  /** Other data sets that the task names. */
  datasets?: (name: string) => Promise<DataSet>
  task: Task
  spec: SandboxSpec
  /** The learner's variant; the transcript begins with it. */
  seed: number
  /** The weights of `task.copy.weightsFrom`. */
  copyWeights?: Weight[] | undefined
  /** Runs a call's computation; the engine passes one that starts again after a lost device. */
  attempt?: <T>(work: () => Promise<T>) => Promise<T>
}

/** Adam's rate for a program's own training steps, unless it names one. */
const usualRate = 1e-3
/** Rows of one training step at most. */
const mostBatchRows = 512
/** Training steps between two copies of the weights: what a lost device costs at most. */
const copyEvery = 25

export interface Trained {
  weights: Weight[]
  steps: number
}

export interface CapabilityServer {
  /** Answers one request. Throws PerturbError: `bad-input`, `budget-spent`, `flood`, `cancelled` or `unavailable`. */
  call(capability: string, args: unknown[]): Promise<unknown>
  figures(): LedgerFigures
  summary(): LedgerSummary
  /** What the victim's prediction API has logged; nothing when it stands behind none. */
  log(): ApiLog | undefined
  /** What the trainer's copy, or the surrogate, has become, once the program has taken a step. It waits for calls under way. */
  trained(): Promise<Trained | undefined>
  /** Refuses everything from now on. */
  close(): void
}

/** Which word of `sandbox.access` in lab.json grants a capability. */
const grants = {
  'victim.info': ['victim', 'inner', 'scores', 'decisions', 'surrogate'],
  'victim.logits': ['victim'],
  'victim.lossAndGradient': ['victim'],
  'victim.vjp': ['victim'],
  'victim.sampleUnderNoise': ['victim'],
  'victim.features': ['victim'],
  'inner.logits': ['inner'],
  'inner.lossAndGradient': ['inner'],
  'inner.vjp': ['inner'],
  'features.size': ['features'],
  'features.logits': ['features'],
  'features.vjp': ['features'],
  'oracle.scores': ['scores'],
  'oracle.decide': ['decisions'],
  'surrogate.logits': ['surrogate'],
  'surrogate.lossAndGradient': ['surrogate'],
  'surrogate.vjp': ['surrogate'],
  'surrogate.learn': ['surrogate'],
  'surrogate.restart': ['surrogate'],
  'trainer.step': ['trainer'],
  'data.sample': ['data'],
  'data.batch': ['trainer'],
  'data.audited': ['data'],
  'data.ratings': ['data'],
  'data.target': ['target'],
  retrain: ['retrain'],
  recommend: ['recommend'],
  suspects: ['filters'],
  'log.accounts': ['log'],
  'log.entries': ['log'],
  'log.times': ['log'],
} as const satisfies Record<keyof Capabilities, readonly string[]>
type CapabilityName = keyof Capabilities

/** Calls that may wait for their turn; a program that awaits its answers has one. */
export const maxWaiting = 64
/** Noisy copies of an image that one call may ask for. */
const mostCopies = 100_000
/** Rows computed at once: bounds memory, and lets other calls of the worker have a turn. */
const batchRows = 128

export function createCapabilities(options: CapabilityOptions): CapabilityServer {
  const { dataset, task, spec, seed } = options
  const attempt = options.attempt ?? ((work) => work())
  const shipped = async () => (typeof options.model === 'function' ? options.model() : options.model)
  /** The victim of a task that has it trained: its weights, and the model over them beside the shipped one. */
  let fitted: { weights: Weight[]; rows: LabelledRows; live?: { beside: Model; model: Model } } | undefined
  let given: LabelledRows | undefined
  const givenNow = () => (given ??= givenRows(task, dataset))
  const original = async () => {
    const beside = await shipped()
    if (!task.training) return beside
    const { training } = task
    fitted ??= {
      weights: await trainedBefore(task, () => fit(beside, victimRows(task, dataset), training)),
      rows: victimRows(task, dataset),
    }
    if (fitted.live?.beside !== beside)
      fitted.live = { beside, model: createModel(beside.architecture, fitted.weights) }
    return fitted.live.model
  }
  const fit = async (beside: Model, rows: LabelledRows, spec: TrainingSpec) =>
    (
      await fitVictim({ architecture: beside.architecture, weights: await beside.weights() }, rows, spec, {
        onStep: stopIfClosed,
      })
    ).weights
  /** The copy in training, and the victim beside which it was made: another one means that the backend was restarted. */
  let training: { trainer: Trainer; beside: Model } | undefined
  let stepsTaken = 0
  let copy: Trained | undefined
  const trainerNow = async () => {
    const beside = await original()
    if (training?.beside === beside) return training.trainer
    training?.trainer.dispose()
    const trainer = createTrainer(beside.architecture, copy?.weights ?? (await beside.weights()))
    stepsTaken = copy?.steps ?? 0
    training = { trainer, beside }
    return trainer
  }
  /** Once the program trains, it attacks the copy in training: adversarial training needs the newest weights. */
  const network = async () => (training ? (await trainerNow()).model : original())
  const { defence = [], innerSkips = defence.length } = task.victim
  // Kept beside the network they stand around, so that random stages go on drawing.
  const victim = wrapped(network, defence, createRng(seed, 'victim').uint32())
  const inner = wrapped(network, defence.slice(innerSkips), createRng(seed, 'inner').uint32())
  /** What the last layer reads, of the model as it is shipped; another copy beside each restarted backend's. */
  let cut: { of: Model; model: Model } | undefined
  const features = async () => {
    const of = await shipped()
    if (cut?.of === of) return cut.model
    cut?.model.dispose()
    cut = { of, model: await featureModel(of) }
    return cut.model
  }
  const orderOf = shuffles(seed)
  const ledger = new QueryLedger(spec.maxQueries, String(seed))
  const api = task.api && new PredictionApi(task.api, createRng(seed, 'answers').uint32())
  const surrogate = task.copy && new LentSurrogate(task.copy, seed, options.copyWeights)
  const lent = () => {
    if (surrogate) return surrogate
    throw new PerturbError('bad-input', 'surrogate: this checkpoint lends no network; ask its oracle')
  }
  const guard = task.watch && new Guard(task.watch)
  let watch: Watch | undefined
  const watching = () => (watch ??= new Watch(dataset[task.split].pixels(task.ids), task.ids.length))
  let noiseCalls = 0
  let closed = false
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()

  /** Books the rows, unless they are free, then computes them batch by batch and joins the answers. */
  async function answer(
    counted: Counted | 'free',
    inputs: WireTensor[],
    more: ArrayBufferView[],
    compute: (model: Model, batch: tf.Tensor[], from: number) => Promise<tf.Tensor[]>,
    asked: () => Promise<Model> = victim,
  ) {
    const rows = inputs[0]!.shape[0]!
    if (counted !== 'free') ledger.charge(counted, rows, [...inputs.map((input) => input.values), ...more])
    return attempt(async () => {
      const model = await asked()
      const parts: { shape: number[]; values: Float32Array }[][] = []
      for (let from = 0; from < rows; from += batchRows) {
        stopIfClosed()
        const batch = inputs.map((input) => rowsOf(input, from, Math.min(rows, from + batchRows)))
        let results: tf.Tensor[] = []
        try {
          results = await compute(model, batch, from)
          parts.push(
            await Promise.all(
              results.map(async (result) => ({
                shape: result.shape,
                values: (await result.data()) as Float32Array,
              })),
            ),
          )
        } finally {
          tf.dispose([...batch, ...results])
        }
      }
      return parts[0]!.map((_, i) => join(parts.map((part) => part[i]!)))
    })
  }

  /** The white-box questions about one model, under the name that the program knows it by. */
  const whiteBox = (name: 'victim' | 'inner' | 'surrogate' | 'features', asked: () => Promise<Model>) => ({
    async logits([x]: unknown[]): Promise<WireTensor> {
      const { inputShape } = await asked()
      const input = readTensor(`${name}.logits: x`, x, inputShape)
      const ask = async (model: Model, [batch]: tf.Tensor[]) => [await model.logits(batch!)]
      return (await answer(booked(name, 'logits'), [input], [], ask, asked))[0]!
    },

    async lossAndGradient([x, y, loss]: unknown[]): Promise<{ loss: WireTensor; gradient: WireTensor }> {
      const { inputShape, numClasses } = await asked()
      const input = readTensor(`${name}.lossAndGradient: x`, x, inputShape)
      const rows = input.shape[0]!
      const labels = readLabels(`${name}.lossAndGradient: y`, y, rows, numClasses)
      const spec = readLoss(`${name}.lossAndGradient: loss`, loss, rows, numClasses)
      const targets = spec?.kind === 'dlr' && spec.targets ? Int32Array.from(spec.targets) : undefined
      const [losses, gradient] = await answer(
        booked(name, 'gradient'),
        [input],
        targets ? [labels, targets] : [labels],
        async (model, [batch], from) => {
          const to = from + batch!.shape[0]!
          const part = targets ? { kind: 'dlr' as const, targets: targets.subarray(from, to) } : spec
          const answered = await model.lossAndGradient(batch!, labels.subarray(from, to), part)
          return [answered.loss, answered.gradient]
        },
        asked,
      )
      if (name !== 'surrogate' && task.ids.length % rows === 0)
        watching().saw(
          input.values as Float32Array,
          losses!.values as Float32Array,
          gradient!.values as Float32Array,
        )
      return { loss: losses!, gradient: gradient! }
    },

    async vjp([x, cotangent]: unknown[]): Promise<WireTensor> {
      const { inputShape, numClasses } = await asked()
      const input = readTensor(`${name}.vjp: x`, x, inputShape)
      const weights = readTensor(`${name}.vjp: cotangent`, cotangent, [numClasses], input.shape[0])
      const ask = async (model: Model, [batch, part]: tf.Tensor[]) => [await model.vjp(batch!, part!)]
      return (await answer(booked(name, 'gradient'), [input, weights], [], ask, asked))[0]!
    },
  })
  const probabilities = async (counted: Counted, input: WireTensor) =>
    (
      await answer(counted, [input], [], async (model, [batch]) => {
        const logits = await model.logits(batch!)
        const scores = tf.softmax(logits)
        logits.dispose()
        return [scores]
      })
    )[0]!
  const [ofVictim, ofInner] = [whiteBox('victim', victim), whiteBox('inner', inner)]
  const ofSurrogate = whiteBox('surrogate', async () => lent().model(await original()))
  const ofFeatures = whiteBox('features', features)

  const methods: { [Name in CapabilityName]: (args: unknown[]) => Promise<ReturnType<Capabilities[Name]>> } =
    {
      async 'victim.info'() {
        // Of the architecture alone: a victim that is to be trained need not be, for that.
        const { inputShape, numClasses, bounds } = task.training ? await shipped() : await victim()
        return { inputShape: [...inputShape], numClasses, bounds: [...bounds] }
      },

      'victim.logits': ofVictim.logits,
      'victim.lossAndGradient': ofVictim.lossAndGradient,
      'victim.vjp': ofVictim.vjp,
      'inner.logits': ofInner.logits,
      'inner.lossAndGradient': ofInner.lossAndGradient,
      'inner.vjp': ofInner.vjp,

      'surrogate.logits': ofSurrogate.logits,
      'surrogate.lossAndGradient': ofSurrogate.lossAndGradient,
      'surrogate.vjp': ofSurrogate.vjp,

      async 'surrogate.learn'([x, answers, rate]) {
        const network = lent()
        const { inputShape, numClasses } = await victim()
        const input = readTensor('surrogate.learn: x', x, inputShape)
        const rows = input.shape[0]!
        if (rows > mostBatchRows)
          throw new PerturbError(
            'bad-input',
            `surrogate.learn: a batch may hold ${mostBatchRows} rows at most; got ${rows}`,
          )
        const told = readTensor('surrogate.learn: answers', answers, [numClasses], rows)
        const bad = told.values.findIndex((p) => !(p >= 0 && p <= 1))
        if (bad >= 0)
          throw new PerturbError(
            'bad-input',
            `surrogate.learn: answers must be probabilities from 0 to 1; row ${Math.floor(bad / numClasses)} holds ${told.values[bad]}. A class alone is tf.oneHot(classes, ${numClasses})`,
          )
        const learningRate =
          rate === undefined || rate === null ? usualRate : readRate('surrogate.learn', rate)
        const mean = await attempt(async () => network.learn(await original(), input, told, learningRate))
        if (!Number.isFinite(mean))
          throw new PerturbError(
            'bad-input',
            `surrogate.learn: the loss is ${mean}; call surrogate.restart() and take a rate smaller than ${learningRate}`,
          )
        return mean
      },

      async 'surrogate.restart'() {
        lent().restart()
      },
      'features.size': async () => (await features()).numClasses,
      'features.logits': ofFeatures.logits,
      'features.vjp': ofFeatures.vjp,

      async 'victim.features'([x]) {
        const { inputShape } = await network()
        const input = readTensor('victim.features: x', x, inputShape)
        // The network as it is now, cut off before its last layer; made anew for each call, since it may have been trained.
        const cut = await featureModel(await network())
        try {
          const ask = async (_: Model, [batch]: tf.Tensor[]) => [await cut.logits(batch!)]
          return (await answer('logits', [input], [], ask))[0]!
        } finally {
          cut.dispose()
        }
      },

      async 'victim.sampleUnderNoise'([x, sigma, n]) {
        const { inputShape, numClasses } = await victim()
        const name = 'victim.sampleUnderNoise'
        const input = readTensor(`${name}: x`, x, inputShape)
        const images = input.shape[0]!
        if (!(typeof sigma === 'number' && sigma > 0 && Number.isFinite(sigma)))
          throw new PerturbError(
            'bad-input',
            `${name}: sigma must be a number above 0; got ${describe(sigma)}`,
          )
        const copies = readWhole(`${name}: n`, n, 1, mostCopies)
        ledger.charge('logits', images * copies, [input.values, Float64Array.of(sigma, copies)])
        const noise = createRng(seed, `noise ${noiseCalls++}`).uint32()
        const counts = await attempt(async () => {
          const model = await victim()
          const batch = rowsOf(input, 0, images)
          try {
            const run = { seed: noise, onStep: stopIfClosed }
            return await sampleUnderNoise(model, batch, { sigma, n: copies }, run)
          } finally {
            batch.dispose()
          }
        })
        const values = new Int32Array(images * numClasses)
        counts.forEach((votes, image) => values.set(votes, image * numClasses))
        return { shape: [images, numClasses], dtype: 'int32', values }
      },

      async 'oracle.scores'([x, account]) {
        const { inputShape, numClasses } = await victim()
        const input = readTensor('oracle.scores: x', x, inputShape)
        guard?.admit('oracle.scores', input, account)
        const ask = () => probabilities('scores', input)
        const asked = {
          account,
          rows: input.shape[0]!,
          values: input.values as Float32Array,
          shape: inputShape,
        }
        const scores = await (api ? api.serve('oracle.scores', asked, ask) : ask())
        surrogate?.answered(input)
        if (!api) return scores
        return { ...scores, values: api.told(scores.values as Float32Array, numClasses) }
      },

      async 'oracle.decide'([x, account]) {
        const { inputShape, numClasses } = await victim()
        const input = readTensor('oracle.decide: x', x, inputShape)
        guard?.admit('oracle.decide', input, account)
        const ask = () => probabilities('decisions', input)
        const values = input.values as Float32Array
        const asked = { account, rows: input.shape[0]!, values, shape: inputShape, topOnly: true }
        const { values: scores } = await (api ? api.serve('oracle.decide', asked, ask) : ask())
        surrogate?.answered(input)
        return topClasses(api ? api.told(scores as Float32Array, numClasses) : scores, numClasses)
      },

      async 'trainer.step'([x, y, rate]) {
        const { inputShape, numClasses } = await victim()
        const input = readTensor('trainer.step: x', x, inputShape)
        const labels = readLabels('trainer.step: y', y, input.shape[0]!, numClasses)
        if (labels.length > mostBatchRows)
          throw new PerturbError(
            'bad-input',
            `trainer.step: a batch may hold ${mostBatchRows} rows at most; got ${labels.length}`,
          )
        const learningRate = rate === undefined || rate === null ? usualRate : readRate('trainer.step', rate)
        ledger.charge('training', labels.length, [input.values, labels, Float64Array.of(learningRate)])
        return attempt(async () => {
          const trainer = await trainerNow()
          const batch = rowsOf(input, 0, labels.length)
          const loss = trainer.step(batch, labels, learningRate)
          try {
            const mean = (await loss.data())[0]!
            stepsTaken++
            if (!Number.isFinite(mean))
              throw new PerturbError(
                'bad-input',
                `trainer.step: the loss is ${mean} after ${stepsTaken} steps; start again with a rate smaller than ${learningRate}`,
              )
            if (stepsTaken % copyEvery === 0) copy = { weights: await trainer.weights(), steps: stepsTaken }
            return mean
          } finally {
            tf.dispose([batch, loss])
          }
        })
      },

      async retrain([ids, labels, values, backdoor]) {
        const spec = task.training
        if (!spec)
          throw new PerturbError(
            'bad-input',
            'retrain: the victim of this checkpoint is not trained by the run',
          )
        const changes = readChanges(ids, labels, values, backdoor, task, dataset)
        const rows = withPoison(givenNow(), changes)
        ledger.charge('training', spec.steps * spec.batchSize, [
          Int32Array.from(changes.ids),
          Int32Array.from(changes.labels),
          ...(changes.values ? [changes.values] : []),
        ])
        return attempt(async () => {
          const weights = await fit(await shipped(), rows, spec)
          fitted?.live?.model.dispose()
          fitted = { weights, rows }
          const model = await original()
          const { trigger } = changes
          const reading = await readTest(model, dataset, spec, trigger ? { trigger } : {})
          return { ...reading, scores: await readRows(model, givenNow(), spec.positive) }
        })
      },

      async 'data.ratings'() {
        const { numUsers, numItems, users, items, values, groups } = givenRatings(
          shopOf('data.ratings', task),
          dataset,
        )
        return {
          numUsers,
          numItems,
          kinds: Int32Array.from(groups ?? []),
          users: users.slice(),
          items: items.slice(),
          values: values.slice(),
        }
      },

      async recommend([ids, stars, without]) {
        const shop = shopOf('recommend', task)
        const change = readRatingsChange(shop, ids, stars, without, dataset)
        const { users } = givenRatings(shop, dataset)
        const left = new Set(change.without)
        const invented = change.profiles.reduce((sum, profile) => sum + profile.length, 0)
        ledger.charge('training', users.filter((user) => !left.has(user)).length + invented, [
          Int32Array.from(ids as Int32Array),
          Int32Array.from(stars as Int32Array),
          Int32Array.from(without as Int32Array),
        ])
        const { exposure, hitRate, removed } = await recommended(shop, dataset, change, {
          seed,
          onStep: stopIfClosed,
        })
        return { exposure, hitRate, removed: Int32Array.from(removed) }
      },

      async suspects([name]) {
        const filter = rowFilterNames.find((known) => known === name)
        if (!filter)
          throw new PerturbError(
            'bad-input',
            `suspects: the filters are ${rowFilterNames.join(', ')}; got ${describe(name)}`,
          )
        await network()
        const rows = fitted?.rows ?? givenNow()
        const readings =
          filter === 'strip' ? stripOverlays * (rows.ids.length + (task.audited?.length ?? 0)) : 0
        ledger.charge('logits', rows.ids.length + readings, [new TextEncoder().encode(filter)])
        // Most runs never ask for a filter, so that they do not fetch any.
        const { filterRows } = await import('../defences/sanitation/row-filters.ts')
        const trusted = task.audited && rowsOfSplit(dataset, task.split, task.audited)
        // The victim's own seed, so that a program is told what a referee's filter finds on the same rows.
        const run = { seed: task.training?.seed ?? seed, onStep: stopIfClosed }
        const found = await attempt(async () =>
          filterRows(filter, { model: await network(), rows, trusted }, run),
        )
        return { ids: [...rows.ids], scores: found.scores, flagged: [...found.flaggedIds] }
      },

      async 'data.audited'() {
        const audited = task.audited ?? []
        const { labels } = dataset[task.split]
        return { ids: [...audited], y: Int32Array.from(audited, (id) => labels[id]!) }
      },

      async 'data.target'() {
        if (!task.aim) throw new PerturbError('bad-input', 'data.target: this checkpoint has no target')
        const { split, id } = task.aim
        const x = {
          shape: [1, ...dataset.shape],
          dtype: 'float32' as const,
          values: dataset[split].pixels([id]),
        }
        return { x, y: dataset[split].labels[id]! }
      },

      async 'data.batch'([step, size, images]) {
        const { train } = dataset
        const rows = readWhole('data.batches: size', size, 1, mostBatchRows)
        const count =
          images === undefined || images === null
            ? train.count
            : readWhole('data.batches: images', images, 1, train.count)
        const batches = Math.ceil(count / rows)
        const at = readWhole('data.batches: step', step, 0, 1e6)
        const order = orderOf(train.count, count, Math.floor(at / batches))
        const from = (at % batches) * rows
        const ids = order.subarray(from, from + rows)
        return {
          x: { shape: [ids.length, ...dataset.shape], dtype: 'float32', values: train.pixels(ids) },
          y: Int32Array.from(ids, (id) => train.labels[id]!),
          batches,
        }
      },

      async 'log.accounts'() {
        const { known, today } = theLog()
        return { honest: [...known], today: [...today] }
      },

      async 'log.entries'([account]) {
        const spec = theLog()
        const who = spec.accounts[readAccount('log.entries', account, spec)]!
        const foreign = await datasetNamed(spec.foreign)
        return attempt(async () => {
          const means = { model: await shipped(), data: dataset, foreign }
          const { answers, confidences, distances } = await accountLog(who, spec.rows, means)
          return {
            answers: answers.slice(),
            confidences: confidences.slice(),
            distances: distances.slice(),
          }
        })
      },

      async 'log.times'([account]) {
        const spec = theLog()
        return arrivals(spec.accounts[readAccount('log.times', account, spec)]!, spec.rows)
      },

      async 'data.sample'([n]) {
        const count =
          n === undefined || n === null ? task.ids.length : readWhole('data.sample: n', n, 1, task.ids.length)
        if (task.tampered) {
          const { ids, x, labels, shape } = givenNow()
          const shown = Math.min(count, ids.length)
          const values = x.slice(0, (shown * x.length) / ids.length)
          return {
            ids: [...ids.subarray(0, shown)],
            x: { shape: [shown, ...shape], dtype: 'float32', values },
            y: labels.slice(0, shown),
          }
        }
        const ids = task.ids.slice(0, count)
        const values = dataset[task.split].pixels(ids)
        // A row of a table has the shape that its model takes: [30], where the data set says [1, 1, 30].
        const shape = dataset.features ? (await original()).inputShape : dataset.shape
        return {
          ids,
          x: { shape: [count, ...shape], dtype: 'float32', values },
          y: task.unlabelled ? new Int32Array(0) : Int32Array.from(task.labels.slice(0, count)),
        }
      },
    }

  function theLog(): LogSpec {
    if (task.log) return task.log
    throw new PerturbError('bad-input', 'log: the victim of this checkpoint keeps no log of accounts')
  }

  function datasetNamed(name: string): Promise<DataSet> {
    if (name === dataset.name || !options.datasets) return Promise.resolve(dataset)
    return options.datasets(name)
  }

  function stopIfClosed() {
    if (closed) throw new PerturbError('cancelled', 'the run is over; nothing more is answered')
  }

  async function run(capability: string, args: unknown): Promise<unknown> {
    stopIfClosed()
    if (!Object.hasOwn(grants, capability))
      throw new PerturbError(
        'bad-input',
        `there is no capability ${describe(capability)}; this run has ${granted(spec).join(', ')}`,
      )
    const name = capability as CapabilityName
    if (!granted(spec).includes(name))
      throw new PerturbError(
        'bad-input',
        `${name} is not part of this checkpoint's threat model; this run has ${granted(spec).join(', ')}`,
      )
    if (!Array.isArray(args) || (own(args, 'length') as number) > 4)
      throw new PerturbError(
        'bad-input',
        `${name}: its arguments must be a short list; got ${describe(args)}`,
      )
    const list = [own(args, 0), own(args, 1), own(args, 2), own(args, 3)]
    return methods[name](list)
  }

  return {
    async call(capability, args) {
      if (waiting >= maxWaiting)
        throw new PerturbError(
          'flood',
          `${maxWaiting} calls are waiting already; await each answer before asking for the next`,
        )
      waiting++
      const turn = last.then(() => run(capability, args))
      last = turn.catch(() => undefined)
      try {
        return await turn
      } finally {
        waiting--
      }
    },
    figures: () => ({ used: ledger.used, max: ledger.max }),
    summary: () => ({
      ...ledger.summary(),
      ...(surrogate ? { learned: surrogate.summary() } : {}),
      ...(watch ? { trace: watch.trace } : {}),
      ...(guard ? { accounts: guard.figures() } : api ? { accounts: api.figures() } : {}),
    }),
    log: () => api?.log(),
    async trained() {
      await last
      if (surrogate) return surrogate.trained()
      if (!training) return undefined
      try {
        return { weights: await training.trainer.weights(), steps: stepsTaken }
      } catch (error) {
        // The device was lost with them: what was copied last is still here.
        if (copy) return copy
        throw error
      }
    },
    close() {
      closed = true
      surrogate?.dispose()
      fitted?.live?.model.dispose()
      fitted = undefined
      cut?.model.dispose()
      cut = undefined
      training?.trainer.dispose()
      training = undefined
    },
  }
}

/** The network with its stages; the same one for as long as the network is, so that its random draws go on. */
function wrapped(
  network: () => Promise<Model>,
  stages: readonly StageSpec[],
  seed: number,
): () => Promise<Model> {
  if (stages.length === 0) return network
  let made: { around: Model; model: Model } | undefined
  return async () => {
    const around = await network()
    if (made?.around !== around) made = { around, model: defended(around, stages, seed) }
    return made.model
  }
}

/** Answers a program's requests on a port until `close` is called. */
export function serveCapabilities(port: MessagePort, capabilities: CapabilityServer): { close(): void } {
  let open = true
  const reply = (message: CapabilityReply) => {
    if (open) port.postMessage(message)
  }
  port.onmessage = ({ data }: MessageEvent<unknown>) => {
    const id = own(data, 'id')
    const capability = own(data, 'capability')
    if (typeof id !== 'number' || !Number.isSafeInteger(id)) {
      reply({
        id: -1,
        error: { code: 'bad-input', message: `a request needs a whole number as id; got ${describe(id)}` },
        ledger: capabilities.figures(),
      })
      return
    }
    const answer =
      typeof capability === 'string'
        ? capabilities.call(capability, own(data, 'args') as unknown[])
        : Promise.reject(
            new PerturbError('bad-input', `a request must name its capability; got ${describe(capability)}`),
          )
    answer.then(
      (value) => reply({ id, value, ledger: capabilities.figures() }),
      (error: unknown) => {
        const { code, message } = toPlainError(error)
        reply({ id, error: { code, message }, ledger: capabilities.figures() })
      },
    )
  }
  port.onmessageerror = () =>
    reply({
      id: -1,
      error: {
        code: 'bad-input',
        message: 'a request could not be read; send plain numbers, arrays and typed arrays',
      },
      ledger: capabilities.figures(),
    })
  return {
    close() {
      open = false
      port.onmessage = null
      port.onmessageerror = null
      port.close()
      capabilities.close()
    },
  }
}

/** The order of an epoch's images, kept while the epoch lasts: the first `count` of a choice that the seed makes. */
function shuffles(seed: number): (all: number, count: number, epoch: number) => Int32Array {
  let known: { key: string; order: Int32Array } | undefined
  return (all, count, epoch) => {
    const key = `${count}/${epoch}`
    if (known?.key !== key) {
      const rng = createRng(seed, 'training batches')
      const chosen = rng.shuffle(Int32Array.from({ length: all }, (_, i) => i)).slice(0, count)
      known = { key, order: rng.fork(`epoch ${epoch}`).shuffle(chosen) }
    }
    return known.order
  }
}

/** Changes as a program sends them. Unknown rows, a row twice and labels that are no class are refused here already. */
function readChanges(
  ids: unknown,
  labels: unknown,
  values: unknown,
  backdoor: unknown,
  task: Task,
  dataset: DataSet,
): PoisonList {
  if (!(ids instanceof Int32Array) || !(labels instanceof Int32Array))
    throw new PerturbError(
      'bad-input',
      `retrain: changes must be a list of { id, label }; got ${describe(ids)}`,
    )
  const size = dataset.shape.reduce((product, n) => product * n, 1)
  const has = backdoor !== null && backdoor !== undefined
  const parsed = parseArtefact(
    {
      kind: 'change-list',
      ids: [...ids],
      labels: [...labels],
      ...(values === null || values === undefined ? {} : { values }),
      ...(has ? { trigger: own(backdoor, 'trigger'), stamped: own(backdoor, 'stamped') } : {}),
    },
    {
      kind: 'change-list',
      ids: task.ids,
      classes: dataset.classes,
      mayDrop: true,
      rowSize: size,
      ...(has ? { triggerOn: dataset.shape } : {}),
    },
  )
  if (parsed.artefact?.kind === 'change-list') return parsed.artefact
  throw refusal('retrain', parsed)
}

/** What is wrong with a list that a program sent along with a call, and what to do where that is known. */
const refusal = (method: string, { rejected, next }: Parsed) =>
  new PerturbError('bad-input', [`${method}: ${rejected?.headline}`, next].filter(Boolean).join(' '))

function shopOf(method: string, { shop }: Task): ShopSpec {
  if (shop) return shop
  throw new PerturbError('bad-input', `${method}: this checkpoint has no shop`)
}

/** Invented shoppers and those left out, as a program sends them; checked like a hand-in. */
function readRatingsChange(shop: ShopSpec, ids: unknown, stars: unknown, without: unknown, dataset: DataSet) {
  if (!(ids instanceof Int32Array) || !(stars instanceof Int32Array) || !(without instanceof Int32Array))
    throw new PerturbError(
      'bad-input',
      `recommend: give profiles, without, or both; got ${describe(ids)} and ${describe(without)}`,
    )
  const { numUsers, numItems, scale } = givenRatings(shop, dataset)
  const most = shop.handIn.kind === 'profiles' ? shop.handIn.most : numUsers
  const read = (list: object, expected: Expected) => {
    const parsed = parseArtefact({ kind: 'change-list', ...list }, expected)
    if (parsed.artefact?.kind === 'change-list') return parsed.artefact
    throw refusal('recommend', parsed)
  }
  return {
    profiles: profilesOf(
      read(
        { ids: [...ids], labels: [...stars] },
        { kind: 'change-list', of: 'profiles', most, numItems, scale },
      ),
    ),
    without: read(
      { ids: [...without], labels: Array.from(without, () => dropped) },
      { kind: 'change-list', of: 'shoppers', numUsers },
    ).ids,
  }
}

function readAccount(method: string, value: unknown, { accounts, known, today }: LogSpec): number {
  const account = readWhole(`${method}: account`, value, 0, accounts.length - 1)
  if (known.includes(account) || today.includes(account)) return account
  throw new PerturbError('bad-input', `${method}: there is no account ${account} in the log`)
}

/** Asking a network of one's own costs the victim nothing. */
const booked = (name: 'victim' | 'inner' | 'surrogate' | 'features', counted: Counted): Counted | 'free' =>
  name === 'surrogate' ? 'free' : counted

function readRate(what: string, value: unknown): number {
  if (typeof value === 'number' && value > 0 && value <= 1) return value
  throw new PerturbError(
    'bad-input',
    `${what}: rate must be a number above 0, and 1 at most; got ${describe(value)}`,
  )
}

function granted(spec: SandboxSpec): CapabilityName[] {
  return (Object.keys(grants) as CapabilityName[]).filter((name) =>
    grants[name].some((word) => spec.access.includes(word)),
  )
}

function rowsOf(input: WireTensor, from: number, to: number): tf.Tensor {
  const [rows, ...rowShape] = input.shape
  const width = input.values.length / rows!
  return tf.tensor(input.values.slice(from * width, to * width), [to - from, ...rowShape], input.dtype)
}

function join(parts: { shape: number[]; values: Float32Array }[]): WireTensor {
  const values = new Float32Array(parts.reduce((sum, part) => sum + part.values.length, 0))
  let at = 0
  let rows = 0
  for (const part of parts) {
    values.set(part.values, at)
    at += part.values.length
    rows += part.shape[0]!
  }
  return { shape: [rows, ...parts[0]!.shape.slice(1)], dtype: 'float32', values }
}
