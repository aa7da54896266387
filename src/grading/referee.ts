import { PerturbError } from '../core/errors.ts'
import { createRng } from '../core/rng.ts'
import type { DataSet } from '../data/data-set.ts'
import { architectureOf } from '../models/architectures.ts'
import type { Model, Weight } from '../models/model.ts'
import { weightShapes } from '../models/weights.ts'
import type { LedgerSummary } from './artefact.ts'
import type { CheckpointGrader, LabGrader, Task, Trusted } from './grader.ts'
import { artefactDigest } from './packing.ts'
import { conclude, rejected, unavailable } from './rows.ts'
import { expectedChanges } from './shop.ts'
import { parseArtefact, type Expected } from './validate.ts'
import { surrogateName } from './artefact.ts'
import type { Verdict } from './verdict.ts'

/** What the referee works with: shipped models and data, kept by the caller, and a way to load weights. */
export interface RefereeTools {
  model(name: string, seed?: number): Promise<Model>
  dataset(name: string): Promise<DataSet>
  /** A new model of a shipped architecture with other weights; whoever asked disposes it. */
  modelWithWeights(name: string, weights: Weight[]): Promise<Model>
}

/** Artefacts of other checkpoints that this one builds on, by checkpoint id. Untrusted, like all artefacts. */
export type Earlier = Readonly<Record<string, unknown>>

export interface GradeRequest {
  checkpoint: string
  seed: number
  /** Untrusted: the sandbox, a widget or a file made it. */
  artefact: unknown
  ledger?: LedgerSummary
  earlier?: Earlier
}

/** The learner's variant: same lab and seed, same variant, on any machine. Plain JSON. */
export async function variantOf<V>(grader: LabGrader<V>, seed: number, tools: RefereeTools): Promise<V> {
  return grader.variant(createRng(seed, 'variant'), {
    model: (name, trainedFrom) => tools.model(name, trainedFrom),
    dataset: (name) => tools.dataset(name),
    modelWithWeights: (name, weights) => tools.modelWithWeights(name, weights),
    modelFrom: () =>
      Promise.reject(new PerturbError('missing', 'a variant depends on the seed alone, not on earlier work')),
    once: (_, measure) => measure(),
  })
}

/**
 * What a checkpoint gives the learner's program. Throws `missing` for a checkpoint that does not exist, and
 * `bad-input`, with the next thing to do, when it builds on an earlier checkpoint that is not passed yet.
 */
export async function taskOf<V>(
  grader: LabGrader<V>,
  request: { checkpoint: string; seed: number; earlier?: Earlier },
  tools: RefereeTools,
): Promise<Task> {
  return inSession(grader, request.seed, request.earlier, tools, async (session) =>
    session.task(request.checkpoint),
  )
}

/**
 * Recomputes everything from the artefact. Never throws: what is malformed is `rejected`, what we fail to
 * measure is `unavailable`. Every tensor and model made on the way is freed.
 */
export async function gradeArtefact<V>(
  grader: LabGrader<V>,
  request: GradeRequest,
  tools: RefereeTools,
): Promise<Verdict> {
  try {
    return await inSession(grader, request.seed, request.earlier, tools, async (session) =>
      session.grade(request.checkpoint, request.artefact, request.ledger),
    )
  } catch (error) {
    if (error instanceof EarlierNeeded) return rejected(error.message, error.next)
    return unavailable(error instanceof Error ? error.message : String(error))
  }
}

/** A checkpoint builds on another, and nothing of use is handed in there. */
export class EarlierNeeded extends PerturbError {
  constructor(
    readonly checkpoint: string,
    why: string,
    readonly next = `Next: pass "${checkpoint}" first, then come back.`,
  ) {
    super('bad-input', `This checkpoint works on what you hand in for "${checkpoint}"; ${why}.`)
  }
}

interface Session {
  task(checkpoint: string): Promise<Task>
  grade(checkpoint: string, artefact: unknown, ledger?: LedgerSummary): Promise<Verdict>
}

