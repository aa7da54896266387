import * as v from 'valibot'
import type { Artefact } from '../grading/artefact.ts'
import { artefactDigest, packArtefact, unpackArtefact } from '../grading/packing.ts'
import type { RerunRequest, RerunResult } from '../grading/rerun.ts'
import { decodeBundle, type Damage } from '../grading/bundle.ts'
import type { Attempt, LabRecord, RegradeStatus } from '../grading/evidence.ts'
import type { LabGrader } from '../grading/grader.ts'
import { EarlierNeeded, gradeArtefact, taskOf, type RefereeTools } from '../grading/referee.ts'
import { bestAttempt, earlierOf } from '../grading/records.ts'
import { randomVariantSeed, variantSeed } from '../grading/variants.ts'
import type { Verdict } from '../grading/verdict.ts'
import type { Manifest } from '../labs/manifest.ts'

/** course.json: what the instructor keeps. */
export interface Course {
  key: string
  name?: string
  /** A pass counts only when it came from code; whether it did is claimed, not proved. */
  require?: 'code'
}

const courseSchema = v.strictObject({
  format: v.literal('perturb-course'),
  schema: v.literal(1),
  key: v.pipe(v.string(), v.minLength(8)),
  name: v.optional(v.string()),
  require: v.optional(v.literal('code')),
})

/** Throws a sentence for anything that is not a course. */
export function parseCourse(text: string, file: string): Course {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    throw new Error(`${file}: a course is JSON; this is not (${(error as Error).message})`, { cause: error })
  }
  const course = v.safeParse(courseSchema, document)
  if (course.success) return course.output
  const [issue] = course.issues
  throw new Error(
    `${file}: ${v.getDotPath(issue) ?? 'the file'}: expected ${issue.expected}, got ${issue.received}. A course looks like {"format":"perturb-course","schema":1,"key":"at least 8 letters"}`,
  )
}

/** One line of the result: one checkpoint of one file, or a file that cannot be read. */
export interface Grade {
  file: string
  learner: string
  lab: string
  labVersion: string
  checkpoint: string
  /** `passed` and `failed` are recomputed here, never copied from the file. */
  result: 'passed' | 'failed' | 'nothing handed in' | ''
  status: RegradeStatus | ''
  why: string
  /** The recomputed score, and the points the lab gives for a pass. */
  score: string
  points: number
  attempts: number
  source: string
  hintsOpened: number
  time: string
  seed: number | ''
  /** What this artefact alone cannot prove. */
  claims: string[]
  notes: string[]
}

export interface RegradeSource {
  name: string
  /** Reads the file; may throw with a sentence. */
  read(): Promise<Uint8Array>
}

export interface RegradeDeps {
  tools: RefereeTools
  manifests: readonly Manifest[]
  grader(lab: string): Promise<LabGrader>
  course?: Course
  /**
   * Runs a program of the evidence again where it can do no harm, on a fresh variant. Without it nothing is executed. It
   * throws when *we* could not run it.
   */
  rerun?(request: RerunRequest): Promise<RerunResult>
  /** Where fresh variants come from. */
  freshSeed?(): number
  onProgress?(line: string): void
}

/** A fresh variant may be unlucky for a program that is right; two are not. */
const freshVariants = 2

/** Claimed and recomputed scores of one artefact may differ by an image or two between processors, not by more. */
const scoreTolerance = 2

/**
 * Recomputes every verdict of every file. Learner code is data here: it is never compiled, let alone run, unless `rerun` is
 * given, which runs it elsewhere.
 * Resolves with one line a checkpoint; a file or part that cannot be read is a line too.
 */
