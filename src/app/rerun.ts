/**
 * `#/rerun`: the page without a face, for `npm run regrade -- --run-code`. A program of somebody's evidence runs in the same
 * sandbox, against the same engine, on a variant and a randomness that it was never told.
 */
import { PerturbError } from '../core/errors.ts'
import { trainedModel, type Task } from '../grading/grader.ts'
import { packArtefact, unpackArtefact } from '../grading/packing.ts'
import type { RerunRequest, RerunResult } from '../grading/rerun.ts'
import { sandboxOf, trains } from '../labs/manifest.ts'
import { engine } from './engine.svelte.ts'
import { exploreFile } from './lab-session.svelte.ts'
import { runInSandbox } from './run-in-sandbox.ts'
import { sessionDeps } from './session-deps.ts'
import { shareVictim } from './share-victim.ts'

/** Far above any model of a lab. */
const allowance = 100_000_000

async function rerun(request: RerunRequest): Promise<RerunResult> {
  const { lab, checkpoint, seed, programSeed, files, ran } = request
  const { manifest, starter } = await sessionDeps.load(lab)
  const spec = manifest.checkpoints.find(({ id }) => id === checkpoint)
  if (!spec?.program) throw new PerturbError('missing', `${lab} has no program for "${checkpoint}"`)
  await engine.client.call('start', { backend: 'wasm' })
  const left = { bytes: allowance }
  const earlier = Object.fromEntries(
    Object.entries(request.earlier).map(([id, packed]) => [id, unpackArtefact(packed, left)]),
  )
  const task = (await sessionDeps.referee.call('task', { lab, checkpoint, seed, earlier })) as Task
  await shareVictim(task.victim, sessionDeps)
  const weightsFrom = (from: string | undefined) => {
    const artefact = from === undefined ? undefined : earlier[from]
    return artefact?.kind === 'model-weights' ? artefact.tensors : undefined
  }
  const sandbox = sandboxOf(manifest, spec)
  const editable = new Set(manifest.checkpoints.flatMap(({ program }) => (program ? [program.file] : [])))
  const theirs = Object.entries(files).filter(([name]) => editable.has(name) || name === exploreFile)
  const { outcome, trained, ledger } = await runInSandbox(sessionDeps, {
    files: { ...starter, ...Object.fromEntries(theirs) },
    main: ran.includes(exploreFile) ? exploreFile : spec.program.main,
    task,
    spec: sandbox,
    seed,
    programSeed,
    weights: weightsFrom(task.victim.weightsFrom),
    copyWeights: weightsFrom(task.copy?.weightsFrom),
    trains: trains(sandbox),
  })
  const asked = ledger ? { ledger } : {}
  if (outcome.status !== 'finished') {
    const problem =
      outcome.status === 'failed'
        ? outcome.error.message
        : 'message' in outcome
          ? outcome.message
          : `it was stopped by its ${outcome.status} after ${outcome.seconds.toFixed(0)} s`
    return { ...asked, problem }
  }
  const handIn = outcome.artefact
  if (!handIn) return { ...asked, problem: 'it finished without handing anything in' }
  if (handIn.kind !== 'trained-model') return { ...asked, artefact: packArtefact(handIn) }
  if (!trained) return { ...asked, problem: 'the model that it trained could not be read' }
  const model = { kind: 'model-weights' as const, model: trainedModel(task), tensors: trained.weights }
  return { ...asked, artefact: packArtefact(model) }
}

/** Puts the function where the command line's browser finds it. */
export function offerRerun(): void {
  Object.assign(globalThis, { perturbRerun: rerun })
}