/** One request: the variant is drawn once, an earlier model is checked and loaded once, and freed at the end. */
async function inSession<V, R>(
  grader: LabGrader<V>,
  seed: number,
  earlier: Earlier = {},
  tools: RefereeTools,
  work: (session: Session) => Promise<R>,
): Promise<R> {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new PerturbError('bad-input', `a seed is a whole number from 0 to 4294967295; got ${seed}`)
  }
  const loaded = new Map<string, Promise<Model>>()
  const digests = new Map<string, string>()
  /** What a measurement may depend on: the seed, and the earlier models that are loaded. */
  const standsOn = () => JSON.stringify([seed, ...[...digests].sort()])
  const trusted: Trusted = {
    model: (name, trainedFrom) => tools.model(name, trainedFrom),
    dataset: (name) => tools.dataset(name),
    modelWithWeights: (name, weights) => tools.modelWithWeights(name, weights),
    modelFrom(checkpoint) {
      let model = loaded.get(checkpoint)
      if (!model) loaded.set(checkpoint, (model = earlierModel(checkpoint)))
      return model
    },
    once(name, measure) {
      const ground = standsOn()
      const key = `once ${ground} ${name}`
      const known = recall<Awaited<ReturnType<typeof measure>>>(tools, grader, key)
      if (known) return known
      const measuring = measure().then((measured) => {
        if (standsOn() === ground) return measured
        throw new TypeError(
          `once("${name}"): the measurement loaded an earlier model by itself; call modelFrom before once`,
        )
      })
      remember(tools, grader, key, measuring)
      return measuring
    },
  }
  const variant = await variantOf(grader, seed, tools)

  const checkpointOf = (id: string): CheckpointGrader<V> => {
    if (!Object.hasOwn(grader.checkpoints, id)) {
      throw new PerturbError(
        'missing',
        `no checkpoint "${id}"; this lab has ${Object.keys(grader.checkpoints).join(', ')}`,
      )
    }
    return grader.checkpoints[id]!
  }

  /** Drawn once for a seed and the earlier models that it loads: reading a sample is most of a small hand-in's time. */
  async function taskFor(id: string): Promise<Task> {
    const key = `task ${seed} ${id}`
    const known = await recall<{ task: Task; digests: Map<string, string> }>(tools, grader, key)
    if (known) {
      for (const earlierId of known.digests.keys()) await trusted.modelFrom(earlierId)
      if ([...known.digests].every(([earlierId, digest]) => digests.get(earlierId) === digest))
        return known.task
    }
    const task = await checkpointOf(id).task(variant, trusted)
    remember(tools, grader, key, Promise.resolve({ task, digests: new Map(digests) }))
    return task
  }

  async function grade(id: string, untrusted: unknown, ledger?: LedgerSummary): Promise<Verdict> {
    const checkpoint = checkpointOf(id)
    const task = await taskFor(id)
    const parsed = parseArtefact(untrusted, await expectedOf(checkpoint, task, tools))
    if (parsed.rejected) return parsed.rejected
    const { artefact } = parsed
    const submission = { variant, task, artefact, ...(ledger ? { ledger } : {}), trusted }
    const verdict = await checkpoint.grade(submission)
    // The next step asks how this model was judged; without a ledger, since none comes with it then.
    if (artefact.kind === 'model-weights' && !ledger && asEarlier(verdict) !== 'unavailable')
      remember(tools, grader, verdictKey(id, artefactDigest(artefact)), Promise.resolve(verdict))
    return verdict
  }

  const verdictKey = (id: string, digest: string) => `verdict ${seed} ${id} ${digest}`

  /** Checked like any hand-in: a model that never passed its own checkpoint is nobody's victim. */
  async function earlierModel(id: string): Promise<Model> {
    const checkpoint = checkpointOf(id)
    const untrusted: unknown = Object.hasOwn(earlier, id) ? earlier[id] : undefined
    if (untrusted === undefined) throw new EarlierNeeded(id, 'nothing is handed in there yet')
    const parsed = parseArtefact(untrusted, await expectedOf(checkpoint, await taskFor(id), tools))
    if (parsed.rejected)
      throw new EarlierNeeded(id, `what is there cannot be read: ${parsed.rejected.headline}`)
    const { artefact } = parsed
    if (artefact.kind !== 'model-weights')
      throw new PerturbError('unavailable', `checkpoint "${id}" hands in no model`)
    const digest = artefactDigest(artefact)
    const verdict = await (recall<Verdict>(tools, grader, verdictKey(id, digest)) ?? grade(id, artefact))
    const status = asEarlier(verdict)
    if (status === 'unavailable')
      throw new PerturbError('unavailable', verdict.finding?.cause ?? verdict.headline)
    if (status !== 'passed') throw new EarlierNeeded(id, `what is there has not passed: ${verdict.headline}`)
    digests.set(id, digest)
    return tools.modelWithWeights(artefact.model, artefact.tensors)
  }

  try {
    return await work({ task: taskFor, grade })
  } finally {
    for (const model of await Promise.allSettled(loaded.values())) {
      if (model.status === 'fulfilled') model.value.dispose()
    }
  }
}

