import { join } from 'node:path'
import type { Plugin } from 'vite'
import type { BuildContext } from './plugins.ts'

const whole = /(^|\/)internal\/common\/workers\.js$/

/**
 * Monaco 0.57 reaches its worker factory through a module that imports every feature of the editor. Loaded
 * late, as its TypeScript mode is, those features register after the editor's services have started, and
 * the next editor throws. The factory alone takes its place.
 */
export function monacoWorkers({ root }: BuildContext): Plugin {
  return {
    name: 'perturb:monaco-workers',
    enforce: 'pre',
    resolveId(source, importer) {
      if (whole.test(source) && importer?.includes('monaco-editor'))
        return join(root, 'src/ui/editor/monaco-workers.ts')
    },
  }
}
