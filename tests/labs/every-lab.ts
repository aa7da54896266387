import { afterEach, describe, expect, test, vi } from 'vitest'
import { readShelf } from '../../src/build/lab-folder.ts'
import { command } from '../../src/cli/commands/labs-check.ts'
import { repository } from '../../src/cli/node-platform.ts'
import type { Proof } from '../../src/labs/proof.ts'

/** Through the command itself: one seed in `npm test`, ten in `npm run test:deep`, as many as a calibration has. */
const seeds = Array.from({ length: process.env.PERTURB_DEEP ? 10 : 1 }, (_, i) => i + 1)

/** A part of the labs a test file, so that two cores share them: every `parts`-th from number `part`. */
export function provesLabs(part: number, parts: number): void {
  const slugs = readShelf(repository).slugs.filter((_, i) => i % parts === part)
  afterEach(() => vi.restoreAllMocks())

  describe(`every lab proves itself, ${part + 1} of ${parts}`, () => {
    test('there is a lab', () => expect(slugs).not.toEqual([]))

    test.each(slugs)('%s', { timeout: 40 * 60_000 }, async (slug) => {
      const printed: string[] = []
      vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line))
      const code = await command.run(['--lab', slug, '--seeds', `${seeds.length}`, '--json', '--no-types'])
      expect(printed).toHaveLength(1)
      const said = JSON.parse(printed[0]!) as { ok: boolean; seeds: number[]; labs: Proof[] }
      const [proof] = said.labs
      expect([
        ...proof!.problems,
        ...proof!.checks.filter(({ ok }) => !ok).map(({ detail }) => detail),
      ]).toEqual([])
      expect(said).toMatchObject({ ok: true, seeds, labs: [{ lab: slug, ok: true }] })
      expect(new Set(proof!.checks.map(({ seed }) => seed))).toEqual(new Set(seeds))
      expect(code).toBe(0)
    })
  })
}
