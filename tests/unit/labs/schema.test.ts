import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { repository } from '../../../src/cli/node-platform.ts'
import { labJsonSchema } from '../../../src/labs/json-schema.ts'
import { parseManifest } from '../../../src/labs/schema.ts'
import { manifestOf } from './sample-lab.ts'

const problemsOf = (changed: unknown) =>
  parseManifest(JSON.stringify(changed), 'labs/sample/lab.json').problems

describe('lab.json', () => {
  test('a right manifest comes back without its $schema', () => {
    const { manifest, problems } = parseManifest(
      JSON.stringify({ $schema: '../lab.schema.json', ...manifestOf() }),
      'x',
    )
    expect(problems).toEqual([])
    expect(manifest).toEqual(manifestOf())
  })

  test('text that is not JSON is refused by file', () => {
    expect(parseManifest('{ "id": ', 'labs/sample/lab.json').problems[0]).toMatch(
      /^labs\/sample\/lab\.json: not JSON: /,
    )
  })

  test.each<[string, (lab: ReturnType<typeof manifestOf>) => unknown, string]>([
    [
      'an unknown key',
      (lab) => ({ ...lab, objectivs: [] }),
      'labs/sample/lab.json: objectivs: unknown key; did you mean "objectives"?',
    ],
    [
      'a missing key',
      (lab) => ({ ...lab, title: undefined }),
      'labs/sample/lab.json: title: missing; expected text in quotes (A sentence that makes one curious); got nothing; add it',
    ],
    [
      'a number in quotes',
      (lab) => ({ ...lab, minutes: '20' }),
      'labs/sample/lab.json: minutes: expected a number; got "20"; correct it',
    ],
    [
      'too many minutes',
      (lab) => ({ ...lab, minutes: 900 }),
      'labs/sample/lab.json: minutes: expected at most 90; got 900; correct it',
    ],
    [
      'a version in words',
      (lab) => ({ ...lab, version: 'one' }),
      'labs/sample/lab.json: version: expected a version like "1.0.0"; got "one"; correct it',
    ],
    [
      'a misspelt level',
      (lab) => ({ ...lab, level: 'introductry' }),
      'labs/sample/lab.json: level: expected one of introductory, intermediate, advanced; got "introductry"; did you mean "introductory"?',
    ],
    [
      'a wrong step deep inside',
      (lab) => ({ ...lab, checkpoints: [{ ...lab.checkpoints[0], step: 'cod' }] }),
      'labs/sample/lab.json: checkpoints[0].step: expected one of story, explore, code, checkpoint, defend, reattack; got "cod"; did you mean "code"?',
    ],
    [
      'no checkpoints',
      (lab) => ({ ...lab, checkpoints: [] }),
      'labs/sample/lab.json: checkpoints: expected at least one entry; got []; correct it',
    ],
    [
      'a list where an object belongs',
      (lab) => ({ ...lab, sandbox: [] }),
      'labs/sample/lab.json: sandbox: expected an object in { }; got []; correct it',
    ],
    [
      'two checkpoints of one name',
      (lab) => ({ ...lab, checkpoints: [lab.checkpoints[0], lab.checkpoints[0]] }),
      'labs/sample/lab.json: checkpoints[1].id: "nudged" is there twice; every checkpoint needs an id of its own',
    ],
    [
      'code without a program',
      (lab) => ({ ...lab, checkpoints: [{ ...lab.checkpoints[0], program: undefined }] }),
      'labs/sample/lab.json: checkpoints[0].program: missing, yet the checkpoint accepts code; name the editable file and its main program, or drop "code"',
    ],
    [
      'the whole file a list',
      () => [],
      'labs/sample/lab.json: (the whole file): expected an object in { }; got []; correct it',
    ],
  ])('%s is named with what, expected, got, next', (_, change, sentence) => {
    expect(problemsOf(change(manifestOf()))).toEqual([sentence])
  })

  test('every problem is told, not only the first', () => {
    expect(problemsOf({ ...manifestOf(), id: 'Not Kebab', minutes: 1, track: 3 })).toHaveLength(3)
  })

  test('labs/lab.schema.json is what the schema makes (npm run labs:check -- --write-schema)', () => {
    const published = readFileSync(join(repository, 'labs/lab.schema.json'), 'utf8')
    expect(JSON.parse(published)).toEqual(JSON.parse(labJsonSchema()))
  })
})
