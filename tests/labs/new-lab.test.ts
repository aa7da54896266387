import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readLab, readShelf } from '../../src/build/lab-folder.ts'
import { openLabBench } from '../../src/cli/lab-bench.ts'
import { writeNewLab } from '../../src/cli/new-lab.ts'
import { repository } from '../../src/cli/node-platform.ts'
import type { LabGrader } from '../../src/grading/grader.ts'

const root = mkdtempSync(join(tmpdir(), 'perturb-new-lab-'))
const folder = join(root, 'labs')
const shelf = () => readShelf(repository, folder)
const load = async (slug: string) =>
  ((await import(/* @vite-ignore */ join(folder, slug, 'grader.ts'))) as { default: LabGrader }).default
const file = (slug: string, name: string) => join(folder, slug, name)
let bench: Awaited<ReturnType<typeof openLabBench>>

beforeAll(async () => {
  mkdirSync(folder)
  // A lab imports ../../src/lab-api/grader.ts: the same house, whichever folder it stands in.
  symlinkSync(join(repository, 'src'), join(root, 'src'))
  bench = await openLabBench()
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** A new lab with one file changed. */
function newLab(slug: string, name?: string, change?: (text: string) => string) {
  writeNewLab(shelf(), { slug })
  if (name && change) {
    const before = readFileSync(file(slug, name), 'utf8')
    expect(change(before)).not.toBe(before)
    writeFileSync(file(slug, name), change(before))
  }
}

describe('labs:new', () => {
  test('writes a folder that proves itself as written', async () => {
    writeNewLab(shelf(), { slug: 'evasion-draft', title: 'A "quoted" title', track: 'theft' })
    const proof = await bench.prove('evasion-draft', { seeds: [1, 2, 3] }, shelf(), load)
    expect([
      ...proof.problems,
      ...proof.checks.filter((check) => !check.ok).map((check) => check.detail),
    ]).toEqual([])
    expect(proof.ok).toBe(true)
    const { manifest } = readLab(shelf(), 'evasion-draft')
    expect(manifest).toMatchObject({
      id: 'evasion-draft',
      title: 'A "quoted" title',
      track: 'theft',
      order: 1,
    })
  })

  test('takes the next place in its track', () => {
    newLab('first')
    newLab('second')
    const orderOf = (slug: string) => readLab(shelf(), slug).manifest!.order
    expect(orderOf('second')).toBe(orderOf('first') + 1)
  })

  test('refuses a name that is taken, not kebab-case, or a track that does not exist', () => {
    newLab('taken')
    expect(() => writeNewLab(shelf(), { slug: 'taken' })).toThrow(
      'labs/taken is there already; a new lab needs a name of its own; choose another',
    )
    expect(() => writeNewLab(shelf(), { slug: 'My Lab' })).toThrow(
      'a lab\'s name is kebab-case, e.g. evasion-blur; got "My Lab"; choose another',
    )
    expect(() => writeNewLab(shelf(), { slug: 'lost', track: 'evasoin' })).toThrow(
      'no track "evasoin"; did you mean "evasion"?',
    )
  })
})

describe('solution/knobs.json', () => {
  const byKnobs = async (slug: string, params: object) => {
    newLab(slug)
    writeFileSync(
      file(slug, 'solution/knobs.json'),
      JSON.stringify({ misread: { method: 'attack-images', params } }),
    )
    const { checks } = await bench.prove(slug, { seeds: [1] }, shelf(), load)
    return checks.find((check) => check.name === 'solution by knobs')
  }

  test('proves that turning knobs passes a checkpoint of code too', async () => {
    expect(await byKnobs('by-knobs', { attack: 'fgsm', options: { epsilon: 'task.epsilon' } })).toMatchObject(
      { ok: true },
    )
  })

  test('says so when it does not, or cannot run', async () => {
    const { detail } = (await byKnobs('by-small-knobs', { attack: 'fgsm', options: { epsilon: 0 } }))!
    expect(detail).toBe(
      'labs/by-small-knobs, checkpoint "misread", seed 1: solution/knobs.json must pass; got failed: 0 of 20 digits misread; turn them further',
    )
    const strange = (await byKnobs('by-strange-knobs', {
      attack: 'fgsm',
      options: { epsilon: 'task.epsilom' },
    }))!
    expect(strange.detail).toBe(
      'labs/by-strange-knobs, checkpoint "misread", seed 1: solution/knobs.json must run; got "the task has no "epsilom"; did you mean "epsilon"?"; correct it',
    )
  })
})

describe('a lab that is wrong is not proved, and says why', () => {
  let count = 0
  const failures = async (name: string, change: (text: string) => string) => {
    const slug = `wrong-${++count}`
    newLab(slug, name, change)
    const { ok, problems, checks } = await bench.prove(slug, { seeds: [1] }, shelf(), load)
    expect(ok).toBe(false)
    return [...problems, ...checks.filter((check) => !check.ok).map((check) => check.detail)].map((text) =>
      text.replaceAll(slug, 'SLUG'),
    )
  }

  test('a grader that does not grade a checkpoint', async () => {
    expect(await failures('grader.ts', (text) => text.replace('misread: {', 'misred: {'))).toEqual([
      'labs/SLUG/grader.ts: grades "misred", which lab.json does not have; did you mean "misread"?',
      'labs/SLUG/grader.ts: does not grade "misread" of lab.json; did you mean "misred"?',
    ])
  })

  test('a solution that does not pass', async () => {
    const [failure] = await failures('solution/attack.ts', (text) =>
      text.replace('tf.mul(tf.sign(gradient), epsilon)', 'tf.mul(gradient, 0)'),
    )
    expect(failure).toMatch(
      /^labs\/SLUG, checkpoint "misread", seed 1: the solution must pass; got failed: 0 of 20 digits misread; Digits misread 0 \(needed at-least 50\); .*; correct it, or move the bar and calibrate again$/,
    )
  })

  test('a solution that throws, with its file and line', async () => {
    expect(
      await failures('solution/attack.ts', (text) =>
        text.replace('return tf', 'throw new Error("oops")\n  return tf'),
      ),
    ).toEqual([
      'labs/SLUG, checkpoint "misread", seed 1: the solution must run; got "oops" at attack.ts:5; correct it',
    ])
  })

  test('a starter that falls over instead of saying that it is not written yet', async () => {
    expect(
      await failures('starter/attack.ts', (text) =>
        text.replace('throw new Error(', 'null.x; throw new Error('),
      ),
    ).toEqual([
      `labs/SLUG, checkpoint "misread", seed 1: starter/attack.ts must fail with "not written yet" and the first thing to try; got "Cannot read properties of null (reading 'x')" at attack.ts:12; throw that sentence`,
    ])
  })

  test('a starter that passes', async () => {
    const [failure] = await failures('starter/attack.ts', (text) =>
      text.replace(
        /throw new Error\(.*\)/,
        'return tf.clipByValue(tf.add(x, tf.mul(tf.sign(gradient), epsilon)), 0, 1)',
      ),
    )
    expect(failure).toMatch(
      /^labs\/SLUG, checkpoint "misread", seed 1: starter\/attack.ts must fail; got passed: \d+ of 20 digits misread; leave the work to the learner$/,
    )
  })

  test('a mistake that gets another finding, and one that passes', async () => {
    const [other] = await failures('mistakes/random-sign.ts', (text) =>
      text.replace('no-direction', 'no-clipping'),
    )
    expect(other).toMatch(/must fail with finding "no-clipping"; got failed with finding "no-direction"/)
    const [passing] = await failures('mistakes/random-sign.ts', (text) =>
      text.replace(
        'const noise = tf.sign(tf.randomUniform(x.shape, -1, 1))',
        'const noise = tf.sign((await _victim.lossAndGradient(x, _y)).gradient)',
      ),
    )
    expect(passing).toMatch(
      /^labs\/SLUG\/mistakes\/random-sign\.ts, seed 1: must fail with finding "no-direction"; got passed/,
    )
  })

  test('a grader that leaks a tensor', async () => {
    const found = await failures('grader.ts', (text) =>
      text
        .replace(
          "import guide from './guide.md'",
          "import guide from './guide.md'\nimport { ones } from '../../src/core/tf.ts'",
        )
        .replace('const share =', 'ones([1])\n        const share ='),
    )
    expect(found).toContain(
      'labs/SLUG, checkpoint "misread", seed 1: grading must free what it makes; 1 tensors were left; use tidy, or dispose in finally',
    )
  })

  test('a grader that says something else each time', async () => {
    const found = await failures('grader.ts', (text) =>
      text.replace('headline: `${', 'headline: `${Math.random()} ${'),
    )
    expect(found).toContain(
      'labs/SLUG, checkpoint "misread", seed 1: the same artefact must get the same verdict; the second one differs; draw no fresh randomness in grade()',
    )
  })

  test('a variant that is not drawn from its rng', async () => {
    const found = await failures('grader.ts', (text) =>
      text.replace('sample: rng.uint32()', 'sample: Math.floor(Math.random() * 1e9) + rng.below(2)'),
    )
    expect(
      found.some((text) => /variant\(seed 1\) must be plain JSON and the same each time/.test(text)),
    ).toBe(true)
  })

  test('a task that lies about a label', async () => {
    const found = await failures('grader.ts', (text) =>
      text.replace('...chosen, values', '...chosen, labels: chosen.labels.map(() => 10), values'),
    )
    expect(found[0]).toMatch(
      /^labs\/SLUG, checkpoint "misread", seed 1: image \d+ of mnist10k\/test has the label \d; the task says 10; correct grader\.ts$/,
    )
  })

  test('a variant that changes nothing, so that a copied artefact passes', async () => {
    newLab('copied', 'grader.ts', (text) => text.replace('rng.uint32()', '7 + 0 * rng.below(2)'))
    const { checks } = await bench.prove('copied', { seeds: [1, 2] }, shelf(), load)
    expect(checks.filter((check) => !check.ok).map((check) => check.name)).toEqual([
      'another learner’s artefact',
    ])
  })

  test.each<[string, string, (text: string) => string, RegExp]>([
    [
      'a manifest with a wrong field',
      'lab.json',
      (text) => text.replace('"minutes": 15', '"minutes": "15"'),
      /^labs\/SLUG\/lab\.json: minutes: expected a number; got "15"; correct it$/,
    ],
    [
      'a folder of another name',
      'lab.json',
      (text) => text.replace(/"id": "wrong-\d+"/, '"id": "other"'),
      /^labs\/SLUG\/lab\.json: id: expected the folder’s name "SLUG"; got "other"; make them equal$/,
    ],
    [
      'a framework id that does not exist',
      'lab.json',
      (text) => text.replace('AML.T0043.000', 'AML.T0043.00'),
      /^labs\/SLUG\/lab\.json: frameworks\.atlas\[0\]: no "AML\.T0043\.00" in MITRE ATLAS 5\.6 as labs\/frameworks\.json has it; did you mean "AML\.T0043\.000"\?$/,
    ],
    [
      'an asset that does not exist',
      'lab.json',
      (text) => text.replace('models/digits-cnn', 'models/digit-cnn'),
      /^labs\/SLUG\/lab\.json: assets\[1\]: no folder static\/models\/digit-cnn; did you mean "models\/digits-cnn"\?$/,
    ],
    [
      'a lab to do first that does not exist',
      'lab.json',
      (text) => text.replace('"requires": []', '"requires": ["evasion-drat"]'),
      /^labs\/SLUG\/lab\.json: requires\[0\]: no other lab "evasion-drat"; did you mean "evasion-draft"\?$/,
    ],
    [
      'a program that is not there',
      'lab.json',
      (text) => text.replace('"file": "attack.ts"', '"file": "atack.ts"'),
      /^labs\/SLUG\/starter\/atack\.ts: missing; checkpoint "misread" names it; write it; did you mean "attack\.ts"\?$/,
    ],
    [
      'a guide with an unknown directive',
      'guide.md',
      (text) => text.replace('::run{', '::rnu{'),
      /^labs\/SLUG\/guide\.md:19: no directive "rnu"; did you mean "run"\?$/,
    ],
    [
      'a mistake without a finding',
      'mistakes/random-sign.ts',
      (text) => text.replace('// finding: no-direction\n', ''),
      /^labs\/SLUG\/mistakes\/random-sign\.ts:1: expected "\/\/ finding: <id>"; got "\/\/ checkpoint: misread"; say which finding it must get$/,
    ],
  ])('%s', async (_, name, change, sentence) => {
    expect((await failures(name, change))[0]).toMatch(sentence)
  })

  test('a folder without its files', async () => {
    mkdirSync(join(folder, 'hollow'))
    const { problems } = await bench.prove('hollow', { seeds: [1] }, shelf(), load)
    expect(problems).toEqual([
      'labs/hollow/lab.json: missing; every lab has one; write it, or start from `npm run labs:new`',
      'labs/hollow/grader.ts: missing; every lab recomputes its verdicts there; write it with defineLab(…)',
    ])
    expect((await bench.prove('holow', { seeds: [1] }, shelf(), load)).problems).toEqual([
      'labs/holow: no such lab; did you mean "hollow"?',
    ])
  })
})