export async function regrade(sources: readonly RegradeSource[], deps: RegradeDeps): Promise<Grade[]> {
  const grades: Grade[] = []
  /** Artefact digest → where it was handed in. */
  const seen = new Map<string, { file: string; grade: Grade }[]>()
  for (const source of sources) {
    deps.onProgress?.(source.name)
    let decoded
    try {
      decoded = decodeBundle(await source.read())
    } catch (error) {
      grades.push({
        ...blank,
        file: source.name,
        status: 'unreadable',
        why: error instanceof Error ? error.message : String(error),
        claims: [],
        notes: [],
      })
      continue
    }
    const { bundle, damaged } = decoded
    for (const record of bundle.labs) {
      for (const { grade, digests } of await regradeLab(source.name, bundle.learner, record, damaged, deps)) {
        grades.push(grade)
        for (const digest of digests) {
          const key = `${grade.lab}/${grade.checkpoint}/${digest}`
          const others = seen.get(key)
          if (others) others.push({ file: source.name, grade })
          else seen.set(key, [{ file: source.name, grade }])
        }
      }
    }
    const unnamed = damaged.filter((damage) => !bundle.labs.some((record) => record.lab === damage.lab))
    for (const damage of unnamed) {
      grades.push({
        ...blank,
        file: source.name,
        learner: bundle.learner ?? '',
        lab: damage.lab ?? '',
        status: 'unreadable',
        why: damage.reason,
        claims: [],
        notes: [],
      })
    }
    if (bundle.labs.length === 0 && damaged.length === 0) {
      grades.push({
        ...blank,
        file: source.name,
        learner: bundle.learner ?? '',
        result: 'nothing handed in',
        claims: [],
        notes: [],
      })
    }
  }
  for (const places of seen.values()) {
    for (const { file, grade } of places) {
      const others = [...new Set(places.map((place) => place.file))].filter((other) => other !== file)
      if (others.length > 0) grade.notes.push(`the same artefact, byte for byte, as in ${others.join(', ')}`)
    }
  }
  return grades
}

const blank: Omit<Grade, 'claims' | 'notes'> = {
  file: '',
  learner: '',
  lab: '',
  labVersion: '',
  checkpoint: '',
  result: '',
  status: '',
  why: '',
  score: '',
  points: 0,
  attempts: 0,
  source: '',
  hintsOpened: 0,
  time: '',
  seed: '',
}

interface Regraded {
  attempt: Attempt
  verdict: Verdict
}

async function regradeLab(
  file: string,
  learner: string | undefined,
  record: LabRecord,
  damaged: readonly Damage[],
  deps: RegradeDeps,
): Promise<{ grade: Grade; digests: string[] }[]> {
  const manifest = deps.manifests.find(({ id }) => id === record.lab)
  const base = { ...blank, file, learner: learner ?? '', lab: record.lab, labVersion: record.labVersion }
  if (!manifest) {
    const why = `there is no lab "${record.lab}" here; this Perturb has ${deps.manifests.map(({ id }) => id).join(', ')}`
    return [{ grade: { ...base, status: 'unreadable', why, claims: [], notes: [] }, digests: [] }]
  }
  const grader = await deps.grader(record.lab)
  const lines: { grade: Grade; digests: string[] }[] = []
  for (const { id, points } of manifest.checkpoints) {
    const attempts = record.attempts.filter((attempt) => attempt.checkpoint === id)
    const broken = damaged.filter((damage) => damage.lab === record.lab && damage.checkpoint === id)
    const notes = [
      ...(record.labVersion === manifest.version
        ? []
        : [`made with version ${record.labVersion} of the lab, graded by ${manifest.version}`]),
      ...broken.map(
        (damage) => `attempt ${damage.attempt ?? 'without an id'} is unreadable: ${damage.reason}`,
      ),
    ]
    const line = { ...base, checkpoint: id, points, attempts: attempts.length, notes }
    if (attempts.length === 0) {
      lines.push({
        grade:
          broken.length > 0
            ? { ...line, status: 'unreadable', why: broken[0]!.reason, claims: [] }
            : { ...line, result: 'nothing handed in', claims: [] },
        digests: [],
      })
      continue
    }
    const regraded: Regraded[] = []
    for (const attempt of attempts) {
      deps.onProgress?.(`${file}: ${record.lab}/${id}, attempt ${regraded.length + 1} of ${attempts.length}`)
      const { checkpoint, seed, artefact, ledger } = attempt
      const earlier = earlierOf(attempt, record.attempts)
      regraded.push({
        attempt,
        verdict: await gradeArtefact(
          grader,
          { checkpoint, seed, artefact, ...(ledger ? { ledger } : {}), earlier },
          deps.tools,
        ),
      })
    }
    const { best, ...judged } = judge(regraded, id, learner, record.lab, deps.course)
    const again: Again = judged.result === 'passed' ? await runAgain(best, judged, record, grader, deps) : {}
    lines.push({
      grade: { ...line, ...judged, ...again, notes: [...notes, ...(again.notes ?? [])] },
      digests: digestsOf(attempts),
    })
  }
  const strange = new Set(
    record.attempts
      .map(({ checkpoint }) => checkpoint)
      .filter((id) => !manifest.checkpoints.some((known) => known.id === id)),
  )
  for (const id of strange) {
    lines.push({
      grade: {
        ...base,
        checkpoint: id,
        status: 'unreadable',
        why: `${record.lab} has no checkpoint "${id}"`,
        claims: [],
        notes: [],
      },
      digests: [],
    })
  }
  return lines
}

