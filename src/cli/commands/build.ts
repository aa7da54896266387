import { buildApp, dist } from '../app.ts'
import type { Command } from '../command.ts'
import { readOptions } from '../options.ts'
import { measureBundles } from '../bundle-sizes.ts'

export const command: Command = {
  summary: 'Build the app into dist/ and say how large it is',
  help: `
npm run build [-- --json]

Writes dist/, a folder that any static web server can serve from any path, and prints what a visitor
loads: the shell, a lab before its editor, and the editor, gzipped.

  --json   the sizes as JSON
  --help   this text`,
  async run(argv) {
    const { json } = readOptions(argv, { json: { type: 'boolean' } })
    await buildApp()
    const sizes = measureBundles(dist)
    if (json) {
      console.log(JSON.stringify(sizes, null, 2))
      return 0
    }
    console.log('dist/ is built. Loaded, gzipped:')
    for (const { name, bytes, files, note } of sizes) {
      console.log(
        `  ${name.padEnd(26)} ${(bytes / 1000).toFixed(0).padStart(6)} kB  ${String(files).padStart(3)} files  ${note}`,
      )
    }
    return 0
  },
}
