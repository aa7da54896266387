import { checkAssets, readLab, readShelf, type LabShelf } from '../build/lab-folder.ts'
import { memory } from '../core/tf.ts'
import { createCapabilities } from '../engine/capabilities.ts'
import { methodLoaders } from '../engine/dispatch.ts'
import { createWorkshop, type Workshop } from '../engine/workshop.ts'
import type { Artefact } from '../grading/artefact.ts'
import { trainedModel, type LabGrader, type Task } from '../grading/grader.ts'
import { didYouMean } from '../labs/did-you-mean.ts'
import type { KnobRun } from '../labs/folder.ts'
import { loadGrader } from '../labs/graders.ts'
import {
  proveLab,
  type Proof,
  type ProofBench,
  type ProofOptions,
  type ProgramResult,
  type ProgramRun,
} from '../labs/proof.ts'
import type { Weight } from '../models/model.ts'
import { runTrusted } from '../sandbox/run-in-node.ts'
import { readStatic, repository } from './node-platform.ts'

/** The referee and the engine's methods in this process, for as many labs as are proved in it. */
export async function openLabBench() {
  const workshop = createWorkshop({ role: 'referee', fetchBytes: readStatic, emit: () => undefined })
  await workshop.start('wasm')
  return {
    /** Reads and proves one lab; a wrong folder is in the proof's problems, never thrown. */
    async prove(
      slug: string,
      options: ProofOptions,
      shelf = readShelf(repository),
      load: (slug: string) => Promise<LabGrader> = loadGrader,
    ): Promise<Proof> {
      const folder = readLab(shelf, slug)
      if (!folder.manifest || folder.problems.length > 0) {
        return {
          lab: slug,
          version: folder.manifest?.version ?? '',
          ok: false,
          problems: folder.problems,
          checks: [],
        }
      }
      return proveLab(folder, benchOf(workshop, await load(slug), shelf), options)
    },
  }
}

function benchOf(workshop: Workshop, grader: LabGrader, shelf: LabShelf): ProofBench {
  return {
    grader,
    tools: workshop,
    runProgram: (run) => runProgram(workshop, run),
    runKnobs: (run, task, seed, earlier) => runKnobs(workshop, run, task, seed, earlier),
    tensors: () => memory().numTensors,
    assetProblems: (manifest) => checkAssets(manifest, shelf),
  }
}

/** Weights handed in for an earlier checkpoint: the victim's when it is the learner's own model, or those of their copy. */
function earlierWeights(
  weightsFrom: string | undefined,
  earlier: Readonly<Record<string, Artefact>>,
): Weight[] | undefined {
  if (weightsFrom === undefined) return undefined
  const artefact = earlier[weightsFrom]
  if (artefact?.kind !== 'model-weights')
    throw new Error(`the task builds on checkpoint "${weightsFrom}", which hands in no weights`)
  return artefact.tensors
}
const ownWeights = ({ victim }: Task, earlier: Readonly<Record<string, Artefact>>) =>
  earlierWeights(victim.weightsFrom, earlier)

async function runProgram(
  workshop: Workshop,
  { files, main, task, seed, spec, earlier }: ProgramRun,
): Promise<ProgramResult> {
  const weights = ownWeights(task, earlier)
  const model = weights
    ? await workshop.modelWithWeights(task.victim.model, weights)
    : task.shop
      ? undefined
      : await workshop.model(task.victim.model, task.victim.seed)
  const server = createCapabilities({
    model: model ?? (() => workshop.model(task.victim.model)),
    dataset: await workshop.dataset(task.dataset),
    datasets: (name) => workshop.dataset(name),
    task,
    spec,
    seed,
    copyWeights: earlierWeights(task.copy?.weightsFrom, earlier),
  })
  try {
    const { outcome } = await runTrusted({
      files,
      main,
      task,
      seed,
      access: spec.access,
      capabilities: (name, args) => server.call(name, args),
    })
    const ledger = server.summary()
    if (outcome.status === 'failed') return { error: outcome.error, ledger }
    const handIn = outcome.status === 'finished' ? outcome.artefact : undefined
    if (handIn?.kind !== 'trained-model') return { artefact: handIn, ledger }
    const { weights: tensors } = (await server.trained())!
    return { artefact: { kind: 'model-weights', model: trainedModel(task), tensors }, ledger }
  } finally {
    server.close()
    if (weights) model?.dispose()
  }
}

/**
 * A run of the knobs: the method gets the task's model, data and images, and the seed; its result is handed
 * in. A param like "task.target" is that value of the task, and one target stands for every image.
 */
async function runKnobs(
  workshop: Workshop,
  { method: name, params }: KnobRun,
  task: Task,
  seed: number,
  earlier: Readonly<Record<string, Artefact>>,
): Promise<unknown> {
  const load = methodLoaders[name]
  if (!load) throw new Error(`no method "${name}"${didYouMean(name, Object.keys(methodLoaders))}`)
  const method = await load()
  const { targets, ...turned } = fromTask(params, task) as Record<string, unknown>
  const given =
    name === 'attack-images' || name === 'train-sticker'
      ? {
          model: {
            model: task.victim.model,
            weights: ownWeights(task, earlier),
            defence: task.victim.defence,
          },
          images: { dataset: task.dataset, split: task.split, ids: task.ids },
          ...(targets === undefined
            ? {}
            : { targets: typeof targets === 'number' ? task.ids.map(() => targets) : targets }),
        }
      : // Nobody watches its curve here, and the readings of one are a third of a training.
        { model: task.victim.model, dataset: task.dataset, readings: 0 }
  const context = { signal: new AbortController().signal, progress: () => undefined }
  const result = (await method.run({ ...given, ...turned, seed }, context, workshop)) as KnobResult
  if (result.weights) return { kind: 'model-weights', model: task.victim.model, tensors: result.weights }
  if (result.adversarial)
    return {
      kind: 'adversarial-examples',
      ids: task.handIn?.ids ?? task.ids,
      shape: result.shape,
      pixels: result.adversarial,
    }
  throw new Error(`${name} makes neither weights nor adversarial examples, so there is nothing to hand in`)
}

function fromTask(value: unknown, task: Task): unknown {
  if (typeof value === 'string' && value.startsWith('task.')) {
    const name = value.slice('task.'.length)
    if (!Object.hasOwn(task.values, name))
      throw new Error(`the task has no "${name}"${didYouMean(name, Object.keys(task.values))}`)
    return task.values[name]
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fromTask(inner, task)]))
}

interface KnobResult {
  weights?: Weight[]
  adversarial?: Float32Array
  shape?: number[]
}
