import fc from 'fast-check'
import type { Artefact } from '../../../src/grading/artefact.ts'
import type { Attempt, EvidenceBundle, LabRecord } from '../../../src/grading/evidence.ts'
import type { Verdict, VerdictStatus } from '../../../src/grading/verdict.ts'

export const verdict = (status: VerdictStatus, score = 0): Verdict => ({
  status,
  headline: `${score} of 100`,
  rows: [],
  score: { value: score, unit: '%' },
})

export const pixels = (fill: number): Artefact => ({
  kind: 'adversarial-examples',
  ids: [1, 2],
  shape: [2, 2, 2, 1],
  pixels: new Float32Array(8).fill(fill),
})

export const attempt = (change: Partial<Attempt> = {}): Attempt => ({
  id: 'a1',
  checkpoint: 'fooled',
  time: '2026-11-22T10:00:00.000Z',
  source: 'code',
  backend: 'wasm',
  seed: 1,
  artefact: pixels(0.5),
  files: { 'fgsm.ts': 'export const x = 1\n' },
  verdict: verdict('failed'),
  hintsOpened: 0,
  ...change,
})

export const record = (change: Partial<LabRecord> = {}): LabRecord => ({
  lab: 'evasion-fgsm',
  labVersion: '1.0.0',
  seed: 1,
  updated: 1000,
  step: 'code',
  stepsDone: ['story'],
  files: {},
  hints: {},
  quiz: {},
  knobs: {},
  attempts: [],
  ...change,
})

export const bundle = (labs: LabRecord[], learner?: string): EvidenceBundle => ({
  format: 'perturb-evidence',
  schema: 1,
  appVersion: '0.1.0',
  exported: '2026-11-22T11:00:00.000Z',
  ...(learner === undefined ? {} : { learner }),
  labs,
})

// Arbitrary records, small enough to shrink well.

const name = fc.stringMatching(/^[a-z]{1,6}$/)
const floats = fc.float32Array({ noNaN: true, maxLength: 20 })
const artefacts: fc.Arbitrary<Artefact> = fc.oneof(
  fc.record({
    kind: fc.constant('adversarial-examples' as const),
    ids: fc.array(fc.nat(2000), { maxLength: 5 }),
    shape: fc.array(fc.nat(30), { maxLength: 4 }),
    pixels: floats,
  }),
  fc.record({
    kind: fc.constant('model-weights' as const),
    model: name,
    tensors: fc.array(fc.record({ name, shape: fc.array(fc.nat(5), { maxLength: 3 }), values: floats }), {
      maxLength: 3,
    }),
  }),
  fc.record({
    kind: fc.constant('scores' as const),
    ids: fc.array(fc.nat(2000), { maxLength: 5 }),
    columns: fc.array(fc.record({ name, values: floats }), { maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant('answer' as const),
    choices: fc.dictionary(name, fc.array(name, { maxLength: 3 }), { noNullPrototype: true }),
  }),
)
const dictionary = <T>(value: fc.Arbitrary<T>) =>
  fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true })
const times = fc.nat(1000).map((s) => new Date(Date.UTC(2026, 10, 22) + s * 1000).toISOString())

/** The id says all about an attempt, as in life: two tabs never hold two attempts of one id. */
export const attempts = fc.nat(30).chain((n) => {
  const at = (arbitrary: fc.Arbitrary<unknown>) => fc.sample(arbitrary, { numRuns: 1, seed: n })[0]
  return fc.constant(
    attempt({
      id: `id${n}`,
      checkpoint: ['fooled', 'repaired'][n % 2]!,
      time: at(times) as string,
      source: n % 3 ? 'code' : 'explore',
      seed: n % 2,
      artefact: at(artefacts) as Artefact,
      verdict: verdict((['passed', 'failed', 'rejected', 'undecided', 'unavailable'] as const)[n % 5]!, n),
      ...(n % 4 ? {} : { earlier: { repaired: `id${(n * 7) % 31}` } }),
    }),
  )
})

export const records: fc.Arbitrary<LabRecord> = fc.record({
  lab: fc.constant('evasion-fgsm'),
  labVersion: fc.constantFrom('1.0.0', '1.1.0'),
  seed: fc.nat(3),
  updated: fc.nat(5),
  step: name,
  stepsDone: fc.uniqueArray(fc.constantFrom('story', 'explore', 'code')).map((steps) => steps.sort()),
  files: dictionary(fc.record({ text: fc.string(), updated: fc.nat(3) })),
  hints: dictionary(fc.nat(3)),
  quiz: dictionary(fc.array(name, { maxLength: 2 })),
  knobs: dictionary(
    fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
      fc.string(),
      fc.boolean(),
    ),
  ),
  attempts: fc.uniqueArray(attempts, { selector: ({ id }) => id, maxLength: 12 }),
})
