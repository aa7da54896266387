import { describe, expect, test } from 'vitest'
import { firstOfEach, inParts, readSetup, united, victimOf } from '../../../src/app/attack-bench.svelte.ts'
import { knobsProgram } from '../../../src/app/knobs-program.ts'
import { compileProgram } from '../../../src/sandbox/compile.ts'

describe('the attack bench', () => {
  test('reads its directive', () => {
    expect(readSetup({ attack: 'fgsm', victim: 'repaired', steps: '20', checkpoint: 'again' })).toEqual({
      attack: 'fgsm',
      model: 'digits-cnn',
      weightsFrom: 'repaired',
      maxSteps: 20,
      film: 0,
      checkpoints: ['again'],
      start: { steps: 20 },
    })
    expect(readSetup({ victim: 'shipped', epsilon: '0.1', checkpoints: 'a b' })).toMatchObject({
      maxSteps: 1,
      checkpoints: ['a', 'b'],
      start: { epsilon: 0.1 },
    })
    expect(
      readSetup({ place: 'bench', attack: 'pgd', norm: 'l2', stepSize: '0.5', randomStart: 'true' }).start,
    ).toEqual({ norm: 'l2', stepSize: 0.5, randomStart: true })
    expect(readSetup({ victim: 'shipped' })).not.toHaveProperty('weightsFrom')
  })

  test('attacks the victim of its task, with what stands around it', () => {
    const defence = [{ id: 'bit-depth', levels: 4 }]
    expect(victimOf('digits-cnn', undefined, { victim: { model: 'digits-cnn', defence } })).toEqual({
      model: 'digits-cnn',
      defence,
    })
    expect(victimOf('digits-cnn', undefined, { victim: { model: 'digits-cnn' } })).toEqual({
      model: 'digits-cnn',
    })
    expect(victimOf('digits-cnn', [], undefined)).toEqual({ model: 'digits-cnn', weights: [] })
  })

  test('offers one digit of each class before a second of any', () => {
    expect(firstOfEach([4, 4, 7, 4, 1], 4)).toEqual([0, 2, 4, 1])
  })

  test('the band is the range over parts of the sample, rows that cannot count left out', () => {
    expect(inParts(5, [true, true, false, true, true])).toEqual([[0, 4], [1], [3]])
    const part = (share: number) => [{ value: 0.1, share, low: share, high: share }]
    expect(united([part(0.2), part(0.6)])).toEqual([{ value: 0.1, share: 0.4, low: 0.2, high: 0.6 }])
  })
})

describe('the program of the knobs', () => {
  const linf = { epsilon: 0.25, norm: 'linf' }

  test('calls the library attack with every option and hands in', () => {
    expect(knobsProgram({ attack: 'fgsm', options: linf, target: undefined, small: undefined })).toBe(
      [
        "import { attacks, data, submit, victim } from 'lab'",
        '',
        '// The knobs of the Explore step, as a program: the library attack with your settings.',
        'const { ids, x, y } = await data.sample()',
        "const adversarial = await attacks.fgsm(victim, x, y, { epsilon: 0.25, norm: 'linf' })",
        'await submit({ ids, x: adversarial })',
        '',
      ].join('\n'),
    )
  })

  test.each([
    { target: 'task' as const, small: undefined, has: 'targets: y.map(() => task.target)' },
    { target: 3, small: undefined, has: 'targets: y.map(() => 3)' },
    { target: undefined, small: { steps: 10, stepShare: 0.125 }, has: 'for (let i = 0; i < 10; i++)' },
    { target: 'task' as const, small: { steps: 4, stepShare: 0.125 }, has: 'task.target' },
  ])('says $has, and is a program that the sandbox takes', ({ target, small, has }) => {
    for (const options of [linf, { epsilon: 2.5, norm: 'l2' }]) {
      const program = knobsProgram({ attack: 'fgsm', options, target, small })
      expect(program).toContain(has)
      expect(() => compileProgram({ files: { 'explore.ts': program }, main: 'explore.ts' })).not.toThrow()
    }
  })
})
