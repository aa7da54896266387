import type { Attempt, LabRecord } from '../grading/evidence.ts'
import { trimAttempts } from '../grading/records.ts'
import { randomVariantSeed } from '../grading/variants.ts'

/**
 * Pure changes to a learner's record of one lab. A record is never edited in place: the store and the
 * second tab both compare by identity and by `updated`.
 */

export function newRecord(
  lab: string,
  labVersion: string,
  step: string,
  seed = randomVariantSeed(),
): LabRecord {
  return {
    lab,
    labVersion,
    seed,
    updated: Date.now(),
    step,
    stepsDone: [],
    files: {},
    hints: {},
    quiz: {},
    knobs: {},
    attempts: [],
  }
}

/** Random, unique without a secure context (`crypto.randomUUID` is missing on plain http). */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}

export function withAttempt(record: LabRecord, attempt: Attempt): LabRecord {
  return { ...record, attempts: trimAttempts([...record.attempts, attempt]) }
}

export function isPassed(record: LabRecord, checkpoint: string): boolean {
  return record.attempts.some(
    (attempt) => attempt.checkpoint === checkpoint && attempt.verdict.status === 'passed',
  )
}
