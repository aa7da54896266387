/**
 * From the learner's TypeScript files to one text that the sandbox's worker (or, for the house's own
 * solutions, Node) evaluates. Types are stripped by sucrase, never checked: the editor shows type
 * problems, a run does not wait for them. Every line keeps its number, so an error can be told to the
 * learner by file and line. Only what the main file leads to is compiled: a mistake in the file of another
 * checkpoint is no reason not to run this one.
 */
import { getFormattedTokens, transform } from 'sucrase'
import { ProgramProblem, type CompiledProgram, type Program } from './program.ts'

export const maxFileCharacters = 200_000
export const maxFiles = 20

/** Throws `ProgramProblem` for a syntax error, an unknown import, or a file too large. */
export function compileProgram({ files, main }: Program): CompiledProgram {
  const names = Object.keys(files)
  if (names.length > maxFiles) {
    throw new ProgramProblem({ message: `a program may have at most ${maxFiles} files; got ${names.length}` })
  }
  if (!Object.hasOwn(files, main)) {
    throw new ProgramProblem({
      message: `there is no file "${main}" to run; the files are ${names.join(', ') || 'none'}`,
    })
  }
  const sources = new Map<string, string>()
  const codes = new Map<string, string>()
  const imports = new Map<string, string[]>()
  const read = (name: string) => {
    if (sources.has(name)) return
    const source = (files[name] ?? '').replace(/\r\n?|[\u2028\u2029]/g, '\n')
    sources.set(name, source)
    checkSize(name, source)
    checkComments(name, source)
    const code = strip(name, source)
    codes.set(name, code)
    const imported = importedFiles(name, source, names)
    imports.set(name, imported)
    checkComments(name, code)
    imported.forEach(read)
  }
  read(main)
  const parts: string[] = []
  const map: { file: string; firstLine: number; source: string[]; compiled: string[] }[] = []
  let line = 2
  for (const [name, code] of codes) {
    const compiled = code.split('\n')
    const opening = `${JSON.stringify(name)}: async function (require, exports, console, Math) {`
    map.push({
      file: name,
      firstLine: line,
      source: sources.get(name)!.split('\n'),
      compiled: [opening + compiled[0], ...compiled.slice(1)],
    })
    // A newline before the brace: the file may end in a line comment.
    parts.push(`${opening}${code}\n},`)
    line += compiled.length + 1
  }
  const order = evaluationOrder(main, imports)
  const text = `{ "main": ${JSON.stringify(main)}, "order": ${JSON.stringify(order)}, "modules": {\n${parts.join('\n')}\n} }`
  return { text, map }
}

function checkSize(file: string, source: string): void {
  if (source.length <= maxFileCharacters) return
  throw new ProgramProblem({
    file,
    line: 1,
    message: `a file may hold at most ${maxFileCharacters.toLocaleString('en')} characters; got ${source.length.toLocaleString('en')}. Load data with data.sample() instead of pasting it`,
  })
}

/**
 * Classic scripts still take `<!--`, and `-->` at the start of a line, for comments; TypeScript and sucrase
 * do not. Where the two read a text differently, its braces could close what we opened.
 */
function checkComments(file: string, source: string): void {
  const found = /<!--|(?:^|\*\/)[\s]*-->/m.exec(source)
  if (!found) return
  const before = source.slice(0, found.index + found[0].length).split('\n')
  throw new ProgramProblem({
    file,
    line: before.length,
    message: 'this would be read as an HTML comment: put a space into "<!--" or "-->"',
  })
}

function strip(file: string, source: string): string {
  try {
    return transform(source, {
      transforms: ['typescript', 'imports'],
      disableESTransforms: true,
      preserveDynamicImport: true,
      filePath: file,
    }).code
  } catch (error) {
    throw syntaxProblem(file, error)
  }
}

