import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { didYouMean } from '../labs/did-you-mean.ts'
import type { KnobRun, LabFolder } from '../labs/folder.ts'
import type { Guide } from '../labs/guide.ts'
import type { Framework, Track } from '../labs/loader.ts'
import type { Manifest } from '../labs/manifest.ts'
import { parseManifest } from '../labs/schema.ts'
import { compileGuide } from './guide-compile.ts'

/** Where labs lie, and what they may refer to. */
export interface LabShelf {
  /** Folder that holds the labs, e.g. <repository>/labs. */
  folder: string
  /** Where assets lie, e.g. <repository>/static. */
  staticFolder: string
  slugs: string[]
  tracks: Track[]
  frameworks: Record<string, Framework>
  glossary: Record<string, string>
  /** Kinds of widget. */
  widgets: string[]
  /** What each of them says of its attributes: see `widgetAttributes`. */
  widgetAttributes: Record<string, string[]>
  /** Ids of the attacks. */
  attacks: string[]
}

/** Widgets are the kebab-case components of src/ui/widgets; others there are their parts. */
export function widgetKinds(repository: string): string[] {
  const folder = join(repository, 'src/ui/widgets')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((file) => /^[a-z][a-z0-9-]*\.svelte$/.test(file))
    .map((file) => file.slice(0, -'.svelte'.length))
    .sort()
}

/**
 * Names of the attributes that a widget takes: the words after "Attributes:" in the comment on top of its file. One
 * that says "every other" or "any knob" takes the knobs of an attack or a recipe as well, and is left out here: its
 * bench tells which it does not have.
 */
export function widgetAttributes(repository: string): Record<string, string[]> {
  return Object.fromEntries(
    widgetKinds(repository).flatMap((kind): [string, string[]][] => {
      const text = readFileSync(join(repository, 'src/ui/widgets', `${kind}.svelte`), 'utf8')
      const comment = /@component([\s\S]*?)-->/.exec(text)?.[1] ?? ''
      if (/every\s+other|any\s+knob/.test(comment)) return []
      const said = /Attributes:([\s\S]*)/.exec(comment)?.[1] ?? ''
      return [[kind, said.match(/[A-Za-z]+/g) ?? []]]
    }),
  )
}

/** An attack is a file of src/attacks/<family>/. */
function attackIds(repository: string): string[] {
  const files = readdirSync(join(repository, 'src/attacks'), { recursive: true, encoding: 'utf8' })
  return files.flatMap((file) => /[\\/]([a-z0-9-]+)\.ts$/.exec(file)?.[1] ?? []).sort()
}

/** @param folder where the labs lie; the repository's own labs/ unless a test says otherwise */
export function readShelf(repository: string, folder = join(repository, 'labs')): LabShelf {
  const shared = (name: string): unknown => {
    const own = join(folder, name)
    return JSON.parse(readFileSync(existsSync(own) ? own : join(repository, 'labs', name), 'utf8'))
  }
  return {
    folder,
    staticFolder: join(repository, 'static'),
    slugs: readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort(),
    tracks: shared('tracks.json') as Track[],
    frameworks: shared('frameworks.json') as Record<string, Framework>,
    glossary: shared('glossary.json') as Record<string, string>,
    widgets: widgetKinds(repository),
    widgetAttributes: widgetAttributes(repository),
    attacks: attackIds(repository),
  }
}

/** Reads and checks lab.json: its form, and every name in it that lives elsewhere. */
export function readManifest(shelf: LabShelf, slug: string): { manifest?: Manifest; problems: string[] } {
  const file = `labs/${slug}/lab.json`
  const text = readIfThere(join(shelf.folder, slug, 'lab.json'))
  if (text === undefined)
    return { problems: [`${file}: missing; every lab has one; write it, or start from \`npm run labs:new\``] }
  const { manifest, problems } = parseManifest(text, file)
  if (!manifest) return { problems }
  return { manifest, problems: strangeNames(manifest, shelf, slug).map((problem) => `${file}: ${problem}`) }
}

function strangeNames(manifest: Manifest, shelf: LabShelf, slug: string): string[] {
  const problems: string[] = []
  if (manifest.id !== slug)
    problems.push(`id: expected the folder’s name "${slug}"; got "${manifest.id}"; make them equal`)
  const tracks = shelf.tracks.map((track) => track.id)
  if (!tracks.includes(manifest.track))
    problems.push(
      `track: no track "${manifest.track}" in labs/tracks.json${didYouMean(manifest.track, tracks)}`,
    )
  manifest.requires.forEach((id, i) => {
    const others = shelf.slugs.filter((other) => other !== slug)
    if (!others.includes(id)) problems.push(`requires[${i}]: no other lab "${id}"${didYouMean(id, others)}`)
  })
  for (const [key, ids] of Object.entries(manifest.frameworks)) {
    const framework = shelf.frameworks[key]
    if (!framework) {
      problems.push(
        `frameworks.${key}: no framework "${key}" in labs/frameworks.json${didYouMean(key, Object.keys(shelf.frameworks))}`,
      )
      continue
    }
    ids.forEach((id, i) => {
      const known = Object.keys(framework.ids)
      if (!known.includes(id))
        problems.push(
          `frameworks.${key}[${i}]: no "${id}" in ${framework.name} ${framework.edition} as labs/frameworks.json has it${didYouMean(id, known)}`,
        )
    })
  }
  manifest.assets.forEach((asset, i) => {
    if (!existsSync(join(shelf.staticFolder, asset)))
      problems.push(`assets[${i}]: no folder static/${asset}${didYouMean(asset, assetsOf(shelf))}`)
  })
  return problems
}

