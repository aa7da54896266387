import { mkdirSync } from 'node:fs'
import { relative } from 'node:path'
import { readShelf } from '../../build/lab-folder.ts'
import type { Command } from '../command.ts'
import { writeNewLab } from '../new-lab.ts'
import { repository } from '../node-platform.ts'
import { readOptions } from '../options.ts'

export const command: Command = {
  summary: 'Write the folder of a new lab, which passes labs:check as written',
  help: `
npm run labs:new SLUG [-- --title TITLE --track TRACK]

Writes labs/SLUG with a manifest, a guide, a starter, a solution, a mistake and a grader: a small lab that
works. Change one thing at a time and keep \`npm run labs:check -- --lab SLUG\` green.

  SLUG            kebab-case, by custom track-topic, e.g. evasion-blur
  --title TITLE   title of the lab
  --track TRACK   a track of labs/tracks.json (default evasion)
  --root DIR      write to DIR instead of labs/`,
  async run(argv) {
    const { title, track, root, rest } = readOptions(
      argv,
      {
        title: { type: 'string' },
        track: { type: 'string' },
        root: { type: 'string' },
      },
      { words: true },
    )
    const [slug, ...more] = rest
    if (slug === undefined || more.length > 0)
      throw new Error(
        `expected one name, e.g. \`npm run labs:new evasion-blur\`; got ${rest.length ? rest.join(' ') : 'none'}`,
      )
    if (root !== undefined) mkdirSync(root, { recursive: true })
    const shelf = readShelf(repository, root)
    for (const file of writeNewLab(shelf, { slug, title, track }))
      console.log(`wrote ${relative(process.cwd(), file)}`)
    console.log(
      `\nNext: npm run labs:check -- --lab ${slug}, then npm run dev and open #/lab/${slug}; docs/authoring.md tells the rest.`,
    )
    return 0
  },
}
