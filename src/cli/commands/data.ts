import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Command } from '../command.ts'
import { generators } from '../data/generators.ts'
import { setFiles } from '../data/write.ts'
import { repository } from '../node-platform.ts'
import { readOptions } from '../options.ts'

export const command: Command = {
  summary: 'Write a simulated data set again from its seed',
  help: `
npm run data NAME [-- --seed N --out DIR --json]

Simulates the set and writes its data, header.json, card.md and SHA256SUMS. The same seed gives the same bytes. Sets: ${Object.keys(generators).join(', ')}.

  --seed N     where its draws begin (that of the shipped set by default)
  --out DIR    where to write (static/data/NAME by default)
  --json       the result as JSON
  --help       this text`,
  async run(argv) {
    const options = readOptions(
      argv,
      {
        seed: { type: 'string' },
        out: { type: 'string' },
        json: { type: 'boolean' },
      },
      { words: true },
    )
    const [name = '', ...more] = options.rest
    const generator = Object.hasOwn(generators, name) ? generators[name] : undefined
    if (!generator || more.length > 0)
      throw new Error(
        `which data set? One of ${Object.keys(generators).join(', ')}; got "${options.rest.join(' ')}"`,
      )
    const seed = options.seed === undefined ? generator.seed : Number(options.seed)
    if (!(Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff))
      throw new Error(`--seed must be a whole number from 0 to 4294967295; got "${options.seed}"`)
    const out = options.out ?? join(repository, 'static/data', name)

    const set = generator.simulate(seed)
    const kept = (generator.kept ?? []).map(
      async (file) => [file, await readFile(join(repository, 'static/data', name, file))] as const,
    )
    const files = setFiles(set, Object.fromEntries(await Promise.all(kept)))
    await mkdir(out, { recursive: true })
    for (const [file, content] of Object.entries(files)) await writeFile(join(out, file), content)
    const bytes = Object.values(files).reduce((sum, content) => sum + content.length, 0)
    const result = { set: name, seed, ...set.figures, bytes, out: relative(process.cwd(), out) || '.' }
    console.log(
      options.json
        ? JSON.stringify(result, null, 2)
        : `${name}: ${set.summary}, seed ${seed}, ${Math.round(bytes / 1000)} kB; written to ${result.out}`,
    )
    return 0
  },
}
