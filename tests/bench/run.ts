/** `node run.js [NAME…] [--rounds N]`: the built folder's own command; prints the report as JSON. */
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { benchOnGpu } from '../../src/cli/bench/on-gpu.ts'
import { readOptions } from '../../src/cli/options.ts'

const options = readOptions(process.argv.slice(2), { rounds: { type: 'string' } })
const report = await benchOnGpu(dirname(fileURLToPath(import.meta.url)), {
  rounds: Number(options.rounds ?? 5),
  wanted: (name) => options.rest.length === 0 || options.rest.some((begin) => name.startsWith(begin)),
  say: console.error,
})
console.log(JSON.stringify(report, null, 2))
process.exit(0)
