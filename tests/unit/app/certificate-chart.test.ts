import { describe, expect, test } from 'vitest'
import {
  certifiedCurve,
  readCertificateSetup,
  rulerFor,
  sentenceFor,
} from '../../../src/app/certificate-chart.svelte.ts'

const round = {
  voter: 'as shipped',
  sigma: 0.5,
  n: 200,
  ceiling: 0.913,
  labels: [1, 2, 3, 4],
  certificates: [
    { class: 1, radius: 0.9, votes: 200 },
    { class: 7, radius: 0.8, votes: 198 },
    { class: -1, radius: 0, votes: 90 },
    { class: 4, radius: 0.3, votes: 170 },
  ],
}

describe('the certificate chart', () => {
  test('is a staircase over the radii of the right answers, and ends at nothing', () => {
    expect(certifiedCurve(round, 1)).toEqual([
      [0, 50],
      [0.3, 25],
      [0.9, 0],
      [1, 0],
    ])
  })

  test('in a sentence: what is certified, what is abstained on, and where it ends', () => {
    expect(sentenceFor(round)).toBe(
      'Model as shipped, noise 0.5, 200 votes: 2 of 4 certified, half of them at 0.90 or more; 1 abstained on; ceiling 0.91.',
    )
    expect(sentenceFor({ ...round, labels: [0, 0, 0, 0] })).toContain('0 of 4 certified; 1 abstained')
  })

  test('has a round ruler that holds every ceiling and the longest attack', () => {
    expect(rulerFor([{ ceiling: 0.45 }])).toBe(0.5)
    expect(rulerFor([{ ceiling: 0.45 }, { ceiling: 0.913 }])).toBe(1)
    expect(rulerFor([{ ceiling: 0.913 }], 3)).toBe(3)
  })

  test('reads its directive, with defaults for what is not said', () => {
    expect(readCertificateSetup({})).toMatchObject({ model: 'digits-cnn', sigma: 0.25, n: 200, alpha: 0.001 })
    expect(
      readCertificateSetup({ victim: 'noise-trained', against: 'shipped', attacked: 'true', sigma: '0.5' }),
    ).toMatchObject({ weightsFrom: 'noise-trained', against: true, attack: true, sigma: 0.5 })
    expect(readCertificateSetup({ victim: 'shipped' }).weightsFrom).toBeUndefined()
  })
})
