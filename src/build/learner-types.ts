import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Plugin } from 'vite'
import type { BuildContext } from './plugins.ts'

const id = 'virtual:perturb/learner-types'

/** The little that a program finds besides `lab` and the language itself. */
const surroundings = `
/** Prints to the console pane. Tensors show their shape and first numbers. */
declare const console: {
  log(...values: unknown[]): void
  warn(...values: unknown[]): void
  error(...values: unknown[]): void
}
declare function setTimeout(callback: () => void, milliseconds?: number): number
declare function clearTimeout(timer: number): void
declare const performance: { now(): number }
`

/** Makes `declare module 'lab' { … }` for the editor out of src/lab-api/learner.ts, doc comments included. */
export function learnerTypes({ root }: BuildContext): Plugin {
  const file = join(root, 'src/lab-api/learner.ts')
  return {
    name: 'perturb:learner-types',
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    async load(source) {
      if (source !== `\0${id}`) return
      this.addWatchFile(file)
      return `export default ${JSON.stringify(await ambientModule(await readFile(file, 'utf8')))}`
    },
  }
}

/** Throws when the file imports anything: the editor would not find it. */
export async function ambientModule(source: string): Promise<string> {
  const { default: ts } = await import('typescript')
  const { outputText, diagnostics } = ts.transpileDeclaration(source, {
    fileName: 'learner.ts',
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, removeComments: false },
  })
  const problem = diagnostics?.[0]
  if (problem)
    throw new Error(`src/lab-api/learner.ts: ${ts.flattenDiagnosticMessageText(problem.messageText, ' ')}`)
  if (/^\s*import\s/m.test(outputText)) {
    throw new Error(
      'src/lab-api/learner.ts: must be self-contained, since the editor sees nothing else; it imports a file',
    )
  }
  const body = outputText.replace(/^export declare /gm, 'export ').replace(/^declare /gm, '')
  return `declare module 'lab' {\n${body}}\n${surroundings}`
}