function syntaxProblem(file: string, error: unknown): ProgramProblem {
  const said = error instanceof Error ? error.message : String(error)
  const where = /\((\d+):(\d+)\)\s*$/.exec(said)
  const message = said.replace(/^Error transforming [^:]*: /, '').replace(/\s*\(\d+:\d+\)\s*$/, '')
  return new ProgramProblem({
    file,
    message: `this is not valid TypeScript: ${message.charAt(0).toLowerCase()}${message.slice(1)}`,
    ...(where ? { line: Number(where[1]), column: Number(where[2]) } : { line: 1 }),
  })
}

interface Token {
  line: number
  column: number
  /** Punctuation and keywords as themselves; else `name`, `string`, `num`, … */
  label: string
  text: string
}

/** Sucrase's own tokens, so that a word in a string or a comment is never taken for an import. */
function tokensOf(source: string): Token[] {
  const lines = source.split('\n')
  return getFormattedTokens(source, { transforms: ['typescript'] })
    .split('\n')
    .flatMap((row) => {
      const found = /^(\d+):(\d+)-(\d+):(\d+)\s+(\S+)/.exec(row)
      if (!found) return []
      const [line, column, lastLine, end] = found.slice(1, 5).map(Number) as [number, number, number, number]
      const text = line === lastLine ? lines[line - 1]!.slice(column - 1, end - 1) : ''
      return [{ line, column, label: found[5]!, text }]
    })
}

/** The file's own imports, resolved; refuses everything that is neither `lab` nor a file of the program. */
function importedFiles(file: string, source: string, names: readonly string[]): string[] {
  const tokens = tokensOf(source)
  const found: string[] = []
  const refuse = ({ line, column }: Token, message: string) =>
    new ProgramProblem({ file, line, column, message })
  const resolve = (token: Token) => {
    const specifier = token.text.slice(1, -1)
    if (specifier === 'lab') return
    const target = resolveFile(specifier, names)
    if (target) return void found.push(target)
    const others = names.filter((name) => name !== file).map((name) => `'./${name.replace(/\.ts$/, '')}'`)
    const own = others.length ? ` and its own files (${others.join(', ')})` : ''
    throw refuse(
      token,
      `cannot import '${specifier}': a program here may import from 'lab'${own}, and nothing else`,
    )
  }
  const ends = new Set([';', '=', '(', 'import', 'export', 'eof'])
  tokens.forEach((token, i) => {
    const next = tokens[i + 1]
    if (token.text === 'import' && tokens[i - 1]?.label !== '.') {
      if (next?.label === '(') {
        throw refuse(
          token,
          "import() is not available here; write import { … } from 'lab' at the top of the file",
        )
      }
      if (next?.label === '.') throw refuse(token, 'import.meta is not available here')
      if (next?.label === 'string') return resolve(next)
    }
    if (token.label !== 'import' && token.label !== 'export') return
    for (let j = i + 1; j < tokens.length && !ends.has(tokens[j]!.label); j++) {
      const after = tokens[j + 1]
      if (tokens[j]!.text === 'from' && after?.label === 'string') return resolve(after)
    }
  })
  return found
}

/** './fgsm', './fgsm.ts' and './fgsm.js' all mean fgsm.ts. */
export function resolveFile(specifier: string, names: readonly string[]): string | undefined {
  if (!specifier.startsWith('./')) return undefined
  const bare = specifier.slice(2)
  return [bare, `${bare}.ts`, bare.replace(/\.js$/, '.ts')].find((name) => names.includes(name))
}

/** Files in the order in which they must be evaluated: what is imported comes first; a cycle is entered once. */
function evaluationOrder(main: string, imports: ReadonlyMap<string, readonly string[]>): string[] {
  const order: string[] = []
  const seen = new Set<string>()
  const visit = (name: string) => {
    if (seen.has(name)) return
    seen.add(name)
    for (const imported of imports.get(name) ?? []) visit(imported)
    order.push(name)
  }
  visit(main)
  return order
}
