import { describe, expect, it } from 'vitest'
import { forbiddenImports, importsOf } from './layers.ts'
import { readSources } from './repository.ts'

describe('layers', () => {
  it('finds no import that turns an arrow round', () => {
    const files = readSources(['src', 'labs'], /\.(ts|mjs|svelte)$/)
    expect(files.length).toBeGreaterThan(50)
    expect(files.flatMap(forbiddenImports)).toEqual([])
  })

  it.each([
    [
      'src/core/x.ts',
      `import { y } from '../ui/y.ts'`,
      'src/core/x.ts may not import src/ui/y.ts: core is the bottom layer',
    ],
    [
      'src/core/x.ts',
      `import type { Y } from '../data/y.ts'`,
      'src/core/x.ts may not import src/data/y.ts: core is the bottom layer',
    ],
    [
      'src/data/x.ts',
      `export * from '../attacks/evasion/fgsm.ts'`,
      'src/data/x.ts may not import src/attacks/evasion/fgsm.ts: data stands on core alone',
    ],
    [
      'src/attacks/evasion/x.ts',
      `const late = () => import('../../defences/training/y.ts')`,
      'src/attacks/evasion/x.ts may not import src/defences/training/y.ts: attacks stand on models, metrics, data and core',
    ],
    [
      'src/engine/x.ts',
      `import.meta.glob<{ a: 1 }>(['../app/*.ts', '!../app/z.ts'])`,
      'src/engine/x.ts may not import src/app/*.ts: engine answers calls and does not know who makes them',
    ],
    [
      'src/grading/x.ts',
      `new Worker(new URL('../engine/worker.ts', import.meta.url))`,
      'src/grading/x.ts may not import src/engine/worker.ts: grading recomputes from models and data, wherever it runs',
    ],
    [
      'src/ui/home/X.svelte',
      `<p>import x from 'not code'</p>\n<script lang="ts">\n  import { y } from '../../cli/y.ts'\n</script>`,
      'src/ui/home/X.svelte may not import src/cli/y.ts: ui draws; it knows nothing of the command line or the build',
    ],
    [
      'src/ui/home/X.svelte',
      `<script module>import * as tf from '@tensorflow/tfjs-core'</script>`,
      'src/ui/home/X.svelte may not import @tensorflow/tfjs-core: src/core/tf.ts is the only door to tfjs',
    ],
    [
      'src/app/x.ts',
      `import X from '../ui/X.svelte'`,
      'src/app/x.ts may not import src/ui/X.svelte: app holds state in plain classes and does not know who draws it',
    ],
    [
      'src/models/x.ts',
      `import { readFile } from 'node:fs/promises'`,
      'src/models/x.ts may not import node:fs/promises: only cli and build run in Node alone',
    ],
    [
      'labs/a/grader.ts',
      `import { y } from '../../src/models/y.ts'`,
      'labs/a/grader.ts may not import src/models/y.ts: a lab folder may import only src/lab-api and its own files',
    ],
    [
      'labs/a/solution/x.ts',
      `import { y } from '../../b/solution/y.ts'`,
      'labs/a/solution/x.ts may not import labs/b/solution/y.ts: a lab folder may import only src/lab-api and its own files',
    ],
    [
      'src/ui/home/x.ts',
      `import text from '../../../labs/a/guide.md'`,
      'src/ui/home/x.ts may not import labs/a/guide.md: lab folders are loaded by src/labs',
    ],
    [
      'src/newcomer/x.ts',
      `import { y } from '../core/y.ts'`,
      'src/newcomer/x.ts: src/newcomer is in no layer; add it to the drawing in src/README.md and to tests/architecture/layers.ts',
    ],
  ])('refuses %s: %s', (path, text, sentence) => {
    expect(forbiddenImports({ path, text })).toEqual([sentence])
  })

  it.each([
    ['src/attacks/x.ts', `import { y } from '../core/y.ts'\nimport type { M } from '../models/model.ts'`],
    ['src/ui/x.ts', `import type { method } from '../engine/methods/attack-images.ts'`],
    ['src/labs/x.ts', `import.meta.glob('../../labs/*/lab.json')`],
    [
      'labs/a/grader.ts',
      `import { defineLab } from '../../src/lab-api/grader.ts'\nimport { z } from './shared.ts'`,
    ],
    ['labs/a/solution/x.ts', `import { sign } from 'lab'`],
    ['src/core/tf.ts', `export * from '@tensorflow/tfjs-core'`],
    ['src/core/x.ts', `// import { y } from '../ui/y.ts'\nconst text = "from '../ui/y.ts'"`],
  ])('allows %s: %s', (path, text) => {
    expect(forbiddenImports({ path, text })).toEqual([])
  })

  it('reads every kind of import', () => {
    const text = [
      `import a from './a.ts'`,
      `import type { B } from './b.ts'`,
      `export { c } from './c.ts'`,
      `await import('./d.ts')`,
      `import.meta.glob('./e/*.ts')`,
      `new Worker(new URL('./f.ts', import.meta.url))`,
      `import './g.ts'`,
    ].join('\n')
    expect(importsOf({ path: 'src/core/x.ts', text }).sort()).toEqual(
      ['a', 'b', 'c', 'd', 'e/*', 'f', 'g'].map((name) => `src/core/${name}.ts`),
    )
  })
})
