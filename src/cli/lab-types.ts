import { existsSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'
import { repository } from './node-platform.ts'

/** What TypeScript finds in a lab's programs, as `npm run check` would: "labs/x/starter/fgsm.ts:3: …". */
export function typeProblems(slug: string, root = repository): string[] {
  const folder = join(root, 'labs', slug)
  const files = ['starter', 'solution', 'mistakes'].flatMap((name) => {
    const path = join(folder, name)
    if (!existsSync(path)) return []
    return readdirSync(path)
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(path, file))
  })
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path))
  // The programs alone: they know no Node, no Vite and no Svelte, and the sandbox has none.
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root)
  const program = ts.createProgram(files, { ...options, types: [] })
  return files.flatMap((file) => {
    const source = program.getSourceFile(file)!
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ start = 0, messageText }) => {
        const line = source.getLineAndCharacterOfPosition(start).line + 1
        return `${relative(root, file)}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
      },
    )
  })
}
