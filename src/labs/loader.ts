import frameworksFile from '../../labs/frameworks.json'
import tracksFile from '../../labs/tracks.json'
import { PerturbError } from '../core/errors.ts'
import { didYouMean } from './did-you-mean.ts'
import type { Guide } from './guide.ts'
import type { Manifest } from './manifest.ts'

/** A track of the curriculum; labs name their track, the plan only says what comes. */
export interface Track {
  id: string
  name: string
  summary: string
  plan: { id: string; title: string }[]
}

export interface Framework {
  name: string
  edition: string
  url: string
  /** Id → official short name, or null where only the id is given. */
  ids: Record<string, string | null>
}

export interface Lab {
  manifest: Manifest
  guide: Guide
  /** Text of every file in starter/, by file name. */
  starter: Record<string, string>
  /** Text of every file in solution/, a chunk of its own: fetched only when asked for. */
  solution(): Promise<Record<string, string>>
}

/** In track order. */
export const tracks: readonly Track[] = tracksFile

/** By the key a manifest uses: atlas, owasp-ml, owasp-llm, nist, secai. */
export const frameworks: Readonly<Record<string, Framework>> = frameworksFile

// Validated when they are built (src/build/guide-plugin.ts), so a manifest that is here is right. On the
// command line a wrong one is null: `labs:check` reads the folder itself and reports it.
const manifests = import.meta.glob<Manifest | null>('../../labs/*/lab.json', {
  eager: true,
  import: 'default',
})
const guides = import.meta.glob<Guide>('../../labs/*/guide.md', { import: 'default' })
const starters = import.meta.glob<string>('../../labs/*/starter/*.ts', { query: '?raw', import: 'default' })
const solutions = import.meta.glob<string>('../../labs/*/solution/*.ts', { query: '?raw', import: 'default' })

/** Every lab that exists, in the order of tracks and then of the labs in each. */
export function labList(): Manifest[] {
  const position = new Map(tracks.map((track, i) => [track.id, i]))
  return Object.values(manifests)
    .filter((manifest) => manifest !== null)
    .sort((a, b) => (position.get(a.track) ?? 99) - (position.get(b.track) ?? 99) || a.order - b.order)
}

/** Throws `missing` when there is no lab of that name. */
export async function loadLab(slug: string): Promise<Lab> {
  const manifest = labList().find((lab) => lab.id === slug)
  if (!manifest)
    throw new PerturbError(
      'missing',
      `no lab "${slug}"${didYouMean(
        slug,
        labList().map((lab) => lab.id),
      )}`,
    )
  const guide = guides[`../../labs/${slug}/guide.md`]
  if (!guide) throw new PerturbError('missing', `labs/${slug}/guide.md is missing`)
  const [compiled, starter] = await Promise.all([guide(), textsOf(starters, slug)])
  return { manifest, guide: compiled, starter, solution: () => textsOf(solutions, slug) }
}

/** File name → text, of one lab. */
async function textsOf(
  files: Record<string, () => Promise<string>>,
  slug: string,
): Promise<Record<string, string>> {
  const own = Object.entries(files).filter(([path]) => path.startsWith(`../../labs/${slug}/`))
  return Object.fromEntries(
    await Promise.all(
      own.map(async ([path, load]) => [path.slice(path.lastIndexOf('/') + 1), await load()] as const),
    ),
  )
}