/** How a hand-in stands for the checkpoints that build on it: without a ledger, its claimed figures are left out. */
function asEarlier({ status, rows }: Verdict): Verdict['status'] {
  const measured = rows.filter((row) => !(row.claimed && row.status === 'unavailable'))
  return status === 'unavailable' && measured.length > 0
    ? conclude({ headline: '', rows: measured }).status
    : status
}

type Memory = Map<string, Promise<unknown>>
const memories = new WeakMap<RefereeTools, WeakMap<object, Memory>>()

/** Verdicts and measurements kept for a lab; a learner works on one variant, with few repaired models at a time. */
const mostRemembered = 24

function memoryOf(tools: RefereeTools, grader: object): Memory {
  const byGrader = memories.get(tools) ?? new WeakMap<object, Memory>()
  memories.set(tools, byGrader)
  const memory = byGrader.get(grader) ?? new Map<string, Promise<unknown>>()
  byGrader.set(grader, memory)
  return memory
}

/** What is kept under a key that says all it depends on. */
function recall<T>(tools: RefereeTools, grader: object, key: string): Promise<T> | undefined {
  const memory = memoryOf(tools, grader)
  const known = memory.get(key) as Promise<T> | undefined
  if (known) remember(tools, grader, key, known)
  return known
}

/** The oldest goes. One that fails, on a backend that was lost for example, is not kept. */
function remember(tools: RefereeTools, grader: object, key: string, value: Promise<unknown>): void {
  const memory = memoryOf(tools, grader)
  if (memory.get(key) !== value) {
    value.catch(() => {
      if (memory.get(key) === value) memory.delete(key)
    })
  }
  memory.delete(key)
  memory.set(key, value)
  if (memory.size > mostRemembered) memory.delete(memory.keys().next().value!)
}

/**
 * Tasks and measurements are made anew from here on, for whoever wants to see that they come out the same. That
 * an earlier model passed is still known.
 */
export function forgetMeasurements(tools: RefereeTools, grader: object): void {
  const memory = memoryOf(tools, grader)
  for (const key of [...memory.keys()]) if (!key.startsWith('verdict ')) memory.delete(key)
}

/** What a well-formed hand-in for this task looks like, from trusted copies alone. */
async function expectedOf<V>(
  checkpoint: CheckpointGrader<V>,
  task: Task,
  tools: RefereeTools,
): Promise<Expected> {
  switch (checkpoint.accepts) {
    case 'adversarial-examples': {
      const { inputShape } = await tools.model(task.victim.model, task.victim.seed)
      const { ids, shape } = task.handIn ?? { ids: task.ids, shape: inputShape }
      return { kind: 'adversarial-examples', ids, inputShape: shape }
    }
    case 'model-weights': {
      if (task.copy) {
        const { name: model } = architectureOf(task.copy.model)
        return { kind: 'model-weights', model, tensors: weightShapes(architectureOf(model)) }
      }
      if (task.surrogate) return { kind: 'model-weights', model: surrogateName, tensors: task.surrogate }
      const weights = await (await tools.model(task.victim.model)).weights()
      return {
        kind: 'model-weights',
        model: task.victim.model,
        tensors: weights.map(({ name, shape }) => ({ name, shape })),
      }
    }
    case 'scores':
      return { kind: 'scores', ids: task.ids, columns: task.columns ?? [] }
    case 'change-list': {
      const dataset = await tools.dataset(task.dataset)
      if (task.shop) return expectedChanges(task.shop, dataset)
      const { shape, classes } = dataset
      const { drops = false, values = false, trigger = false } = task.changes ?? {}
      const rowSize = shape.reduce((product, n) => product * n, 1)
      return {
        kind: 'change-list',
        ids: task.ids,
        classes,
        mayDrop: drops,
        ...(values ? { rowSize } : {}),
        ...(trigger ? { triggerOn: shape } : {}),
      }
    }
    case 'answer':
      return { kind: 'answer' }
  }
}
