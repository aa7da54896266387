import { describe, expect, test } from 'vitest'
import { entry as fgsm } from '../../../src/attacks/evasion/fgsm.ts'
import { entry as badnets } from '../../../src/attacks/poisoning/badnets.ts'
import { attackInfo, attacks, attacksOf, collectAttacks, findAttack } from '../../../src/attacks/registry.ts'

describe('attack registry', () => {
  test('finds every attack file by its name', () => {
    expect(attacks.get('fgsm')).toBe(fgsm)
    expect(findAttack('fgsm')).toBe(fgsm)
  })

  test('names the attacks there are when one is unknown', () => {
    expect(() => findAttack('fgms')).toThrow(/no attack "fgms"; the attacks are .*fgsm/)
    expect(() => findAttack('constructor')).toThrow(/no attack/)
  })

  test('looks within a family, evasion unless another is named', () => {
    expect(findAttack('badnets', 'poisoning')).toBe(badnets)
    expect(() => findAttack('badnets')).toThrow(
      /"badnets" is an attack of the family poisoning; expected evasion: .*fgsm/,
    )
    expect([...attacksOf('poisoning').keys()]).toContain('targeted-flip')
    expect([...attacksOf('poisoning').keys()]).not.toContain('fgsm')
  })

  test('what the page gets is plain data', () => {
    expect(structuredClone(attackInfo(fgsm))).toEqual(attackInfo(fgsm))
    expect(attackInfo(fgsm)).not.toHaveProperty('run')
  })

  test.each([
    [
      'an id that is not the file name',
      { './evasion/other.ts': { entry: fgsm } },
      /id must be the file's name, "other"; got "fgsm"/,
    ],
    ['a file without an entry', { './evasion/helper.ts': {} }, /must export its AttackEntry as `entry`/],
    [
      'an attack in the wrong family',
      { './poisoning/fgsm.ts': { entry: fgsm } },
      /family must be the folder's name/,
    ],
    [
      'a default without a knob',
      { './evasion/fgsm.ts': { entry: { ...fgsm, defaults: { ...fgsm.defaults, extra: 1 } } } },
      /"extra" has no parameter/,
    ],
    [
      'a knob without a default',
      { './evasion/fgsm.ts': { entry: { ...fgsm, defaults: {} } } },
      /"epsilon" has no default/,
    ],
    [
      'a second file of the same id',
      { './evasion/fgsm.ts': { entry: fgsm }, './evasion/deep/evasion/fgsm.ts': { entry: fgsm } },
      /"fgsm" is taken/,
    ],
  ])('refuses %s', (_, files, message) => {
    expect(() => collectAttacks(files as Record<string, Record<string, unknown>>)).toThrow(message)
  })

  test.each([...attacks.values()])('$id: each default lies within its knob', ({ defaults, parameters }) => {
    for (const parameter of parameters) {
      const value = defaults[parameter.name]
      if (parameter.kind === 'number') {
        expect(value).toBeGreaterThanOrEqual(parameter.min)
        expect(value).toBeLessThanOrEqual(parameter.max)
      }
      if (parameter.kind === 'choice')
        expect(parameter.choices.map((choice) => choice.value)).toContain(value)
      if (parameter.kind === 'flag') expect(typeof value).toBe('boolean')
    }
  })
})
