import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { command } from '../../../src/cli/commands/regrade.ts'
import { readStatic } from '../../../src/cli/node-platform.ts'
import type { Grade } from '../../../src/cli/regrade.ts'
import { createWorkshop } from '../../../src/engine/workshop.ts'
import { encodeBundle, maxBundleBytes } from '../../../src/grading/bundle.ts'
import { gradientOf } from '../../../src/grading/evasion.ts'
import { gradeArtefact, taskOf } from '../../../src/grading/referee.ts'
import { variantSeed } from '../../../src/grading/variants.ts'
import { attempt, bundle, record, verdict } from './helpers.ts'

const key = 'the key of a course'
const seed = variantSeed(key, 'ada', 'evasion-fgsm')
let folder: string
let out: string[]

const write = (name: string, bytes: Uint8Array | string) => {
  writeFileSync(join(folder, name), bytes)
  return join(folder, name)
}
const run = async (...argv: string[]) => {
  out = []
  return command.run(argv)
}
const grades = () => (JSON.parse(out.join('\n')) as { grades: Grade[] }).grades

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'perturb-regrade-'))
  vi.spyOn(console, 'log').mockImplementation((...words: unknown[]) => void out.push(words.join(' ')))
  vi.spyOn(console, 'error').mockImplementation((...words: unknown[]) => void out.push(words.join(' ')))

  // A real step on the shipped model, graded as in the page: what Ada would hand in.
  const workshop = createWorkshop({ role: 'referee', fetchBytes: readStatic, emit: () => {} })
  await workshop.start('wasm')
  const lab = await workshop.lab('evasion-fgsm')
  const task = await taskOf(lab, { checkpoint: 'fooled', seed }, workshop)
  const shape = [task.ids.length, 28, 28, 1]
  const x = (await workshop.dataset('mnist10k')).test.pixels(task.ids)
  const gradient = await gradientOf(await workshop.model('digits-cnn'), x, shape, task.labels)
  const pixels = x.map((pixel, i) => Math.min(1, Math.max(0, pixel + 0.25 * Math.sign(gradient[i]!))))
  const artefact = { kind: 'adversarial-examples' as const, ids: task.ids, shape, pixels }
  const honest = attempt({
    seed,
    artefact,
    verdict: await gradeArtefact(lab, { checkpoint: 'fooled', seed, artefact }, workshop),
  })
  expect(honest.verdict.status).toBe('passed')
  const forged = { ...honest, artefact: { ...artefact, pixels: x }, verdict: honest.verdict }

  const file = (attempts: (typeof honest)[], learner: string, gzip = false) =>
    encodeBundle(bundle([record({ seed, attempts })], learner), { gzip })
  write('ada.perturb.json', file([honest], 'ada'))
  write('bob.perturb.json.gz', file([honest], 'bob', true))
  write('eve.perturb.json', file([forged], 'ada'))
  write('empty.json', '')
  write('cut.json', file([honest], 'ada').subarray(0, 5000))
  truncateSync(write('large.json', ''), maxBundleBytes + 1)
  write('newer.json', '{"format":"perturb-evidence","schema":9}')
  write('failed.json', file([{ ...honest, verdict: verdict('failed', 1) }], 'ada'))
  write('course.txt', JSON.stringify({ format: 'perturb-course', schema: 1, key }))
})
afterAll(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

test('confirms an honest hand-in with the learner’s own variant', async () => {
  expect(await run(join(folder, 'ada.perturb.json'), '--course', join(folder, 'course.txt'), '--json')).toBe(
    0,
  )
  expect(grades().find((grade) => grade.checkpoint === 'fooled')).toMatchObject({
    status: 'confirmed',
    result: 'passed',
    points: 30,
  })
})

test('reads a whole folder and names what is wrong with each file', async () => {
  expect(
    await run(folder, '--course', join(folder, 'course.txt'), '--out', join(folder, 'grades.csv'), '--json'),
  ).toBe(1)
  const of = (name: string) =>
    grades().find(
      (grade) => grade.file.endsWith(name) && (grade.checkpoint === 'fooled' || grade.checkpoint === ''),
    )!
  expect(of('ada.perturb.json')).toMatchObject({ status: 'confirmed' })
  expect(of('bob.perturb.json.gz')).toMatchObject({
    status: 'not confirmed',
    why: expect.stringMatching(/another variant/) as string,
  })
  expect(of('eve.perturb.json')).toMatchObject({
    status: 'not confirmed',
    why: expect.stringMatching(/the file says passed.*recomputed: failed, 0 of 100 digits misread/) as string,
  })
  expect(of('failed.json')).toMatchObject({ status: 'not confirmed', result: 'failed' })
  expect(of('empty.json').why).toMatch(/the file is empty/)
  expect(of('cut.json').why).toMatch(/cut short/)
  expect(of('large.json').why).toMatch(/100 MB at most/)
  expect(of('newer.json').why).toMatch(/newer Perturb/)
  expect(of('ada.perturb.json').notes.join()).toMatch(/same artefact.*bob\.perturb\.json\.gz/)
  expect(readFileSync(join(folder, 'grades.csv'), 'utf8')).toMatch(/^file,learner,lab/)
})

test('prints a table for people', async () => {
  await run(join(folder, 'ada.perturb.json'), join(folder, 'empty.json'))
  expect(out.join('\n')).toMatch(/evasion-fgsm\/fooled\s+confirmed\s+passed/)
  expect(out.at(-1)).toMatch(/2 files: 1 confirmed, 0 not confirmed, 0 claimed, 1 unreadable/)
})

test.each<[string, string[], RegExp]>([
  ['--run-code without evidence', ['/nowhere/at/all', '--run-code'], /there is no file or folder/],
  ['no path', [], /which evidence\?/],
  ['a path that is not there', ['/nowhere/at/all'], /there is no file or folder \/nowhere/],
  ['an unknown option', ['--fast'], /the options are/],
  ['a course that is not there', ['.', '--course', '/nowhere.json'], /there is no file/],
])('refuses %s with exit code 2 and a sentence', async (_, argv, sentence) => {
  expect(await run(...argv)).toBe(2)
  expect(out.join('\n')).toMatch(sentence)
})

test('refuses a course of another shape, and a folder without evidence', async () => {
  expect(await run(folder, '--course', write('wrong.txt', '{}'))).toBe(2)
  expect(out.join()).toMatch(/wrong\.txt: .*expected/)
  const nothing = mkdtempSync(join(tmpdir(), 'perturb-nothing-'))
  expect(await run(nothing)).toBe(2)
  rmSync(nothing, { recursive: true })
})
