import type { Artefact } from './artefact.ts'
import type { Attempt, LabRecord } from './evidence.ts'
import type { VerdictStatus } from './verdict.ts'

/** Kept of each checkpoint besides its best attempt, and those that other attempts build on. */
export const keptAttempts = 50

const rank: Record<VerdictStatus, number> = {
  passed: 4,
  undecided: 3,
  failed: 2,
  unavailable: 1,
  rejected: 0,
}

/** The attempt that counts: the best status, then the highest score, then the earliest. */
export function bestAttempt(attempts: readonly Attempt[], checkpoint: string): Attempt | undefined {
  return attempts
    .filter((attempt) => attempt.checkpoint === checkpoint)
    .reduce<Attempt | undefined>(
      (best, attempt) => (best === undefined || better(attempt, best) ? attempt : best),
      undefined,
    )
}

function better(a: Attempt, b: Attempt): boolean {
  const difference =
    rank[a.verdict.status] - rank[b.verdict.status] ||
    (a.verdict.score?.value ?? 0) - (b.verdict.score?.value ?? 0)
  return difference === 0 ? inTime(a, b) < 0 : difference > 0
}

const inTime = (a: Attempt, b: Attempt) => compare(a.time, b.time) || compare(a.id, b.id)
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/**
 * What a new attempt at some checkpoint builds on: the best passed attempt of every checkpoint. Keep `ids`
 * with the attempt (`Attempt.earlier`), so that it can be re-graded against the very same artefacts.
 */
export function passedWork(attempts: readonly Attempt[]): {
  ids: Record<string, string>
  artefacts: Record<string, Artefact>
} {
  const passed = attempts.filter((attempt) => attempt.verdict.status === 'passed')
  const best = [...new Set(passed.map((attempt) => attempt.checkpoint))].map((checkpoint) =>
    bestAttempt(passed, checkpoint)!,
  )
  return {
    ids: Object.fromEntries(best.map((attempt) => [attempt.checkpoint, attempt.id])),
    artefacts: Object.fromEntries(best.map((attempt) => [attempt.checkpoint, attempt.artefact])),
  }
}

/** The artefacts a kept attempt was graded against: those it names, else the best that had passed by then. */
export function earlierOf(attempt: Attempt, attempts: readonly Attempt[]): Record<string, Artefact> {
  const before = passedWork(
    attempts.filter((other) => other.id !== attempt.id && other.time <= attempt.time),
  ).artefacts
  const named = Object.entries(attempt.earlier ?? {}).flatMap(([checkpoint, id]) => {
    const found = attempts.find((other) => other.id === id && other.checkpoint === checkpoint)
    return found ? [[checkpoint, found.artefact] as const] : []
  })
  return { ...before, ...Object.fromEntries(named) }
}

/** Of each checkpoint the best and the last fifty, and whatever these build on; oldest first. */
export function trimAttempts(attempts: readonly Attempt[]): Attempt[] {
  const sorted = [...attempts].sort(inTime)
  const kept = new Set<string>()
  for (const checkpoint of new Set(sorted.map((attempt) => attempt.checkpoint))) {
    const own = sorted.filter((attempt) => attempt.checkpoint === checkpoint)
    for (const attempt of own.slice(-keptAttempts)) kept.add(attempt.id)
    kept.add(bestAttempt(own, checkpoint)!.id)
  }
  // What a kept attempt builds on is kept; once more for what that builds on, until nothing is added.
  for (let size = -1; size !== kept.size;) {
    size = kept.size
    for (const attempt of sorted)
      if (kept.has(attempt.id)) for (const id of Object.values(attempt.earlier ?? {})) kept.add(id)
  }
  return sorted.filter((attempt) => kept.has(attempt.id))
}

/**
 * One record out of two that grew apart, in two tabs or two browsers. Attempts are united by id, each
 * file is the newest, steps and opened hints only ever grow; what can only be one thing (the current
 * step, knobs) is the later record's. The order of the arguments does not matter, and merging twice
 * changes nothing. Throws RangeError for records of two labs.
 */
export function mergeRecords(a: LabRecord, b: LabRecord): LabRecord {
  if (a.lab !== b.lab)
    throw new RangeError(`mergeRecords: both records must be of one lab; got ${a.lab} and ${b.lab}`)
  // By the time of the last change; of one instant, by content, so that every tab agrees.
  const later = <T>(x: T, y: T): T => {
    if (a.updated !== b.updated) return a.updated > b.updated ? x : y
    return compare(JSON.stringify(x), JSON.stringify(y)) >= 0 ? x : y
  }
  return {
    lab: a.lab,
    labVersion: later(a.labVersion, b.labVersion),
    seed: seedOf(a, b),
    updated: Math.max(a.updated, b.updated),
    step: later(a.step, b.step),
    stepsDone: [...new Set([...a.stepsDone, ...b.stepsDone])].sort(),
    files: mergeEntries(a.files, b.files, (x, y) =>
      x.updated === y.updated ? (x.text < y.text ? y : x) : x.updated < y.updated ? y : x,
    ),
    hints: mergeEntries(a.hints, b.hints, Math.max),
    quiz: mergeEntries(a.quiz, b.quiz, later),
    knobs: later(a.knobs, b.knobs),
    attempts: trimAttempts([...mergeById(a.attempts, b.attempts).values()]),
  }
}

function mergeById(a: readonly Attempt[], b: readonly Attempt[]): Map<string, Attempt> {
  return new Map([...a, ...b].map((attempt) => [attempt.id, attempt]))
}

/** Two tabs may each have drawn a seed before they met: the one that was worked with stays. */
function seedOf(a: LabRecord, b: LabRecord): number {
  const used = (record: LabRecord) => record.attempts.filter((attempt) => attempt.seed === record.seed).length
  const difference = used(a) - used(b)
  return difference === 0 ? Math.min(a.seed, b.seed) : difference > 0 ? a.seed : b.seed
}

function mergeEntries<T>(
  a: Record<string, T>,
  b: Record<string, T>,
  choose: (a: T, b: T) => T,
): Record<string, T> {
  const merged = new Map(Object.entries(a))
  for (const [key, value] of Object.entries(b)) {
    const other = merged.get(key)
    merged.set(key, other === undefined ? value : choose(other, value))
  }
  return Object.fromEntries([...merged].sort(([x], [y]) => compare(x, y)))
}