/** Equal answers to a quiz are what one hopes for; equal pictures or weights are not. */
const digestsOf = (attempts: readonly Attempt[]) => [
  ...new Set(
    attempts
      .filter(({ artefact, verdict }) => artefact.kind !== 'answer' && verdict.status === 'passed')
      .map(({ artefact }) => artefactDigest(artefact)),
  ),
]

type Judgement = Pick<
  Grade,
  'result' | 'status' | 'why' | 'score' | 'source' | 'hintsOpened' | 'time' | 'seed' | 'claims'
>

/** The checkpoint's line: a pass that stands, else the best claim and why it does not. */
function judge(
  regraded: readonly Regraded[],
  checkpoint: string,
  learner: string | undefined,
  lab: string,
  course: Course | undefined,
): Judgement & { best: Attempt } {
  const opinions = regraded.map((one) => ({ ...one, ...opinionOf(one, learner, lab, course) }))
  const standing = (['confirmed', 'claimed'] as const)
    .map((status) =>
      opinions.filter((opinion) => opinion.status === status && opinion.verdict.status === 'passed'),
    )
    .find((passes) => passes.length > 0)
  const claimedBest = bestAttempt(
    regraded.map(({ attempt }) => attempt),
    checkpoint,
  )!
  const best = standing
    ? standing.find(
        ({ attempt }) =>
          attempt.id ===
          bestAttempt(
            standing.map((pass) => pass.attempt),
            checkpoint,
          )!.id,
      )!
    : opinions.find(({ attempt }) => attempt.id === claimedBest.id)!
  const { attempt, verdict, status, why, claims } = best
  return {
    best: attempt,
    result: status !== 'not confirmed' && verdict.status === 'passed' ? 'passed' : 'failed',
    status,
    why,
    score: verdict.score
      ? `${Number(verdict.score.value.toFixed(2))}${verdict.score.unit && ` ${verdict.score.unit}`}`
      : '',
    source: attempt.source,
    hintsOpened: attempt.hintsOpened,
    time: attempt.time,
    seed: attempt.seed,
    claims,
  }
}

type Again = Partial<Judgement> & { notes?: string[] }

/**
 * Runs the program of a pass again on fresh variants that it is not told, with a ledger of its own. When it passes there
 * too, what the artefact alone could not prove is confirmed; when it does not, nothing is.
 */
