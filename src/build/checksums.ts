import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Plugin } from 'vite'
import type { BuildContext } from './plugins.ts'

const id = 'virtual:perturb/checksums'

/**
 * Pins every data and model file to the bytes it was shipped with: the SHA256SUMS files below static/
 * are compiled into the app, so a file that was cut short, swapped or left stale in a cache is refused.
 */
export function checksums({ root }: BuildContext): Plugin {
  const folder = join(root, 'static')
  return {
    name: 'perturb:checksums',
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load(source) {
      if (source !== `\0${id}`) return
      const sums: Record<string, string> = {}
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (entry.name !== 'SHA256SUMS') continue
        const path = join(entry.parentPath, entry.name)
        this.addWatchFile(path)
        for (const line of readFileSync(path, 'utf8').split('\n')) {
          const match = /^([0-9a-f]{64})\s+\*?(.+)$/.exec(line.trim())
          if (match) sums[join(relative(folder, entry.parentPath), match[2]!)] = match[1]!
        }
      }
      return `export default ${JSON.stringify(sums)}`
    },
  }
}
