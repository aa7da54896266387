/** Finds the stages that can stand around a model: one file in a folder below is one stage. */
import { PerturbError } from '../core/errors.ts'
import { readOptions } from '../attacks/check.ts'
import type { StageEntry, StageSpec } from './stage.ts'

const modules = import.meta.glob<{ entry: StageEntry }>('./{preprocessing,postprocessing}/*.ts', {
  eager: true,
})

/** Every stage by id, the file's name. */
export const stages: ReadonlyMap<string, StageEntry> = new Map(
  Object.entries(modules).map(([path, { entry }]) => {
    const name = /([^/]+)\.ts$/.exec(path)![1]!
    if (entry?.id !== name)
      throw new Error(
        `${path}: must export its StageEntry as \`entry\`, with the id "${name}"; got "${entry?.id}"`,
      )
    return [name, entry]
  }),
)

/** Throws `missing` for a stage that does not exist, and `bad-input` for an option that it does not have. */
export function readStage(spec: StageSpec): { entry: StageEntry; options: StageEntry['defaults'] } {
  const { id, ...options } = spec
  const entry = stages.get(id)
  if (!entry)
    throw new PerturbError('missing', `no stage "${id}"; the stages are ${[...stages.keys()].join(', ')}`)
  return { entry, options: readOptions(entry, options) }
}