async function runAgain(
  attempt: Attempt,
  { why, claims }: Judgement,
  record: LabRecord,
  grader: LabGrader,
  { rerun, freshSeed = randomVariantSeed, tools, onProgress }: RegradeDeps,
): Promise<Again> {
  const { lab } = record
  const { checkpoint, artefact } = attempt
  if (!rerun || artefact.kind === 'answer') return {}
  if (attempt.source !== 'code')
    return { notes: ['it came from the knobs: there is no program of the learner’s to run again'] }
  const passed = record.attempts.filter((one) => one.source === 'code' && one.verdict.status === 'passed')
  const edited = Object.fromEntries(Object.entries(record.files).map(([name, { text }]) => [name, text]))
  const run = (one: Attempt, seed: number, earlier: Record<string, Artefact>) => {
    onProgress?.(`${lab}/${one.checkpoint}: running its program on a fresh variant`)
    const models = Object.entries(earlier).filter(([, { kind }]) => kind === 'model-weights')
    return rerun({
      lab,
      checkpoint: one.checkpoint,
      seed,
      programSeed: freshSeed(),
      // What the program imports is as it was when it passed its own checkpoint, not as it was left.
      files: Object.assign({}, edited, ...passed.map((other) => other.files), one.files) as typeof edited,
      ran: Object.keys(one.files),
      earlier: Object.fromEntries(models.map(([id, model]) => [id, packArtefact(model)])),
    })
  }
  /**
   * What the checkpoint builds on: as it was handed in where that holds on the fresh variant too, else made there by its
   * own program. A copy of one victim is no copy of another.
   */
  const groundFor = async (one: Attempt, seed: number): Promise<Record<string, Artefact>> => {
    const earlier = earlierOf(one, record.attempts)
    const made = new Set<string>()
    for (;;) {
      try {
        await taskOf(grader, { checkpoint: one.checkpoint, seed, earlier }, tools)
        return earlier
      } catch (error) {
        if (!(error instanceof EarlierNeeded) || made.has(error.checkpoint)) throw error
        const source = bestAttempt(passed, error.checkpoint)
        if (!source) throw error
        const { artefact: packed, problem } = await run(source, seed, await groundFor(source, seed))
        if (!packed) throw new EarlierNeeded(error.checkpoint, problem ?? 'its program handed nothing in')
        earlier[error.checkpoint] = unpackArtefact(packed, { bytes: rerunBytes })
        made.add(error.checkpoint)
      }
    }
  }
  const failures: string[] = []
  let noGround: string | undefined
  for (let turn = 0; turn < freshVariants; turn++) {
    const seed = freshSeed()
    let result: RerunResult
    let earlier: Record<string, Artefact>
    try {
      earlier = await groundFor(attempt, seed)
      result = await run(attempt, seed, earlier)
    } catch (error) {
      if (error instanceof EarlierNeeded) {
        noGround = error.message
        continue
      }
      return { notes: [`its program could not be run again here: ${messageOf(error)}`] }
    }
    const { problem, artefact: packed, ledger } = result
    if (!packed) {
      failures.push(problem ?? 'it handed nothing in')
      continue
    }
    const request = { checkpoint, seed, artefact: unpackArtefact(packed, { bytes: rerunBytes }), earlier }
    const verdict = await gradeArtefact(grader, ledger ? { ...request, ledger } : request, tools)
    if (verdict.status === 'unavailable')
      return { notes: [`its program was run again, and could not be measured: ${wordsOf(verdict)}`] }
    if (verdict.status === 'passed') {
      const told = `run again on a fresh variant (seed ${seed}): ${wordsOf(verdict)}`
      return { status: 'confirmed', why: `${why}; ${told}`, claims: [] }
    }
    failures.push(wordsOf(verdict))
  }
  if (failures.length === 0)
    return { notes: [`its program was not run again, on ${freshVariants} fresh variants: ${noGround}`] }
  return {
    result: 'failed',
    status: 'not confirmed',
    why: `${why}; but its program, run again on ${freshVariants} fresh variants, does not pass: ${failures.join(' / ')}`,
    claims,
  }
}

const rerunBytes = 100_000_000
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