const assetsOf = (shelf: LabShelf) =>
  ['data', 'models'].flatMap((kind) => {
    const folder = join(shelf.staticFolder, kind)
    return existsSync(folder) ? readdirSync(folder).map((name) => `${kind}/${name}`) : []
  })

/** Compares every file of the manifest's assets with the SHA256SUMS beside it. */
export function checkAssets(manifest: Manifest, shelf: LabShelf): string[] {
  return manifest.assets.flatMap((asset) => {
    const folder = join(shelf.staticFolder, asset)
    const sums = readIfThere(join(folder, 'SHA256SUMS'))
    if (sums === undefined)
      return [`static/${asset}/SHA256SUMS: missing; every asset is pinned; write it with \`sha256sum\``]
    return sums
      .split('\n')
      .map((line) => /^([0-9a-f]{64})\s+\*?(.+)$/.exec(line.trim()))
      .filter((match) => match !== null)
      .flatMap(([, expected, name]) => {
        const path = join(folder, name!)
        if (!existsSync(path))
          return [`static/${asset}/${name}: missing, yet SHA256SUMS lists it; restore it from the repository`]
        const got = createHash('sha256').update(readFileSync(path)).digest('hex')
        return got === expected
          ? []
          : [
              `static/${asset}/${name}: expected sha256 ${expected!.slice(0, 12)}…; got ${got.slice(0, 12)}…; restore the file, or pin the new one in SHA256SUMS`,
            ]
      })
  })
}

/** Compiles guide.md against its lab. */
export function readGuide(
  shelf: LabShelf,
  slug: string,
  manifest: Pick<Manifest, 'checkpoints'>,
): { guide?: Guide; problems: string[] } {
  const file = `labs/${slug}/guide.md`
  const markdown = readIfThere(join(shelf.folder, slug, 'guide.md'))
  if (markdown === undefined)
    return {
      problems: [`${file}: missing; every lab has a guide; write it, or start from \`npm run labs:new\``],
    }
  const { guide, problems } = compileGuide(markdown, {
    file,
    checkpoints: manifest.checkpoints,
    files: Object.keys(textsIn(join(shelf.folder, slug, 'starter'))),
    widgets: shelf.widgets,
    widgetAttributes: shelf.widgetAttributes,
    attacks: shelf.attacks,
    glossary: shelf.glossary,
  })
  return problems.length > 0 ? { problems } : { guide, problems }
}

/** Reads a whole folder. Never throws for what is in it: that is in `problems`. */
export function readLab(shelf: LabShelf, slug: string): LabFolder {
  const path = join(shelf.folder, slug)
  const lab: LabFolder = { slug, starter: {}, solution: {}, knobs: {}, mistakes: [], problems: [] }
  if (!existsSync(path)) {
    lab.problems.push(`labs/${slug}: no such lab${didYouMean(slug, shelf.slugs)}`)
    return lab
  }
  const { manifest, problems } = readManifest(shelf, slug)
  lab.problems.push(...problems)
  lab.starter = textsIn(join(path, 'starter'))
  lab.solution = textsIn(join(path, 'solution'))
  if (!existsSync(join(path, 'grader.ts')))
    lab.problems.push(
      `labs/${slug}/grader.ts: missing; every lab recomputes its verdicts there; write it with defineLab(…)`,
    )
  if (!manifest) return lab
  lab.manifest = manifest
  const guide = readGuide(shelf, slug, manifest)
  if (guide.guide) lab.guide = guide.guide
  lab.problems.push(...guide.problems)
  lab.problems.push(...readKnobs(lab, path), ...readPrograms(lab, manifest), ...readMistakes(lab, path))
  return lab
}

