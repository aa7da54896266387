import type { Command } from '../command.ts'
import { readOptions } from '../options.ts'
import { runTool } from '../tools.ts'

const folders = ['src', 'labs', 'tests', 'vite.config.ts']
/** Not laid out: what a command writes, what is broken on purpose, other libraries' numbers, guides (a grammar of their own). */
const layout = [
  ...['src', 'labs', 'tests', 'docs', '*.ts', '*.md', 'package.json'],
  ...['tests/fixtures', 'tests/reference/data', 'docs/performance.md', 'labs/*/*.md', '**/*.schema.json'].map(
    (path) => `!${path}`,
  ),
]

export const command: Command = {
  summary: 'ESLint and Prettier',
  help: `
npm run lint [-- --fix]

ESLint (tests/lint/eslint.config.js: no floating promises, tfjs only through src/core/tf.ts, no
Math.random) and Prettier's layout.

  --fix    repair what can be repaired
  --help   this text`,
  async run(argv) {
    const { fix } = readOptions(argv, { fix: { type: 'boolean' } })
    const eslint = await runTool('eslint', [
      '--config',
      'tests/lint/eslint.config.js',
      '--max-warnings=0',
      '--no-error-on-unmatched-pattern',
      ...(fix ? ['--fix'] : []),
      ...folders,
    ])
    console.log(eslint.status === 0 ? 'eslint: no complaints' : 'eslint: see above')
    const prettier = await runTool('prettier', [
      fix ? '--write' : '--check',
      '--log-level',
      'warn',
      '--no-error-on-unmatched-pattern',
      ...layout,
    ])
    console.log(
      prettier.status === 0 ? 'prettier: in order' : 'prettier: `npm run lint -- --fix` repairs the layout',
    )
    return eslint.status === 0 && prettier.status === 0 ? 0 : 1
  },
}