function opinionOf(
  { attempt, verdict }: Regraded,
  learner: string | undefined,
  lab: string,
  course: Course | undefined,
): { status: RegradeStatus; why: string; claims: string[] } {
  const ledgerRows = verdict.rows.filter((row) => row.claimed)
  const claims = [
    ...(attempt.source === 'code' ? ['that the program in the file made it'] : []),
    ...ledgerRows.map((row) => `${row.name}: ${row.measured}`),
    ...(attempt.ledger
      ? [`${Object.values(attempt.ledger.rows).reduce((a, b) => a + b, 0)} rows asked of the model`]
      : []),
  ]
  const not = (why: string) => ({ status: 'not confirmed' as const, why, claims })
  if (course) {
    if (learner === undefined)
      return not('the file names no learner, so it cannot be told whose variant this is')
    const expected = variantSeed(course.key, learner, lab)
    if (attempt.seed !== expected) {
      return not(
        `it was made for another variant: seed ${attempt.seed}, and ${learner} has ${expected} in this course`,
      )
    }
  }
  const found = wordsOf(verdict)
  const claimed = attempt.verdict
  if (verdict.status === 'unavailable')
    return {
      status: 'claimed',
      why: `it could not be measured here: ${verdict.finding?.cause ?? verdict.headline}`,
      claims,
    }
  if (verdict.status !== claimed.status)
    return not(
      `the file says ${claimed.status} (${claimed.headline}); recomputed: ${verdict.status}, ${found}`,
    )
  if (
    claimed.score &&
    verdict.score &&
    Math.abs(claimed.score.value - verdict.score.value) > scoreTolerance
  ) {
    return not(`the file says ${claimed.score.value} ${claimed.score.unit}; recomputed: ${found}`)
  }
  if (verdict.status === 'passed' && ledgerRows.length > 0)
    return {
      status: 'claimed',
      why: `${found}; the artefact cannot prove ${ledgerRows.map((row) => row.name.toLowerCase()).join(', ')}`,
      claims,
    }
  if (verdict.status === 'passed' && course?.require === 'code' && attempt.artefact.kind !== 'answer') {
    if (attempt.source !== 'code')
      return not(`${found}, but it came from the knobs and this course asks for code`)
    return { status: 'claimed', why: `${found}; that the program made it is claimed, not proved`, claims }
  }
  return { status: 'confirmed', why: found, claims }
}

/** The recomputed figures in words: rows that failed first, since they are the reason. */
function wordsOf(verdict: Verdict): string {
  const failed = verdict.rows.filter((row) => !row.satisfied)
  const rows = failed.map((row) => {
    const unit = row.unit ? ` ${row.unit}` : ''
    return `${row.name} ${row.measured.toFixed(row.precision)}${unit}, needed ${row.needed.relation === 'at-least' ? 'at least' : 'at most'} ${row.needed.value}${unit}`
  })
  return [verdict.headline, ...rows].join('; ')
}

const columns: [string, (grade: Grade) => string | number][] = [
  ['file', (grade) => grade.file],
  ['learner', (grade) => grade.learner],
  ['lab', (grade) => grade.lab],
  ['lab version', (grade) => grade.labVersion],
  ['checkpoint', (grade) => grade.checkpoint],
  ['result', (grade) => grade.result],
  ['status', (grade) => grade.status],
  ['points', (grade) => (grade.result === 'passed' ? grade.points : 0)],
  ['of', (grade) => grade.points],
  ['score', (grade) => grade.score],
  ['attempts', (grade) => grade.attempts],
  ['source', (grade) => grade.source],
  ['hints opened', (grade) => grade.hintsOpened],
  ['time', (grade) => grade.time],
  ['seed', (grade) => grade.seed],
  ['why', (grade) => grade.why],
  ['claimed only', (grade) => grade.claims.join('; ')],
  ['notes', (grade) => grade.notes.join('; ')],
]

/** RFC 4180. A cell that a spreadsheet would run as a formula gets an apostrophe, so that it is text. */
export function toCsv(grades: readonly Grade[]): string {
  const lines = [
    columns.map(([name]) => name),
    ...grades.map((grade) => columns.map(([, read]) => read(grade))),
  ]
  return lines.map((cells) => cells.map(csvCell).join(',')).join('\r\n') + '\r\n'
}

export function csvCell(value: string | number): string {
  if (typeof value === 'number') return String(value)
  const safe = /^\s*[=+\-@＝＋－＠]/.test(value) || /^\p{Cc}/u.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** 0 when everything could be read and every claim stands; 1 when something was not confirmed or unreadable. */
export function exitCodeOf(grades: readonly Grade[]): 0 | 1 {
  return grades.some(({ status }) => status === 'not confirmed' || status === 'unreadable') ? 1 : 0
}
