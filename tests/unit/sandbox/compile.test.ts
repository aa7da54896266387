import { describe, expect, it } from 'vitest'
import { compileProgram, maxFileCharacters } from '../../../src/sandbox/compile.ts'
import { mapStack, ProgramProblem } from '../../../src/sandbox/program.ts'
import { runModules, type ModuleTable } from '../../../src/sandbox/runtime/modules.ts'

const evaluate = (text: string) => (0, eval)(`(${text})`) as ModuleTable
const run = async (files: Record<string, string>, main = 'main.ts', lab: Record<string, unknown> = {}) => {
  const said: unknown[] = []
  const { text } = compileProgram({ files, main })
  await runModules(evaluate(text), lab, {
    console: { log: (...values: unknown[]) => said.push(...values) },
    math: Math,
  })
  return said
}
const problem = (files: Record<string, string>, main = 'main.ts') => {
  try {
    compileProgram({ files, main })
  } catch (error) {
    if (error instanceof ProgramProblem) return error.problem
    throw error
  }
  throw new Error('expected a problem, got none')
}

describe('compileProgram', () => {
  it('does not look at files that the program does not lead to', async () => {
    const files = { 'main.ts': "console.log('ran')\n", 'another.ts': 'export function ( {\n' }
    expect(await run(files)).toEqual(['ran'])
    expect(problem(files, 'another.ts')).toMatchObject({ file: 'another.ts' })
  })

  it('strips types, follows imports between files and gives them the lab module', async () => {
    const said = await run(
      {
        'main.ts':
          "import { double } from './double'\nimport * as lab from 'lab'\nconst n: number = lab.three as number\nconsole.log(double(n))\n",
        'double.ts':
          "import { two, type Unused } from 'lab'\nexport const double = (n: number): number => n * (two as number)\n",
      },
      'main.ts',
      { two: 2, three: 3 },
    )
    expect(said).toEqual([6])
  })

  it('runs an imported file once, before its importer, top-level await included', async () => {
    const said = await run({
      'main.ts': "import './a'\nimport { ready } from './b.ts'\nconsole.log('main', ready)",
      'a.ts': "import './b'\nconsole.log('a')",
      'b.ts': "export let ready = false\nawait Promise.resolve()\nready = true\nconsole.log('b')",
    })
    expect(said).toEqual(['b', 'a', 'main', true])
  })

  it('survives files that import each other', async () => {
    const said = await run({
      'main.ts': "import { even } from './even'\nconsole.log(even(4))",
      'even.ts':
        "import { odd } from './odd'\nexport function even(n: number): boolean { return n === 0 || odd(n - 1) }",
      'odd.ts':
        "import { even } from './even'\nexport function odd(n: number): boolean { return n !== 0 && even(n - 1) }",
    })
    expect(said).toEqual([true])
  })

  it('runs an empty file, and says what an empty file does not export', async () => {
    expect(await run({ 'main.ts': '' })).toEqual([])
    await expect(run({ 'main.ts': "import { fgsm } from './fgsm'\nfgsm()", 'fgsm.ts': '' })).rejects.toThrow(
      'fgsm.ts does not export "fgsm"; it exports nothing yet',
    )
    await expect(
      run({ 'main.ts': "import { tff } from 'lab'\ntff()" }, 'main.ts', { tf: 1 }),
    ).rejects.toThrow(`'lab' has no "tff"; it has tf`)
  })

  it('keeps a trailing line comment from swallowing what follows', async () => {
    expect(
      await run({
        'main.ts': "import './b'\nconsole.log(2) // the end",
        'b.ts': 'console.log(1) // no newline',
      }),
    ).toEqual([1, 2])
  })

  it.each([
    ['const = 3', 1, 7],
    ['const a = 1\nlet b = (2\n', 3, 1],
    ["const s = 'never closed\n", 1, 11],
    ['}); evil(); ({', 1, 1],
    ['}, "x": function () {', 1, 1],
    ['x = `${1`', 1, undefined],
  ])('names the place of a syntax error in %j', (source, line, column) => {
    const found = problem({ 'main.ts': source })
    expect(found).toMatchObject({ file: 'main.ts', line })
    expect(found.message).toContain('not valid TypeScript')
    if (column) expect(found.column).toBe(column)
  })

  it.each([
    ["import fs from 'fs'", 1, 16],
    ["\nimport { x } from './missing'", 2, 19],
    ["export * from 'https://evil.test/x.js'", 1, 15],
    ["import '../secrets'", 1, 8],
    ['import type { A } from \'lab\'\nimport a, * as b from "lab2"', 2, 23],
  ])('refuses %j and says what may be imported', (source, line, column) => {
    const found = problem({ 'main.ts': source, 'fgsm.ts': '' })
    expect(found).toMatchObject({ file: 'main.ts', line, column })
    expect(found.message).toContain("'./fgsm'")
  })

  it.each(["const lab = await import('lab')", "void import ('./x.js')", 'console.log(import.meta.url)'])(
    'refuses %j',
    (source) => {
      expect(problem({ 'main.ts': source }).message).toContain('not available here')
    },
  )

  it('takes no notice of import-like words in strings, comments and property names', async () => {
    const source =
      "// import x from 'fs'\nconst s = \"import('fs') from 'fs'\"\nconst o = { import: 1, from: 'x' }\nconsole.log(s.length, o.import, `import ${s.length}`)"
    expect(await run({ 'main.ts': source })).toEqual([22, 1, 'import 22'])
  })

  it.each(['let x = 1\nx <!--y\n', 'let x\n--> gone', '/* a\n*/ --> gone'])(
    'refuses the HTML comment in %j, which a script would skip',
    (source) => {
      expect(problem({ 'main.ts': source }).message).toContain('HTML comment')
    },
  )

  it('refuses a huge file, too many files and a main that is not there', () => {
    expect(problem({ 'main.ts': ' '.repeat(maxFileCharacters + 1) }).message).toContain(
      'at most 200,000 characters; got 200,001',
    )
    expect(
      problem(Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`f${i}.ts`, '']))).message,
    ).toContain('at most 20 files')
    expect(problem({ 'a.ts': '' }).message).toBe('there is no file "main.ts" to run; the files are a.ts')
    expect(problem({}, '__proto__').message).toContain('the files are none')
  })
})

