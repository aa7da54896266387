import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, type Rollup } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { guides } from '../../src/build/guide-plugin.ts'
import { readLab, readShelf } from '../../src/build/lab-folder.ts'
import { writeNewLab } from '../../src/cli/new-lab.ts'
import { repository } from '../../src/cli/node-platform.ts'

const root = mkdtempSync(join(tmpdir(), 'perturb-page-build-'))
const folder = join(root, 'labs')

beforeAll(() => {
  mkdirSync(folder)
  writeNewLab(readShelf(repository, folder), { slug: 'evasion-draft' })
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Builds an entry as the page does, in memory. */
async function buildEntry(entry: string, mode = 'production') {
  const built = (await build({
    configFile: false,
    root: repository,
    mode,
    logLevel: 'silent',
    plugins: [guides({ root: `${repository}/`, mode })],
    build: { write: false, rolldownOptions: { input: entry, preserveEntrySignatures: 'strict' } },
  })) as Rollup.RollupOutput
  return built.output.filter((part) => part.type === 'chunk')
}

function entryFor(slug: string): string {
  const entry = join(root, `${slug}.js`)
  writeFileSync(
    entry,
    `export { default as guide } from './labs/${slug}/guide.md'\nexport { default as lab } from './labs/${slug}/lab.json'`,
  )
  return entry
}

/** A lab with one file changed. */
function spoil(slug: string, name: string, from: string, to: string) {
  writeNewLab(readShelf(repository, folder), { slug })
  const file = join(folder, slug, name)
  const text = readFileSync(file, 'utf8')
  expect(text).toContain(from)
  writeFileSync(file, text.replace(from, to))
}

describe('the page’s build', () => {
  test('takes a right lab, compiled and validated', async () => {
    const [chunk] = await buildEntry(entryFor('evasion-draft'))
    expect(chunk!.code).toContain('<math ')
    expect(chunk!.code).not.toContain('$schema')
  })

  test('fails for a wrong guide, with file and line', async () => {
    spoil('wrong-guide', 'guide.md', '::checkpoint{#misread}', '::checkpoint{#misred}')
    await expect(buildEntry(entryFor('wrong-guide'))).rejects.toThrow(
      'labs/wrong-guide/guide.md:27: no checkpoint "misred"; did you mean "misread"?',
    )
  })

  test('fails for a wrong manifest, with the field', async () => {
    spoil('wrong-manifest', 'lab.json', '"minutes": 15', '"minutes": 0')
    await expect(buildEntry(entryFor('wrong-manifest'))).rejects.toThrow(
      'labs/wrong-manifest/lab.json: minutes: expected at least 5; got 0; correct it',
    )
  })

  test('of the command line goes on, for labs:check to report', async () => {
    spoil('wrong-both', 'guide.md', '::checkpoint{#misread}', '::checkpoint{#misred}')
    const [chunk] = await buildEntry(entryFor('wrong-both'), 'cli')
    expect(chunk!.code).toMatch(
      /throw (new )?Error\(.labs\/wrong-both\/guide\.md:27: no checkpoint .?"misred/,
    )
  })

  test('carries no mistake, and each solution in a chunk of its own', async () => {
    const chunks = await buildEntry(join(repository, 'src/labs/loader.ts'))
    const shelf = readShelf(repository)
    /** Letters and digits: a bundler writes quotes and line ends in its own way. */
    const text = (code: string) => code.replace(/\\[nrt]/g, '').replace(/[^\p{L}\p{N}]/gu, '')
    for (const slug of shelf.slugs) {
      const { mistakes, solution } = readLab(shelf, slug)
      for (const mistake of mistakes) {
        if ('text' in mistake)
          expect(chunks.filter(({ code }) => text(code).includes(text(mistake.text).slice(0, 80)))).toEqual(
            [],
          )
      }
      for (const [name, source] of Object.entries(solution)) {
        const holders = chunks.filter(({ code }) => text(code).includes(text(source)))
        expect(holders.map((chunk) => [name, chunk.isDynamicEntry])).toEqual([[name, true]])
      }
    }
  })
})
