import * as v from 'valibot'
import { didYouMean } from './did-you-mean.ts'
import { steps, type CheckpointSpec, type Manifest, type SandboxSpec } from './manifest.ts'

/**
 * The schema behind lab.json. Descriptions end up in labs/lab.schema.json, which editors show while an
 * author types; `parseManifest` words the errors.
 */
const text = (description: string) => v.pipe(v.string(), v.minLength(1), v.description(description))
const slug = (description: string) =>
  v.pipe(v.string(), v.regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/), v.description(description))
const texts = (description: string) =>
  v.pipe(v.array(v.pipe(v.string(), v.minLength(1))), v.description(description))
const count = (description: string) =>
  v.pipe(v.number(), v.integer(), v.minValue(1), v.description(description))

/** What a program may be granted. */
export const capabilities = [
  'victim',
  'inner',
  'features',
  'scores',
  'decisions',
  'trainer',
  'surrogate',
  'data',
  'target',
  'retrain',
  'recommend',
  'filters',
  'log',
] as const

const sandbox = v.strictObject({
  access: v.pipe(
    v.array(v.picklist(capabilities)),
    v.description('Capabilities granted to the learner’s program; everything else is refused.'),
  ),
  maxQueries: count('Rows the ledger answers in one run before it refuses.'),
  seconds: v.pipe(
    v.number(),
    v.minValue(1),
    v.maxValue(600),
    v.description('Deadline of one run, in seconds.'),
  ),
})

const checkpoint = v.strictObject({
  id: slug('Name of the checkpoint in guide.md (::checkpoint{#id}) and in grader.ts.'),
  title: text('What the learner achieves, in a few words.'),
  step: v.pipe(v.picklist(steps), v.description('The step of the guide it belongs to.')),
  accepts: v.pipe(
    v.array(v.picklist(['code', 'explore', 'quiz'])),
    v.minLength(1),
    v.description('Where its artefact may come from.'),
  ),
  artefact: v.pipe(
    v.picklist(['adversarial-examples', 'model-weights', 'scores', 'change-list', 'answer']),
    v.description('What is handed in; the grader accepts the same.'),
  ),
  points: count('Its share of the lab’s points.'),
  sandbox: v.optional(
    v.pipe(
      v.strictObject({
        access: v.exactOptional(sandbox.entries.access),
        maxQueries: v.exactOptional(sandbox.entries.maxQueries),
        seconds: v.exactOptional(sandbox.entries.seconds),
      }),
      v.description('What differs from the lab’s sandbox here: another access, a budget of its own.'),
    ),
  ),
  program: v.optional(
    v.pipe(
      v.strictObject({
        file: v.pipe(v.string(), v.regex(/^[a-z0-9-]+\.ts$/), v.description('Editable file in starter/.')),
        main: v.pipe(
          v.string(),
          v.regex(/^[a-z0-9-]+\.ts$/),
          v.description('Read-only program in starter/ that calls it.'),
        ),
      }),
      v.description('Needed when it accepts code.'),
    ),
  ),
  needs: v.pipe(
    v.array(
      v.strictObject({
        name: text('What is measured.'),
        value: text('What is needed, e.g. "at least 75 %".'),
      }),
    ),
    v.description('What is needed, in words, shown before the first attempt.'),
  ),
  hints: v.pipe(
    v.array(
      v.strictObject({
        kind: v.picklist(['nudge', 'pointer', 'worked-line']),
        text: text('One or two sentences; a worked line may be code.'),
      }),
    ),
    v.description('The ladder, mildest first.'),
  ),
})

