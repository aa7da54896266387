import { describe, expect, it } from 'vitest'
import { labHref, pageKey, parseRoute } from '../../../src/app/router.svelte.ts'

describe('addresses', () => {
  it('lead to pages', () => {
    expect(parseRoute('')).toEqual({ page: 'home' })
    expect(parseRoute('#/')).toEqual({ page: 'home' })
    expect(parseRoute('#/settings')).toEqual({ page: 'settings' })
    expect(parseRoute('#/doctor')).toEqual({ page: 'doctor' })
    expect(parseRoute('#/licences')).toEqual({ page: 'licences' })
    expect(parseRoute('#/lab/evasion-fgsm')).toEqual({ page: 'lab', slug: 'evasion-fgsm' })
    expect(parseRoute('#/lab/evasion-fgsm?step=code')).toEqual({
      page: 'lab',
      slug: 'evasion-fgsm',
      step: 'code',
    })
  })

  it('that lead nowhere are told, not thrown', () => {
    for (const hash of ['#/nothing', '#/lab', '#/lab/a/b', '#/settings/x', '#/%E0%A4%A', '#map']) {
      expect(parseRoute(hash).page).toBe('unknown')
    }
    expect(parseRoute('#/lab/%E0%A4%A')).toEqual({ page: 'lab', slug: '%E0%A4%A' })
  })

  it('of a lab survive the way there and back', () => {
    for (const [slug, step] of [
      ['evasion-fgsm', 'explore'],
      ['a/b c?d', 'e&f=g'],
      ['é', undefined],
    ] as const) {
      expect(parseRoute(labHref(slug, step))).toEqual(
        step ? { page: 'lab', slug, step } : { page: 'lab', slug },
      )
    }
  })

  it('of two steps of one lab are one page, so focus stays where it is', () => {
    expect(pageKey(parseRoute('#/lab/a?step=code'))).toBe(pageKey(parseRoute('#/lab/a')))
    expect(pageKey(parseRoute('#/lab/a'))).not.toBe(pageKey(parseRoute('#/lab/b')))
    expect(pageKey(parseRoute('#/x'))).not.toBe(pageKey(parseRoute('#/y')))
  })
})
