import { toJsonSchema } from '@valibot/to-json-schema'
import { labFileSchema } from './schema.ts'

/** The text of labs/lab.schema.json: completion and squiggles for authors, made from the one schema. */
export function labJsonSchema(): string {
  const schema = toJsonSchema(labFileSchema, { target: 'draft-07' })
  return `${JSON.stringify({ ...schema, title: 'A Perturb lab (lab.json)' }, null, 2)}\n`
}
