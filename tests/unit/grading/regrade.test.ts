import { describe, expect, test } from 'vitest'
import {
  csvCell,
  exitCodeOf,
  parseCourse,
  regrade,
  toCsv,
  type Course,
  type Grade,
} from '../../../src/cli/regrade.ts'
import type { Artefact } from '../../../src/grading/artefact.ts'
import { encodeBundle } from '../../../src/grading/bundle.ts'
import type { Attempt, LabRecord } from '../../../src/grading/evidence.ts'
import { packArtefact, unpackArtefact } from '../../../src/grading/packing.ts'
import type { RerunRequest, RerunResult } from '../../../src/grading/rerun.ts'
import { defineLab, type LabGrader } from '../../../src/grading/grader.ts'
import type { RefereeTools } from '../../../src/grading/referee.ts'
import { atLeast, conclude } from '../../../src/grading/rows.ts'
import { variantSeed } from '../../../src/grading/variants.ts'
import type { Verdict } from '../../../src/grading/verdict.ts'
import type { Manifest } from '../../../src/labs/manifest.ts'
import { attempt, bundle, record, verdict } from './helpers.ts'

// A lab without a model's arithmetic: the mean of what is handed in must reach 0.5.
const judge = (values: Float32Array, claimed = false): Verdict => {
  const mean = (100 * values.reduce((a, b) => a + b, 0)) / values.length
  return conclude({
    headline: `mean ${mean}`,
    rows: [
      atLeast(50, { id: 'mean', name: 'Mean', measured: mean, unit: '%', ...(claimed ? { claimed } : {}) }),
    ],
    score: { value: mean, unit: '%' },
  })
}
const grader = defineLab({
  variant: (rng) => rng.below(1000),
  checkpoints: {
    fooled: {
      accepts: 'adversarial-examples',
      // The ids belong to the seed: another learner's artefact does not fit.
      task: (variant) => ({
        victim: { model: 'm' },
        dataset: 'd',
        split: 'test',
        ids: [variant],
        labels: [0],
        values: {},
      }),
      grade: async ({ artefact }) =>
        judge((artefact as Extract<Artefact, { kind: 'adversarial-examples' }>).pixels),
    },
    queries: {
      accepts: 'adversarial-examples',
      task: (variant) => ({
        victim: { model: 'm' },
        dataset: 'd',
        split: 'test',
        ids: [variant],
        labels: [0],
        values: {},
      }),
      grade: async ({ artefact }) =>
        judge((artefact as Extract<Artefact, { kind: 'adversarial-examples' }>).pixels, true),
    },
    fault: {
      accepts: 'answer',
      task: () => Promise.reject(new Error('no device')),
      grade: () => Promise.reject(new Error('no device')),
    },
  },
}) as LabGrader
const tools = { model: async () => ({ inputShape: [2] }) } as unknown as RefereeTools
const manifests = [
  {
    id: 'evasion-fgsm',
    version: '1.0.0',
    checkpoints: ['fooled', 'queries', 'fault'].map((id) => ({ id, points: 10 })),
  },
] as unknown as Manifest[]

const seedFor = (key: string, learner: string) => variantSeed(key, learner, 'evasion-fgsm')
const { createRng } = await import('../../../src/core/rng.ts')
const made = (seed: number, value: number, change: Partial<Attempt> = {}): Attempt =>
  attempt({
    id: `${seed}-${value}-${change.checkpoint ?? 'fooled'}`,
    seed,
    artefact: {
      kind: 'adversarial-examples',
      ids: [createRng(seed, 'variant').below(1000)],
      shape: [1, 2],
      pixels: new Float32Array(2).fill(value),
    },
    verdict: value >= 0.5 ? verdict('passed', 100 * value) : verdict('failed', 100 * value),
    ...change,
  })
const file = (name: string, attempts: Attempt[], learner?: string, change: Partial<LabRecord> = {}) => ({
  name,
  read: async () => encodeBundle(bundle([record({ attempts, ...change })], learner)),
})
const run = (sources: Parameters<typeof regrade>[0], course?: Course) =>
  regrade(sources, { tools, manifests, grader: async () => grader, ...(course ? { course } : {}) })
const at = (grades: Grade[], checkpoint: string, name?: string) =>
  grades.find((grade) => grade.checkpoint === checkpoint && (name === undefined || grade.file === name))!

