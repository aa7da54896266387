import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { repository } from '../../../src/cli/node-platform.ts'
import { labList } from '../../../src/labs/loader.ts'

interface Row {
  needed: string
  bars?: number[]
  min: number
  max: number
  values: number[]
}
interface Calibration {
  version: string
  seeds: number[]
  checkpoints: Record<string, Record<string, Record<string, Row>>>
}

describe.each(labList().map(({ id, version }) => [id, version]))('the calibration of %s', (id, version) => {
  const path = join(repository, 'labs', id, 'calibration.json')
  test('is there, of this version, over at least ten variants', () => {
    expect(
      existsSync(path),
      `labs/${id}/calibration.json is missing; run \`npm run calibrate -- --lab ${id}\``,
    ).toBe(true)
    const { version: measured, seeds } = JSON.parse(readFileSync(path, 'utf8')) as Calibration
    expect(measured).toBe(version)
    expect(seeds.length).toBeGreaterThanOrEqual(10)
  })

  test('leaves room: every solution above each bar, every mistake below one, on all variants', () => {
    const { seeds, checkpoints } = JSON.parse(readFileSync(path, 'utf8')) as Calibration
    for (const [checkpoint, runs] of Object.entries(checkpoints)) {
      for (const [name, rows] of Object.entries(runs)) {
        const holds = seeds.map((_, i) => Object.values(rows).every((row) => meets(row, i)))
        expect({ checkpoint, name, holds: [...new Set(holds)] }).toEqual({
          checkpoint,
          name,
          holds: [name.startsWith('solution')],
        })
      }
    }
  })
})

function meets({ needed, bars, values }: Row, variant: number): boolean {
  const [relation, first] = needed.split(' ')
  const bar = bars?.[variant] ?? Number(first)
  const figure = values[variant]!
  return relation === 'at-least' ? figure >= bar - 1e-6 : figure <= bar + 1e-6
}