describe('mapStack', () => {
  const files = {
    'main.ts': "import { f } from './f'\n\nawait f(3)",
    'f.ts':
      "interface Wide {\n  a: number\n}\nexport async function f(n: number): Promise<Wide> {\n  await null\n  throw new Error('here')\n}",
  }
  const { text, map } = compileProgram({ files, main: 'main.ts' })

  it('names the learner’s file and line for an error thrown at run time', async () => {
    const { runInThisContext } = await import('node:vm')
    const table = runInThisContext(`\n\n(${text})`, { filename: 'perturb-program' }) as ModuleTable
    const error = await runModules(table, {}, { console, math: Math }).then(
      () => undefined,
      (caught: Error) => caught,
    )
    expect(mapStack({ message: error!.message, stack: error!.stack! }, map, 3, 'perturb-program')).toEqual({
      message: 'here',
      file: 'f.ts',
      line: 6,
      column: 9,
    })
  })

  it('skips frames of the runtime and reads Firefox’s stacks', () => {
    const line = 100 + map[1]!.firstLine + 5 - 1
    const chrome = `Error: x\n    at lab (blob:null/9-a:1:200)\n    at async f (blob:null/9-a:${line}:9)`
    expect(mapStack({ message: 'x', stack: chrome }, map, 100)).toMatchObject({ file: 'f.ts', line: 6 })
    const firefox = `lab@blob:null/9-a:1:200\nf@blob:null/9-a:${line}:9\n`
    expect(mapStack({ message: 'x', stack: firefox }, map, 100)).toMatchObject({ file: 'f.ts', line: 6 })
  })

  it('tells no place rather than a wrong one, whatever the stack says', () => {
    expect(mapStack({ message: 'x', stack: 'blob::9999999:1\nblob:' + ':1'.repeat(1e6) }, map, 1)).toEqual({
      message: 'x',
    })
    expect(mapStack({ message: '' }, map, 1).message).toContain('says nothing')
    expect(mapStack({ message: 'x', line: map[0]!.firstLine + 2 }, map, 1)).toMatchObject({
      file: 'main.ts',
      line: 3,
    })
  })
})