describe('regrade', () => {
  test('confirms what holds, and says what was not handed in', async () => {
    const grades = await run([file('a', [made(1, 0.75)], 'ada')])
    expect(at(grades, 'fooled')).toMatchObject({
      status: 'confirmed',
      result: 'passed',
      points: 10,
      score: '75 %',
      learner: 'ada',
      seed: 1,
    })
    expect(at(grades, 'fooled').claims).toEqual(['that the program in the file made it'])
    expect(at(grades, 'queries')).toMatchObject({ result: 'nothing handed in', status: '' })
    expect(exitCodeOf(grades)).toBe(0)
  })

  test('names a forged verdict, with the recomputed figures', async () => {
    const grades = await run([file('a', [made(1, 0.25, { verdict: verdict('passed', 99) })])])
    expect(at(grades, 'fooled')).toMatchObject({ status: 'not confirmed', result: 'failed' })
    expect(at(grades, 'fooled').why).toMatch(
      /the file says passed \(99 of 100\); recomputed: failed, mean 25; Mean 25 %, needed at least 50 %/,
    )
    expect(exitCodeOf(grades)).toBe(1)
  })

  test('names a forged score of a real pass', async () => {
    const grades = await run([file('a', [made(1, 0.5, { verdict: verdict('passed', 99) })])])
    expect(at(grades, 'fooled')).toMatchObject({
      status: 'not confirmed',
      why: expect.stringMatching(/says 99 %; recomputed: mean 50/) as string,
    })
  })

  test('one honest pass is enough, whatever was forged beside it', async () => {
    const grades = await run([
      file('a', [made(1, 0.25, { id: 'forged', verdict: verdict('passed', 99) }), made(1, 0.6)]),
    ])
    expect(at(grades, 'fooled')).toMatchObject({
      status: 'confirmed',
      result: 'passed',
      score: '60 %',
      attempts: 2,
    })
  })

  test('a confirmed failure is a failure', async () => {
    expect(at(await run([file('a', [made(1, 0.25)])]), 'fooled')).toMatchObject({
      status: 'confirmed',
      result: 'failed',
    })
  })

  test('another learner’s artefact under a seed of one’s own does not fit', async () => {
    const stolen = { ...made(2, 0.75), seed: 1 }
    const grades = await run([file('a', [stolen])])
    expect(at(grades, 'fooled')).toMatchObject({
      status: 'not confirmed',
      result: 'failed',
      why: expect.stringMatching(/rejected, The ids must be those of your own variant/) as string,
    })
  })

  test('with a course, the variant must be the learner’s own', async () => {
    const course = { key: 'a course key' }
    const own = seedFor(course.key, 'ada')
    const honest = await run([file('a', [made(own, 0.75)], 'ada')], course)
    expect(at(honest, 'fooled')).toMatchObject({ status: 'confirmed', result: 'passed' })
    const copied = await run([file('b', [made(own, 0.75)], 'bob')], course)
    expect(at(copied, 'fooled')).toMatchObject({
      status: 'not confirmed',
      result: 'failed',
      why: expect.stringMatching(/another variant: seed \d+, and bob has \d+/) as string,
    })
    const nameless = await run([file('c', [made(own, 0.75)])], course)
    expect(at(nameless, 'fooled').why).toMatch(/names no learner/)
  })

  test('without a course, equal artefacts are reported as equal, no more', async () => {
    const grades = await run([
      file('a', [made(1, 0.75)], 'ada'),
      file('b', [made(1, 0.75)], 'bob'),
      file('c', [made(1, 0.8)], 'cyd'),
    ])
    expect(at(grades, 'fooled', 'a')).toMatchObject({
      status: 'confirmed',
      notes: ['the same artefact, byte for byte, as in b'],
    })
    expect(at(grades, 'fooled', 'b').notes).toEqual(['the same artefact, byte for byte, as in a'])
    expect(at(grades, 'fooled', 'c').notes).toEqual([])
  })

  test('what an artefact cannot prove is claimed', async () => {
    const queries = await run([file('a', [made(1, 0.75, { checkpoint: 'queries' })])])
    expect(at(queries, 'queries')).toMatchObject({
      status: 'claimed',
      result: 'passed',
      why: expect.stringMatching(/cannot prove mean/) as string,
    })
    const course: Course = { key: 'a course key', require: 'code' }
    const seed = seedFor(course.key, 'ada')
    expect(at(await run([file('a', [made(seed, 0.75)], 'ada')], course), 'fooled')).toMatchObject({
      status: 'claimed',
      result: 'passed',
    })
    expect(
      at(await run([file('a', [made(seed, 0.75, { source: 'explore' })], 'ada')], course), 'fooled'),
    ).toMatchObject({ status: 'not confirmed', result: 'failed' })
    expect(exitCodeOf(queries)).toBe(0)
  })

  describe('with a program that can be run again', () => {
    const again = (value: number, seeds: number[] = []) => ({
      seeds,
      rerun: async ({ seed }: RerunRequest): Promise<RerunResult> => {
        seeds.push(seed)
        const { artefact } = made(seed, value)
        return { artefact: packArtefact(artefact) }
      },
    })
    const confirm = (
      rerun: (request: RerunRequest) => Promise<RerunResult>,
      change: Partial<Attempt> = { checkpoint: 'queries' },
    ) => {
      let fresh = 100
      const deps = { tools, manifests, grader: async () => grader, rerun, freshSeed: () => fresh++ }
      return regrade([file('a', [made(1, 0.75, change)])], deps)
    }

    test('a count is confirmed on a variant that the program was not told, and no longer claimed', async () => {
      const { rerun, seeds } = again(0.8)
      const grade = at(await confirm(rerun), 'queries')
      expect(grade).toMatchObject({ status: 'confirmed', result: 'passed', claims: [] })
      expect(grade.why).toMatch(/run again on a fresh variant \(seed 100\): mean 80/)
      expect(seeds).toEqual([100])
    })

    test('an artefact that its program does not make is not confirmed, after two variants', async () => {
      const { rerun, seeds } = again(0.2)
      const grades = await confirm(rerun)
      expect(at(grades, 'queries')).toMatchObject({
        status: 'not confirmed',
        result: 'failed',
        why: expect.stringMatching(/run again on 2 fresh variants, does not pass: mean 20/) as string,
      })
      expect(seeds).toHaveLength(2)
      expect(exitCodeOf(grades)).toBe(1)
    })

    test('neither is one whose program hands in what belongs to another variant, or nothing', async () => {
      const copied = await confirm(async () => ({ artefact: packArtefact(made(1, 0.9).artefact) }))
      expect(at(copied, 'queries').why).toMatch(/does not pass: The ids must be those of your own variant/)
      const silent = await confirm(async () => ({ problem: 'it threw on line 3' }))
      expect(at(silent, 'queries')).toMatchObject({
        status: 'not confirmed',
        why: expect.stringMatching(/it threw on line 3/) as string,
      })
    })

    test('what we cannot run costs nothing: the claim stays, with a note', async () => {
      const grade = at(await confirm(() => Promise.reject(new Error('no browser'))), 'queries')
      expect(grade).toMatchObject({ status: 'claimed', result: 'passed' })
      expect(grade.notes).toEqual(['its program could not be run again here: no browser'])
    })

    describe('that builds on a copy of the variant’s own victim', () => {
      const variantOf = (seed: number) => createRng(seed, 'variant').below(1000)
      const base = (id: number) => ({
        victim: { model: 'm' },
        dataset: 'd',
        split: 'test' as const,
        ids: [id],
        labels: [0],
        values: {},
      })
      const builder = defineLab({
        variant: (rng) => rng.below(1000),
        checkpoints: {
          copy: {
            accepts: 'model-weights',
            task: async (variant) => ({ ...base(variant), surrogate: [{ name: 'w', shape: [1] }] }),
            grade: async ({ artefact, variant }) => {
              const [tensor] = (artefact as Extract<Artefact, { kind: 'model-weights' }>).tensors
              return judge(Float32Array.of(Number(tensor!.values[0] === variant)))
            },
          },
          built: {
            accepts: 'adversarial-examples',
            async task(variant, trusted) {
              await trusted.modelFrom('copy')
              return base(variant)
            },
            grade: async ({ artefact }) =>
              judge((artefact as Extract<Artefact, { kind: 'adversarial-examples' }>).pixels),
          },
        },
      }) as LabGrader
      const shelf = [
        {
          id: 'evasion-fgsm',
          version: '1.0.0',
          checkpoints: ['copy', 'built'].map((id) => ({ id, points: 1 })),
        },
      ] as unknown as Manifest[]
      const copyOf = (variant: number): Artefact => ({
        kind: 'model-weights',
        model: 'surrogate',
        tensors: [{ name: 'w', shape: [1], values: Float32Array.of(variant) }],
      })
      const attempts = [
        made(1, 1, { checkpoint: 'copy', artefact: copyOf(variantOf(1)), time: '2026-11-22T09:00:00.000Z' }),
        made(1, 0.8, { checkpoint: 'built' }),
      ]
      const confirmWith = async (copyFor: (seed: number) => number) => {
        const asked: RerunRequest[] = []
        let fresh = 100
        const grades = await regrade([file('a', attempts)], {
          tools: {
            model: async () => ({ inputShape: [2] }),
            modelWithWeights: async () => ({ dispose: () => undefined }),
          } as unknown as RefereeTools,
          manifests: shelf,
          grader: async () => builder,
          freshSeed: () => fresh++,
          rerun: async (request) => {
            asked.push(request)
            const artefact =
              request.checkpoint === 'copy' ? copyOf(copyFor(request.seed)) : made(request.seed, 0.9).artefact
            return { artefact: packArtefact(artefact) }
          },
        })
        return { grade: at(grades, 'built'), asked }
      }

      test('the copy is made on the fresh variant first, by its own program', async () => {
        const { grade, asked } = await confirmWith(variantOf)
        expect(grade).toMatchObject({ status: 'confirmed', result: 'passed', notes: [] })
        const [copy, built] = asked.slice(-2)
        expect([copy!.checkpoint, built!.checkpoint]).toEqual(['copy', 'built'])
        expect(built!.seed).toBe(copy!.seed)
        const given = unpackArtefact(built!.earlier.copy!, { bytes: 1e6 })
        expect(given).toEqual(copyOf(variantOf(built!.seed)))
      })

      test('where that does not pass there, it is said in a sentence, and nothing is taken away', async () => {
        const { grade, asked } = await confirmWith(() => 0.5)
        expect(grade).toMatchObject({ status: 'confirmed', result: 'passed' })
        expect(grade.notes).toEqual([
          'its program was not run again, on 2 fresh variants: This checkpoint works on what you hand in for "copy"; what is there has not passed: mean 0.',
        ])
        expect(asked.every(({ checkpoint }) => checkpoint === 'copy')).toBe(true)
      })
    })

    test('the knobs have no program, and a failure is not run', async () => {
      const { rerun, seeds } = again(0.8)
      const knobs = at(await confirm(rerun, { source: 'explore' }), 'fooled')
      expect(knobs.notes.join()).toMatch(/no program of the learner’s/)
      await regrade([file('a', [made(1, 0.25)])], { tools, manifests, grader: async () => grader, rerun })
      expect(seeds).toEqual([])
    })
  })

  test('what we cannot measure is claimed, never refused', async () => {
    const answer: Artefact = { kind: 'answer', choices: {} }
    const grades = await run([file('a', [made(1, 0.75, { checkpoint: 'fault', artefact: answer })])])
    expect(at(grades, 'fault')).toMatchObject({
      status: 'claimed',
      why: 'it could not be measured here: no device',
    })
  })

  test('unreadable files and parts are lines of their own, and stop nothing', async () => {
    const whole = await file('x', [made(1, 0.75)]).read()
    const broken = [
      { name: 'empty', read: async () => new Uint8Array() },
      { name: 'cut', read: async () => whole.subarray(0, whole.length - 30) },
      {
        name: 'newer',
        read: async () => new TextEncoder().encode('{"format":"perturb-evidence","schema":2}'),
      },
      { name: 'gone', read: () => Promise.reject(new Error('permission denied')) },
      file('other lab', [], undefined, { lab: 'unknown-lab' }),
      file('other checkpoint', [made(1, 0.75, { checkpoint: 'toString' })]),
      file('good', [made(1, 0.75)]),
    ]
    const grades = await run(broken)
    const whyOf = (name: string) =>
      grades.filter((grade) => grade.file === name && grade.status === 'unreadable').map((grade) => grade.why)
    expect(whyOf('empty')[0]).toMatch(/empty/)
    expect(whyOf('cut')[0]).toMatch(/cut short/)
    expect(whyOf('newer')[0]).toMatch(/newer Perturb/)
    expect(whyOf('gone')[0]).toMatch(/permission denied/)
    expect(whyOf('other lab')[0]).toMatch(/no lab "unknown-lab"/)
    expect(whyOf('other checkpoint')[0]).toMatch(/no checkpoint "toString"/)
    expect(at(grades, 'fooled', 'good').status).toBe('confirmed')
    expect(exitCodeOf(grades)).toBe(1)
  })

  test('an unreadable attempt is noted beside the others', async () => {
    const bytes = await file('a', [
      made(1, 0.75, { id: 'good' }),
      made(1, 0.6, { id: 'bad', time: '2026-11-22T12:00:00.000Z' }),
    ]).read()
    const document = JSON.parse(new TextDecoder().decode(bytes)) as {
      labs: { attempts: { artefact: { pixels: { data: string } } }[] }[]
    }
    document.labs[0]!.attempts[1]!.artefact.pixels.data = '!!!!'
    const grades = await run([
      { name: 'a', read: async () => new TextEncoder().encode(JSON.stringify(document)) },
    ])
    expect(at(grades, 'fooled')).toMatchObject({
      status: 'confirmed',
      attempts: 1,
      notes: [expect.stringMatching(/attempt bad is unreadable/) as string],
    })
  })

  test('another version of the lab is graded and noted', async () => {
    const grades = await run([file('a', [made(1, 0.75)], 'ada', { labVersion: '0.9.0' })])
    expect(at(grades, 'fooled')).toMatchObject({
      status: 'confirmed',
      notes: ['made with version 0.9.0 of the lab, graded by 1.0.0'],
    })
  })

  test('never runs what is in a file', async () => {
    const files = { 'fgsm.ts': 'globalThis.ran = true; export const fgsm = 1' }
    await run([file('a', [made(1, 0.75, { files })])])
    expect((globalThis as { ran?: boolean }).ran).toBeUndefined()
  })
})