function readPrograms(lab: LabFolder, manifest: Manifest): string[] {
  const problems: string[] = []
  for (const { id, program, accepts } of manifest.checkpoints) {
    if (program) {
      for (const file of [program.file, program.main]) {
        if (!(file in lab.starter))
          problems.push(
            `labs/${lab.slug}/starter/${file}: missing; checkpoint "${id}" names it; write it${didYouMean(file, Object.keys(lab.starter))}`,
          )
      }
      if (!(program.file in lab.solution))
        problems.push(
          `labs/${lab.slug}/solution/${program.file}: missing; checkpoint "${id}" must be shown to be passable; write it`,
        )
    } else if (!accepts.includes('quiz') && !lab.knobs[id]) {
      problems.push(
        `labs/${lab.slug}/solution/knobs.json: nothing for checkpoint "${id}"; it has no program, so its solution is a run of the knobs; add "${id}": {"method": …, "params": …}`,
      )
    }
  }
  return problems
}

function readKnobs(lab: LabFolder, path: string): string[] {
  const file = `labs/${lab.slug}/solution/knobs.json`
  const text = readIfThere(join(path, 'solution/knobs.json'))
  if (text === undefined) return []
  const raw = parseJson(text)
  if (typeof raw !== 'object' || raw === null)
    return [`${file}: expected an object from checkpoint to {method, params}; got something else; correct it`]
  const ids = lab.manifest!.checkpoints.map((checkpoint) => checkpoint.id)
  return Object.entries(raw).flatMap(([id, run]) => {
    if (!ids.includes(id)) return [`${file}: no checkpoint "${id}"${didYouMean(id, ids)}`]
    if (!isKnobRun(run))
      return [
        `${file}: ${id}: expected {"method": "…", "params": {…}}; got ${JSON.stringify(run)}; correct it`,
      ]
    lab.knobs[id] = run
    return []
  })
}

const isKnobRun = (run: unknown): run is KnobRun =>
  typeof run === 'object' &&
  run !== null &&
  typeof (run as KnobRun).method === 'string' &&
  typeof (run as KnobRun).params === 'object' &&
  (run as KnobRun).params !== null

const isKnobMistake = (raw: unknown): raw is KnobRun & { finding: string; checkpoint: string } => {
  const mistake = raw as { finding?: unknown; checkpoint?: unknown } | undefined
  return isKnobRun(raw) && typeof mistake?.finding === 'string' && typeof mistake.checkpoint === 'string'
}

function readMistakes(lab: LabFolder, path: string): string[] {
  const folder = join(path, 'mistakes')
  if (!existsSync(folder))
    return [
      `labs/${lab.slug}/mistakes: missing; a grader is trusted once a wrong answer has failed; add one mistake at least`,
    ]
  const problems: string[] = []
  const checkpoints = lab.manifest!.checkpoints
  const ids = checkpoints.map((checkpoint) => checkpoint.id)
  for (const name of readdirSync(folder).sort()) {
    const file = `labs/${lab.slug}/mistakes/${name}`
    const text = readFileSync(join(folder, name), 'utf8')
    if (name.endsWith('.ts')) {
      const [first = '', second = ''] = text.split('\n')
      const finding = /^\/\/ finding: (\S+)\s*$/.exec(first)?.[1]
      const checkpoint = /^\/\/ checkpoint: (\S+)\s*$/.exec(second)?.[1]
      if (!finding)
        problems.push(`${file}:1: expected "// finding: <id>"; got "${first}"; say which finding it must get`)
      if (!checkpoint)
        problems.push(
          `${file}:2: expected "// checkpoint: <id>"; got "${second}"; say which checkpoint it is for`,
        )
      if (!finding || !checkpoint) continue
      const spec = checkpoints.find((spec) => spec.id === checkpoint)
      if (!spec) problems.push(`${file}:2: no checkpoint "${checkpoint}"${didYouMean(checkpoint, ids)}`)
      else if (!spec.program)
        problems.push(
          `${file}:2: checkpoint "${checkpoint}" has no program; write the mistake as JSON: {"finding", "checkpoint", "method", "params"}`,
        )
      else lab.mistakes.push({ file, finding, checkpoint, text })
    } else if (name.endsWith('.json')) {
      const raw = parseJson(text)
      if (!isKnobMistake(raw)) {
        problems.push(
          `${file}: expected {"finding", "checkpoint", "method", "params"}; got ${text.trim().slice(0, 60)}; correct it`,
        )
      } else if (!ids.includes(raw.checkpoint))
        problems.push(`${file}: no checkpoint "${raw.checkpoint}"${didYouMean(raw.checkpoint, ids)}`)
      else
        lab.mistakes.push({
          file,
          finding: raw.finding,
          checkpoint: raw.checkpoint,
          knobs: { method: raw.method, params: raw.params },
        })
    } else problems.push(`${file}: expected a .ts or .json file; got ${name}; rename or move it`)
  }
  if (problems.length === 0 && lab.mistakes.length === 0)
    problems.push(
      `labs/${lab.slug}/mistakes: empty; a grader is trusted once a wrong answer has failed; add one mistake at least`,
    )
  return problems
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const readIfThere = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined)

/** Texts of the .ts files of a folder, by name; none when there is no folder. */
function textsIn(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {}
  const names = readdirSync(folder).filter((name) => name.endsWith('.ts'))
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
}
