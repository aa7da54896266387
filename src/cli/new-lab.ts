import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readManifest, type LabShelf } from '../build/lab-folder.ts'
import { didYouMean } from '../labs/did-you-mean.ts'

/** The files of a new lab, as they lie in lab-template/ (`.txt`, so that nobody compiles them there). */
const template = import.meta.glob<string>('./lab-template/**/*.txt', {
  query: '?raw',
  import: 'default',
  eager: true,
})

export interface NewLab {
  slug: string
  title?: string
  track?: string
}

/**
 * Writes a complete lab, small but real: it passes `labs:check` as written. Returns the paths it wrote.
 * Throws, with nothing written, for a name that is taken or not kebab-case, or an unknown track.
 */
export function writeNewLab(
  shelf: LabShelf,
  { slug, title = 'A lab without a title', track = 'evasion' }: NewLab,
): string[] {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(slug))
    throw new Error(`a lab's name is kebab-case, e.g. evasion-blur; got "${slug}"; choose another`)
  const folder = join(shelf.folder, slug)
  if (existsSync(folder))
    throw new Error(`labs/${slug} is there already; a new lab needs a name of its own; choose another`)
  const tracks = shelf.tracks.map((known) => known.id)
  if (!tracks.includes(track)) throw new Error(`no track "${track}"${didYouMean(track, tracks)}`)
  const taken = shelf.slugs
    .map((other) => readManifest(shelf, other).manifest)
    .filter((manifest) => manifest?.track === track)
  const values: Record<string, string> = {
    __SLUG__: slug,
    // Inside a JSON string.
    __TITLE__: JSON.stringify(title).slice(1, -1),
    __TRACK__: track,
    __ORDER__: String(1 + Math.max(0, ...taken.map((manifest) => manifest!.order))),
  }
  return Object.entries(template).map(([path, text]) => {
    const file = join(folder, path.replace('./lab-template/', '').replace(/\.txt$/, ''))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(
      file,
      text.replace(/__[A-Z]+__/g, (name) => values[name] ?? name),
    )
    return file
  })
}