describe('the table', () => {
  test.each([
    ['=HYPERLINK("http://x")', `"'=HYPERLINK(""http://x"")"`],
    ['+1', "'+1"],
    ['-1+1', "'-1+1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['  =1', "'  =1"],
    ['\t=1', "'\t=1"],
    ['\r=1', `"'\r=1"`],
    ['＝1', "'＝1"],
    ['ada, "the countess"', '"ada, ""the countess"""'],
    ['two\nlines', '"two\nlines"'],
    ['ada', 'ada'],
  ])('%j cannot be a formula', (value, cell) => expect(csvCell(value)).toBe(cell))

  test('numbers stay numbers', () => expect(csvCell(-3)).toBe('-3'))

  test('has a line for each checkpoint, and points only for what stands', async () => {
    const csv = toCsv(
      await run([
        file(
          'a',
          [made(1, 0.75), made(1, 0.1, { checkpoint: 'queries', verdict: verdict('passed', 90) })],
          '=cmd()',
        ),
      ]),
    )
    const lines = csv.trimEnd().split('\r\n')
    expect(lines[0]).toMatch(/^file,learner,lab,/)
    expect(lines).toHaveLength(4)
    expect(lines[1]).toMatch(/^a,'=cmd\(\),evasion-fgsm,1.0.0,fooled,passed,confirmed,10,10,/)
    expect(lines[2]).toMatch(/queries,failed,not confirmed,0,10,/)
  })
})

describe('course.json', () => {
  test('is checked', () => {
    expect(parseCourse('{"format":"perturb-course","schema":1,"key":"long enough"}', 'c.json')).toMatchObject(
      { key: 'long enough' },
    )
    expect(() => parseCourse('{', 'c.json')).toThrow(/c\.json: a course is JSON/)
    expect(() => parseCourse('{"format":"perturb-course","schema":1}', 'c.json')).toThrow(
      /c\.json: key: expected/,
    )
    expect(() => parseCourse('{"format":"perturb-course","schema":1,"key":"short"}', 'c.json')).toThrow(/key/)
    expect(() =>
      parseCourse('{"format":"perturb-course","schema":1,"key":"long enough","requires":"code"}', 'c.json'),
    ).toThrow(/requires/)
  })
})
