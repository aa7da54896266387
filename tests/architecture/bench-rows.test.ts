import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { repository } from '../../src/cli/node-platform.ts'

const rows = join(repository, 'tests/bench/workloads')
const measured = readdirSync(rows)
  .filter((file) => file.endsWith('.ours.ts'))
  .map((file) => readFileSync(join(rows, file), 'utf8'))

const files = (folder: string) =>
  readdirSync(join(repository, 'src', folder))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `src/${folder}/${file}`)

describe('npm run bench', () => {
  const recipes = files('defences/training').filter((file) =>
    readFileSync(join(repository, file), 'utf8').includes('export const entry: TrainingRecipe'),
  )

  test.each([...files('attacks/evasion'), ...recipes])('times %s', (file) => {
    const row = measured.some((text) => text.includes(`/${file}'`))
    expect(row, `no file of tests/bench/workloads/ imports ${file}; write its row, NAME.ours.ts`).toBe(true)
  })
})
