import { describe, expect, test } from 'vitest'
import widgets from 'virtual:perturb/widgets'
import { readShelf } from '../../../src/build/lab-folder.ts'
import { repository } from '../../../src/cli/node-platform.ts'
import { didYouMean, nearest } from '../../../src/labs/did-you-mean.ts'
import { loadGrader } from '../../../src/labs/graders.ts'
import { frameworks, labList, loadLab, tracks } from '../../../src/labs/loader.ts'
import { steps } from '../../../src/labs/manifest.ts'

describe('loader', () => {
  test('lists every folder, by track and order', () => {
    const labs = labList()
    expect(labs.map((lab) => lab.id).sort()).toEqual(readShelf(repository).slugs)
    const places = labs.map((lab) => tracks.findIndex((track) => track.id === lab.track) * 1000 + lab.order)
    expect(places).toEqual([...places].sort((a, b) => a - b))
  })

  test('loads a lab whole: steps, starter texts, and solutions when asked', async () => {
    for (const { id, checkpoints } of labList()) {
      const { guide, starter, solution } = await loadLab(id)
      expect(guide.steps.map((step) => step.id)).toEqual(steps)
      const solved = await solution()
      for (const { program } of checkpoints) {
        if (!program) continue
        expect(starter[program.file]).toContain('export')
        expect(starter[program.main]).toContain('submit')
        expect(solved[program.file]).toContain('export')
      }
      expect(Object.keys((await loadGrader(id)).checkpoints)).toEqual(
        checkpoints.map((checkpoint) => checkpoint.id),
      )
    }
  })

  test('refuses a lab that does not exist, by a near name', async () => {
    const [lab] = labList()
    const wrong = lab!.id.slice(0, -1)
    await expect(loadLab(wrong)).rejects.toThrow(`no lab "${wrong}"; did you mean "${lab!.id}"?`)
    await expect(loadGrader('__proto__')).rejects.toThrow('no grader for lab "__proto__"')
  })

  test('every lab of a track is in the plan of its track', () => {
    for (const { id, title, track } of labList()) {
      expect(tracks.find((known) => known.id === track)!.plan).toContainEqual({ id, title })
    }
  })

  test('seven tracks and five frameworks, none empty', () => {
    expect(tracks).toHaveLength(7)
    expect(tracks.filter((track) => track.plan.length === 0)).toEqual([])
    expect(Object.keys(frameworks)).toEqual(['atlas', 'owasp-ml', 'owasp-llm', 'nist', 'secai'])
  })

  test('knows the kinds of widget by their files', () => {
    expect(widgets).toEqual(readShelf(repository).widgets)
    expect(widgets.length).toBeGreaterThan(0)
  })
})

describe('did you mean', () => {
  test.each([
    ['foold', 'fooled'],
    ['rnu', 'run'],
    ['EXPLORE', 'explore'],
    ['evasoin-fgsm', 'evasion-fgsm'],
  ])('%s: %s', (wrong, right) =>
    expect(nearest(wrong, ['run', 'fooled', 'explore', 'evasion-fgsm'])).toBe(right),
  )

  test('names what there is when nothing is near, and no more than twelve', () => {
    expect(didYouMean('xyz', ['one', 'two'])).toBe('; known: one, two')
    expect(didYouMean('xyz', [])).toBe('; there are none')
    expect(
      didYouMean(
        'xyz',
        Array.from({ length: 14 }, (_, i) => `name-${i}`),
      ),
    ).toMatch(/name-11 and 2 more$/)
  })
})
