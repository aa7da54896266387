import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { typeProblems } from '../../../src/cli/lab-types.ts'
import { repository } from '../../../src/cli/node-platform.ts'

test(
  'a type error in a program is named with file and line; a right program has none',
  { timeout: 60_000 },
  () => {
    const root = mkdtempSync(join(tmpdir(), 'perturb-types-'))
    const learner = join(repository, 'src/lab-api/learner.ts')
    const options = {
      target: 'ES2023',
      module: 'ESNext',
      moduleResolution: 'bundler',
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      lib: ['ES2023', 'DOM'],
      paths: { lab: [learner] },
    }
    try {
      writeFileSync(join(root, 'tsconfig.json'), JSON.stringify({ compilerOptions: options }))
      mkdirSync(join(root, 'labs/x/starter'), { recursive: true })
      mkdirSync(join(root, 'labs/x/mistakes'), { recursive: true })
      writeFileSync(
        join(root, 'labs/x/starter/right.ts'),
        "import { task } from 'lab'\nexport const half: number = task.epsilon / 2\n",
      )
      writeFileSync(
        join(root, 'labs/x/mistakes/wrong.ts'),
        "// finding: a\nimport { tf } from 'lab'\nexport const s: string = tf.sgn(1)\n",
      )
      expect(typeProblems('x', root)).toEqual([
        expect.stringMatching(/^labs\/x\/mistakes\/wrong\.ts:3: .*sgn/),
      ])
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  },
)
