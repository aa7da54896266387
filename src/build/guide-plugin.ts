import { dirname, join, relative, sep } from 'node:path'
import type { Plugin } from 'vite'
import { readGuide, readManifest, readShelf, widgetKinds } from './lab-folder.ts'
import type { BuildContext } from './plugins.ts'

const widgetsId = 'virtual:perturb/widgets'
/** Labs of this repository, and of a folder called labs/ that a test made elsewhere. */
const labFile = /[\\/]labs[\\/]([^\\/]+)[\\/](guide\.md|lab\.json)$/

/**
 * Labs, at build time: guide.md becomes the JSON of src/labs/guide.ts and lab.json is validated, so that
 * the page carries neither a Markdown parser nor a schema. A wrong lab fails the page's build with file and
 * line. On the command line it does not, for `labs:check` is there to report it: a wrong manifest is null
 * and a wrong guide throws when it is asked for.
 */
export function guides({ root, mode }: BuildContext): Plugin {
  const isCommandLine = mode === 'cli'
  const shared = ['frameworks.json', 'glossary.json', 'tracks.json'].map((name) => join(root, 'labs', name))
  const labOf = (id: string) => {
    const match = labFile.exec(id)
    return match
      ? { slug: match[1]!, file: match[2] as 'guide.md' | 'lab.json', folder: dirname(dirname(id)) }
      : undefined
  }
  return {
    name: 'perturb:guides',
    enforce: 'pre',
    resolveId: (source) => (source === widgetsId ? `\0${widgetsId}` : undefined),
    load(id) {
      if (id === `\0${widgetsId}`) return `export default ${JSON.stringify(widgetKinds(root))}`
      const lab = labOf(id)
      if (lab?.file !== 'guide.md') return
      const shelf = readShelf(root, lab.folder)
      for (const path of [join(dirname(id), 'lab.json'), ...shared]) this.addWatchFile(path)
      const { manifest, problems } = readManifest(shelf, lab.slug)
      const { guide, problems: faults } = manifest ? readGuide(shelf, lab.slug, manifest) : { problems }
      if (guide) return { code: `export default ${JSON.stringify(guide)}`, moduleType: 'js' }
      if (!isCommandLine) this.error(faults.join('\n'))
      return {
        code: `export default undefined\nthrow new Error(${JSON.stringify(faults.join('\n'))})`,
        moduleType: 'js',
      }
    },
    transform(_, id) {
      const lab = labOf(id)
      if (lab?.file !== 'lab.json') return
      for (const path of shared) this.addWatchFile(path)
      const { manifest, problems } = readManifest(readShelf(root, lab.folder), lab.slug)
      if (manifest && problems.length === 0) return { code: JSON.stringify(manifest), map: null }
      if (!isCommandLine) this.error(problems.join('\n'))
      return { code: 'null', map: null }
    },
    configureServer: (server) => void server.watcher.add(join(root, 'labs')),
    /**
     * Hot reload: a change in a lab's folder concerns its guide and manifest, one beside the folders (the
     * glossary) concerns all, and so does a widget that comes or goes.
     */
    hotUpdate({ type, file, modules }) {
      const isWidget = type !== 'update' && file.startsWith(join(root, 'src/ui/widgets/'))
      const inLabs = relative(join(root, 'labs'), file)
      if (!isWidget && inLabs.startsWith('..')) return
      const [slug, ...deeper] = inLabs.split(sep)
      const graph = this.environment.moduleGraph
      const concerned = [...graph.idToModuleMap.values()].filter((module) => {
        if (module.id === `\0${widgetsId}`) return isWidget
        const lab = module.id ? labOf(module.id) : undefined
        return lab !== undefined && (isWidget || deeper.length === 0 || lab.slug === slug)
      })
      return [...new Set([...modules, ...concerned])]
    },
  }
}
