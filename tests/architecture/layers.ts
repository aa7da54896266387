import { posix } from 'node:path'
import ts from 'typescript'

/**
 * What each layer may import besides itself, in words first. The order is the order of the drawing in
 * src/README.md, top to bottom; an arrow may skip a step and never turn back.
 */
const below = (...layers: string[]) => new Set(layers)
const ml = ['defences', 'attacks', 'models', 'metrics', 'data', 'core']
const layers: Record<string, { may: Set<string>; why: string }> = {
  main: {
    may: below('ui', 'app', 'sandbox', 'engine', 'labs', 'grading', 'lab-api', ...ml),
    why: 'main starts the page and needs nothing of the command line',
  },
  ui: {
    may: below('app', 'sandbox', 'engine', 'labs', 'grading', 'lab-api', ...ml),
    why: 'ui draws; it knows nothing of the command line or the build',
  },
  app: {
    may: below('sandbox', 'engine', 'labs', 'grading', 'lab-api', ...ml),
    why: 'app holds state in plain classes and does not know who draws it',
  },
  cli: {
    may: below('build', 'sandbox', 'engine', 'labs', 'grading', 'lab-api', ...ml),
    why: 'a command has no page: it stands beside ui and app, on what is below both',
  },
  build: { may: below('labs', 'grading', 'lab-api', ...ml), why: 'build makes the app and is no part of it' },
  sandbox: {
    may: below('engine', 'labs', 'grading', 'lab-api', ...ml),
    why: 'sandbox is the host of learner code; pages and commands call it, not the other way round',
  },
  engine: {
    may: below('labs', 'grading', 'lab-api', ...ml),
    why: 'engine answers calls and does not know who makes them',
  },
  labs: { may: below('grading', 'lab-api', ...ml), why: 'labs loads lab folders; the engine runs them' },
  'lab-api': {
    may: below('grading', ...ml),
    why: 'lab-api is the door for lab folders to grading and what is below it',
  },
  grading: { may: below(...ml), why: 'grading recomputes from models and data, wherever it runs' },
  defences: {
    may: below('attacks', 'models', 'metrics', 'data', 'core'),
    why: 'defences stand on attacks, models, metrics, data and core',
  },
  attacks: {
    may: below('models', 'metrics', 'data', 'core'),
    why: 'attacks stand on models, metrics, data and core',
  },
  metrics: { may: below('data', 'core'), why: 'metrics measure arrays; they know no model and no attack' },
  models: { may: below('data', 'core'), why: 'models stand on data and core' },
  data: { may: below('core'), why: 'data stands on core alone' },
  core: { may: below(), why: 'core is the bottom layer' },
}

/** Packages that only one place may open. */
const doors: { name: RegExp; may: RegExp; why: string }[] = [
  { name: /^@tensorflow\//, may: /^src\/core\//, why: 'src/core/tf.ts is the only door to tfjs' },
  { name: /^monaco-editor(\/|$)/, may: /^src\/ui\/editor\//, why: 'only src/ui/editor knows Monaco' },
  { name: /^svelte(\/|$)/, may: /^src\/(ui|app)\/|^src\/main\.ts$/, why: 'only ui and app are drawn' },
  {
    name: /^node:/,
    // run-in-node is the trusted runner that checks labs: the sandbox's text, without a browser.
    may: /^src\/(cli|build)\/|^src\/sandbox\/run-in-node\.ts$/,
    why: 'only cli and build run in Node alone',
  },
  {
    name: /^(vite|vitest|playwright|@playwright\/test|eslint|typescript|sirv)(\/|$)/,
    may: /^src\/(cli|build)\//,
    why: 'tools of the workshop are no part of the app',
  },
]

export interface SourceFile {
  /** From the repository's root, with slashes. */
  path: string
  text: string
}

/** One sentence for each import that turns an arrow round. */
export function forbiddenImports({ path, text }: SourceFile): string[] {
  return importsOf({ path, text }).flatMap((source) => judge(path, source) ?? [])
}

/** Everything a file imports: statically, by type, dynamically, by glob, as a worker; relative ones resolved. */
export function importsOf({ path, text }: SourceFile): string[] {
  const scripts = path.endsWith('.svelte')
    ? [...text.matchAll(/<script\b[^>]*>([\s\S]*?)<\/script>/g)].map(([, script]) => script!)
    : [text]
  const found = scripts.flatMap((script) => [
    ...ts.preProcessFile(script, true, true).importedFiles.map(({ fileName }) => fileName),
    ...globs(script),
    ...[...script.matchAll(/new URL\(\s*["'`](\.[^"'`]+)["'`]\s*,\s*import\.meta\.url/g)].map(
      ([, source]) => source!,
    ),
  ])
  return [...new Set(found)].map((source) =>
    source.startsWith('.') ? posix.join(posix.dirname(path), source) : source,
  )
}

/** Patterns of every `import.meta.glob`; a negative one imports nothing. */
function globs(script: string): string[] {
  return [...script.matchAll(/import\.meta\.glob(?:<[^(]*>)?\(\s*(\[[^\]]*\]|["'`][^"'`]*["'`])/g)]
    .flatMap(([, patterns]) => [...patterns!.matchAll(/["'`]([^"'`]+)["'`]/g)].map(([, pattern]) => pattern!))
    .filter((pattern) => !pattern.startsWith('!'))
}

function judge(from: string, to: string): string | undefined {
  const refuse = (why: string) => `${from} may not import ${to}: ${why}`
  const lab = /^labs\/([^/]+)\//.exec(from)?.[1]
  if (lab) {
    if (to === 'lab' || to.startsWith(`labs/${lab}/`) || to.startsWith('src/lab-api/')) return undefined
    return refuse('a lab folder may import only src/lab-api and its own files')
  }
  const own = layerOf(from)
  if (!own) return undefined
  if (!to.startsWith('src/')) {
    if (to.startsWith('labs/'))
      return own === 'labs' || own === 'build' || own === 'cli'
        ? undefined
        : refuse('lab folders are loaded by src/labs')
    if (to.startsWith('tests/')) return refuse('tests stand outside the house')
    const door = doors.find(({ name }) => name.test(to))
    return door && !door.may.test(from) ? refuse(door.why) : undefined
  }
  const other = layerOf(to)
  if (!other || other === own) return undefined
  const rule = layers[own]
  if (!rule)
    return `${from}: src/${own} is in no layer; add it to the drawing in src/README.md and to tests/architecture/layers.ts`
  return rule.may.has(other) ? undefined : refuse(rule.why)
}

/** `src/core/rng.ts` is in core; `src/main.ts` is the layer main. */
function layerOf(path: string): string | undefined {
  const [top, second, third] = path.split('/')
  if (top !== 'src' || !second) return undefined
  return third === undefined ? second.replace(/\..*$/, '') : second
}
