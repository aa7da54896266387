import '../node-platform.ts'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Proof } from '../../labs/proof.ts'
import type { Command } from '../command.ts'
import { measureTraces } from '../lab-traces.ts'
import { openLabBench } from '../lab-bench.ts'
import { repository } from '../node-platform.ts'
import { readOptions } from '../options.ts'

export const command: Command = {
  summary: "Measure a lab's solution and mistakes over many variants, to set its bars",
  help: `
npm run calibrate -- --lab SLUG [--seeds N] [--json]
npm run calibrate -- --lab SLUG --traces

Runs the solution and every mistake of a lab on N variants (10 by default), on WASM as the referee does, and
writes every figure to labs/SLUG/calibration.json: for each checkpoint and program, each row's smallest,
largest and all values. Set a bar between the worst solution and the best mistake, with room on both sides.

With --traces it runs the trainings of labs/SLUG/traces/ again instead, and writes their curves there.

  --seeds N   variants 1 to N (default 10)
  --json      print the table as JSON instead
  --help      this text

The exit code is 0 only when every solution passed and every mistake failed with its finding on every seed.`,
  async run(argv) {
    const options = readOptions(argv, {
      lab: { type: 'string' },
      seeds: { type: 'string' },
      json: { type: 'boolean' },
      traces: { type: 'boolean' },
    })
    if (!options.lab) throw new Error('which lab? Say --lab SLUG')
    if (options.traces) return measureTraces(options.lab)
    const count = Number(options.seeds ?? 10)
    if (!Number.isInteger(count) || count < 1 || count > 1000)
      throw new Error(`--seeds must be a whole number from 1 to 1000; got "${options.seeds}"`)
    const seeds = Array.from({ length: count }, (_, i) => i + 1)
    const bench = await openLabBench()
    let done = 0
    const proof = await bench.prove(options.lab, {
      seeds,
      onCheck: ({ seed }) => {
        if (seed === done || options.json) return
        done = seed
        console.log(`variant ${seed} of ${count}`)
      },
    })
    const table = calibrationOf(proof, seeds)
    if (options.json) console.log(JSON.stringify(table))
    else {
      const path = `labs/${options.lab}/calibration.json`
      writeFileSync(join(repository, path), await format(table))
      print(table)
      console.log(`\nwrote ${path}`)
    }
    for (const problem of proof.problems) console.error(problem)
    for (const check of proof.checks.filter((check) => !check.ok)) console.error(check.detail)
    return proof.ok ? 0 : 1
  },
}

interface RowTable {
  /** Relation and bar, of the first variant. */
  needed: string
  /** The bar of each variant, where they differ: a budget that follows the data. */
  bars?: number[]
  unit: string
  min: number
  max: number
  /** In the order of `seeds`. */
  values: number[]
}

interface Calibration {
  lab: string
  version: string
  backend: 'wasm'
  madeBy: string
  seeds: number[]
  /** Checkpoint → "solution" or "mistake NAME" → row → figures. */
  checkpoints: Record<string, Record<string, Record<string, RowTable>>>
}

export function calibrationOf(proof: Proof, seeds: number[]): Calibration {
  const checkpoints: Calibration['checkpoints'] = {}
  for (const { checkpoint, name, seed, verdict } of proof.checks) {
    if (!verdict || !/^(solution|mistake )/.test(name)) continue
    const runs = (checkpoints[checkpoint] ??= {})
    const rows = (runs[name] ??= {})
    for (const { id, unit, needed, measured } of verdict.rows) {
      const row = (rows[id] ??= {
        needed: `${needed.relation} ${needed.value}`,
        unit,
        min: Infinity,
        max: -Infinity,
        bars: [],
        values: [],
      })
      const figure = Number(measured.toFixed(4))
      row.min = Math.min(row.min, figure)
      row.max = Math.max(row.max, figure)
      row.values[seeds.indexOf(seed)] = figure
      row.bars![seeds.indexOf(seed)] = needed.value
    }
  }
  for (const row of Object.values(checkpoints).flatMap(Object.values).flatMap<RowTable>(Object.values))
    if (new Set(row.bars).size === 1) delete row.bars
  return {
    lab: proof.lab,
    version: proof.version,
    backend: 'wasm',
    madeBy: `npm run calibrate -- --lab ${proof.lab} --seeds ${seeds.length}`,
    seeds,
    checkpoints,
  }
}

/** As the house lays out JSON, so that a table just written does not fail the lint. */
async function format(table: Calibration): Promise<string> {
  const prettier = await import('prettier')
  return prettier.format(JSON.stringify(table), { parser: 'json', printWidth: 110 })
}

function print({ checkpoints }: Calibration): void {
  for (const [checkpoint, runs] of Object.entries(checkpoints)) {
    console.log(`\n${checkpoint}`)
    for (const [name, rows] of Object.entries(runs)) {
      const figures = Object.entries(rows).map(
        ([id, { min, max, unit }]) => `${id} ${min}–${max}${unit && ` ${unit}`}`,
      )
      console.log(`  ${name.padEnd(36)} ${figures.join('   ')}`)
    }
  }
}