export const manifestSchema = v.strictObject({
  id: slug('Equal to the folder’s name.'),
  version: v.pipe(
    v.string(),
    v.regex(/^\d+\.\d+\.\d+$/),
    v.description('Semantic version; raise it with every change that learners see.'),
  ),
  title: text('A sentence that makes one curious.'),
  summary: text('One or two sentences for the home page.'),
  track: slug('A track of tracks.json.'),
  order: count('Position in the track.'),
  level: v.pipe(
    v.picklist(['introductory', 'intermediate', 'advanced']),
    v.description('Where it stands in the curriculum.'),
  ),
  minutes: v.pipe(
    v.number(),
    v.integer(),
    v.minValue(5),
    v.maxValue(90),
    v.description('How long it takes, honestly.'),
  ),
  objectives: v.pipe(texts('What the learner can do afterwards; each begins with a verb.'), v.minLength(1)),
  outOfScope: texts('What this lab leaves to others.'),
  requires: texts('Labs worth doing first; never locks.'),
  papers: v.pipe(
    v.array(
      v.strictObject({
        cite: text('e.g. "Goodfellow et al. 2015".'),
        title: text('Title of the paper.'),
        url: v.pipe(v.string(), v.regex(/^https:\/\//), v.description('An https address.')),
      }),
    ),
    v.description('Papers the lab stands on.'),
  ),
  frameworks: v.pipe(
    v.record(v.string(), v.array(v.string())),
    v.description('Ids of frameworks.json, by framework.'),
  ),
  assets: texts('Folders in static/, e.g. "data/mnist10k"; every file in them is pinned by SHA256SUMS.'),
  sandbox: v.pipe(sandbox, v.description('What the learner’s program is allowed.')),
  variant: text('What the learner’s seed changes, in words.'),
  checkpoints: v.pipe(v.array(checkpoint), v.minLength(1), v.description('What is graded, in order.')),
})

/** The file, as it lies on disk: the manifest and the editor's pointer to the JSON Schema. */
export const labFileSchema = v.strictObject({
  $schema: v.optional(v.pipe(v.string(), v.description('"../lab.schema.json": completion in editors.'))),
  ...manifestSchema.entries,
})

// The schema and the types must say the same: each line fails to compile when they do not.
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Inferred = v.InferOutput<typeof manifestSchema>
const agrees = <T extends true>(_: T) => undefined
agrees<Inferred extends Loose<Manifest> ? true : false>(true)
agrees<Manifest extends Loose<Inferred> ? true : false>(true)
agrees<Same<keyof Inferred, keyof Manifest>>(true)
agrees<Same<keyof Inferred['checkpoints'][number], keyof CheckpointSpec>>(true)
agrees<Same<keyof Inferred['sandbox'], keyof Manifest['sandbox']>>(true)
/** `access` is a list of names in manifest.ts and a list of known names here. */
type Loose<M extends Pick<Inferred | Manifest, 'sandbox' | 'checkpoints'>> = Omit<
  M,
  'sandbox' | 'checkpoints'
> & {
  sandbox: Omit<M['sandbox'], 'access'> & { access: string[] }
  checkpoints: (Omit<M['checkpoints'][number], 'sandbox'> & { sandbox?: Partial<SandboxSpec> })[]
}

export type ManifestResult =
  { manifest: Manifest; problems: [] } | { manifest?: undefined; problems: string[] }

/**
 * Reads the text of a lab.json. Problems are sentences (where: what, expected, got, next), one for each
 * thing that is wrong; a wrong manifest is never returned.
 *
 * @param file how to name it in messages, e.g. "labs/evasion-fgsm/lab.json"
 */
export function parseManifest(json: string, file: string): ManifestResult {
  let raw: unknown
  try {
    raw = JSON.parse(json)
  } catch (error) {
    return {
      problems: [`${file}: not JSON: ${error instanceof Error ? error.message : error}; correct it there`],
    }
  }
  const result = v.safeParse(labFileSchema, raw)
  if (!result.success) {
    return { problems: [...new Set(result.issues.map((issue) => `${file}: ${wordIssue(issue, raw)}`))] }
  }
  const { $schema: _, ...manifest } = result.output
  const problems = contradictions(manifest).map((problem) => `${file}: ${problem}`)
  return problems.length > 0 ? { problems } : { manifest, problems: [] }
}

/** What a schema of single fields cannot say. */
function contradictions(manifest: Manifest): string[] {
  const problems: string[] = []
  const seen = new Set<string>()
  manifest.checkpoints.forEach((checkpoint, i) => {
    const at = `checkpoints[${i}]`
    if (seen.has(checkpoint.id))
      problems.push(`${at}.id: "${checkpoint.id}" is there twice; every checkpoint needs an id of its own`)
    seen.add(checkpoint.id)
    if (checkpoint.accepts.includes('code') && !checkpoint.program) {
      problems.push(
        `${at}.program: missing, yet the checkpoint accepts code; name the editable file and its main program, or drop "code"`,
      )
    }
    if (checkpoint.program && !checkpoint.accepts.includes('code')) {
      problems.push(`${at}.accepts: has a program but does not accept "code"; add "code" or drop the program`)
    }
    const isQuiz = checkpoint.accepts.includes('quiz')
    if (isQuiz !== (checkpoint.artefact === 'answer')) {
      problems.push(
        `${at}.artefact: a quiz hands in "answer" and nothing else does; got "${checkpoint.artefact}" with accepts ${checkpoint.accepts.join(', ')}`,
      )
    }
  })
  return problems
}

type Issue = v.InferIssue<typeof labFileSchema>

/** "checkpoints[0].step: expected one of "story", …; got "cod"; did you mean "code"?" */
function wordIssue(issue: Issue, raw: unknown): string {
  const keys = (issue.path ?? []).map((item) => item.key as string | number)
  const where = pathOf(keys)
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const known = Object.keys(entriesAt(keys.slice(0, -1)) ?? {}).filter((key) => key !== '$schema')
    return `${where}: unknown key${didYouMean(String(keys.at(-1)), known)}`
  }
  const parent = valueAt(keys.slice(0, -1), raw)
  if (keys.length > 0 && Array.isArray(parent) && typeof keys.at(-1) === 'string') {
    return `${pathOf(keys.slice(0, -1))}: expected an object in { }; got ${show(parent)}; correct it`
  }
  if (issue.received === 'undefined') {
    const schema = schemaAt(keys)
    const description = schema?.pipe?.find((action) => action.type === 'description')?.description
    const expected = schemaWords[schema?.type ?? ''] ?? 'a value'
    return `${where}: missing; expected ${expected}${description ? ` (${description.replace(/\.$/, '')})` : ''}; got nothing; add it`
  }
  const value = valueAt(keys, raw)
  if (issue.type === 'picklist') {
    const known = optionsOf(issue)
    const near = typeof value === 'string' ? didYouMean(value, known) : ''
    return `${where}: expected one of ${known.join(', ')}; got ${show(value)}${near.startsWith('; did') ? near : '; choose one'}`
  }
  return `${where}: expected ${kindOf(issue)}; got ${show(value)}; correct it`
}

const optionsOf = (issue: Issue) => (issue.expected ?? '').replace(/[()"]/g, '').split(' | ')

const valueAt = (keys: (string | number)[], raw: unknown) =>
  keys.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], raw)

const schemaWords: Record<string, string> = {
  string: 'text in quotes',
  number: 'a number',
  array: 'a list in [ ]',
  record: 'an object in { }',
  strict_object: 'an object in { }',
  picklist: 'one of the known words',
}

function kindOf(issue: Issue): string {
  switch (issue.type) {
    case 'integer':
      return 'a whole number'
    case 'min_value':
      return `at least ${issue.requirement}`
    case 'max_value':
      return `at most ${issue.requirement}`
    case 'min_length':
      return Array.isArray(issue.input) ? 'at least one entry' : 'a text that is not empty'
    case 'regex':
      return patternWords[String(issue.requirement)] ?? `text matching ${issue.requirement}`
    default:
      return schemaWords[issue.type] ?? issue.expected ?? 'something else'
  }
}

const patternWords: Record<string, string> = {
  [String(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/)]: 'a name in kebab-case, e.g. "evasion-fgsm"',
  [String(/^\d+\.\d+\.\d+$/)]: 'a version like "1.0.0"',
  [String(/^[a-z0-9-]+\.ts$/)]: 'the name of a TypeScript file in starter/, e.g. "fgsm.ts"',
  [String(/^https:\/\//)]: 'an address that begins with https://',
}

const pathOf = (keys: (string | number)[]) =>
  keys.reduce<string>(
    (path, key) => (typeof key === 'number' ? `${path}[${key}]` : path ? `${path}.${key}` : key),
    '',
  ) || '(the whole file)'

interface AnySchema {
  entries?: Record<string, AnySchema>
  item?: AnySchema
  wrapped?: AnySchema
  pipe?: AnySchema[]
  kind?: string
  type?: string
  description?: string
}

/** The schema that stands at a path. */
function schemaAt(keys: (string | number)[]): AnySchema | undefined {
  let schema: AnySchema | undefined = labFileSchema as unknown as AnySchema
  for (const key of keys) {
    while (schema?.wrapped) schema = schema.wrapped
    schema = typeof key === 'number' ? schema?.item : schema?.entries?.[key]
  }
  return schema
}

const entriesAt = (keys: (string | number)[]) => {
  let schema = schemaAt(keys)
  while (schema?.wrapped) schema = schema.wrapped
  return schema?.entries
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
