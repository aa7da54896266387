import { describe, expect, it } from 'vitest'
import { exportEvidence, importEvidence } from '../../../src/app/evidence-file.ts'
import { decodeBundle } from '../../../src/grading/bundle.ts'
import type { LabRecord } from '../../../src/grading/evidence.ts'

const record: LabRecord = {
  lab: 'evasion-fgsm',
  labVersion: '1.0.0',
  seed: 7,
  updated: 1,
  step: 'code',
  stepsDone: ['story'],
  files: { 'fgsm.ts': { text: 'export {}', updated: 1 } },
  hints: {},
  quiz: {},
  knobs: { epsilon: 0.1 },
  attempts: [
    {
      id: 'a',
      checkpoint: 'fooled',
      time: '2026-11-23T00:00:00.000Z',
      source: 'code',
      backend: 'wasm',
      seed: 7,
      artefact: {
        kind: 'adversarial-examples',
        ids: [1],
        shape: [1, 2, 2, 1],
        pixels: Float32Array.of(0, 0.25, 0.5, 1),
      },
      files: {},
      verdict: { status: 'passed', headline: 'done', rows: [] },
      hintsOpened: 0,
    },
  ],
}
const storeOf = (labs: LabRecord[]) => {
  const taken: LabRecord[] = []
  return {
    taken,
    all: async () => labs,
    importRecords: async (records: readonly LabRecord[]) => void taken.push(...records),
  }
}

describe('the evidence file', () => {
  it('goes out and comes back whole', async () => {
    const file = await exportEvidence(storeOf([record]), ' Ada Lovelace ', new Date('2026-11-23T12:00:00Z'))
    expect(file.name).toBe('ada-lovelace-evasion-fgsm-2026-11-23.perturb.json')
    expect([file.labs, file.attempts]).toEqual([1, 1])
    expect(decodeBundle(file.bytes).bundle).toMatchObject({ learner: 'Ada Lovelace', appVersion: '0.1.0' })
    const store = storeOf([])
    expect(await importEvidence(store, file.bytes)).toMatchObject({
      labs: 1,
      attempts: 1,
      learner: 'Ada Lovelace',
      damaged: [],
    })
    expect(store.taken).toEqual([record])
  })

  it('may stay without a name, and a wrong file changes nothing', async () => {
    const file = await exportEvidence(storeOf([]), '', new Date('2026-11-23T12:00:00Z'))
    expect(file.name).toBe('evidence-2026-11-23.perturb.json')
    expect(decodeBundle(file.bytes).bundle).not.toHaveProperty('learner')
    const store = storeOf([])
    await expect(importEvidence(store, new TextEncoder().encode('{"format":"other"}'))).rejects.toThrow(
      /perturb-evidence/,
    )
    expect(store.taken).toEqual([])
  })
})
