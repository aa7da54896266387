import '../node-platform.ts'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readShelf } from '../../build/lab-folder.ts'
import { didYouMean } from '../../labs/did-you-mean.ts'
import { labJsonSchema } from '../../labs/json-schema.ts'
import type { Check, Proof } from '../../labs/proof.ts'
import type { Command } from '../command.ts'
import { openLabBench } from '../lab-bench.ts'
import { repository } from '../node-platform.ts'
import { readOptions } from '../options.ts'
import { runTool } from '../tools.ts'

const standardSeeds = 3

export const command: Command = {
  summary: 'Prove every lab folder: starter fails, solution passes, mistakes are named',
  help: `
npm run labs:check [-- --lab SLUG… --seeds N --json --no-types]

For each lab: lab.json and guide.md are right; its programs have no type error; the starter fails and says so; the solution passes;
each mistake gets the finding it names; hostile hand-ins are rejected; the grader leaks no tensor and
gives the same verdict twice. Everything runs on WASM, as in the page's referee.

  --lab SLUG       only this lab (may be given several times)
  --seeds N        variants to prove, 1 to N (default ${standardSeeds})
  --json           print one JSON object: for each lab its problems, checks and verdicts
  --no-types       leave the types to \`npm run check\`, which looks at labs too
  --write-schema   write labs/lab.schema.json from the schema, and do nothing else

The exit code is 0 only when every lab is proved.`,
  async run(argv) {
    const options = readOptions(argv, {
      lab: { type: 'string', multiple: true },
      seeds: { type: 'string' },
      json: { type: 'boolean' },
      'no-types': { type: 'boolean' },
      'write-schema': { type: 'boolean' },
    })
    if (options['write-schema']) {
      const path = join(repository, 'labs/lab.schema.json')
      writeFileSync(path, labJsonSchema())
      await runTool('prettier', ['--write', '--log-level', 'warn', path])
      console.log('wrote labs/lab.schema.json')
      return 0
    }
    const seeds = Array.from({ length: readSeeds(options.seeds) }, (_, i) => i + 1)
    const known = readShelf(repository).slugs
    const slugs = options.lab ?? known
    const strange = slugs.find((slug) => !known.includes(slug))
    if (strange !== undefined) throw new Error(`no lab "${strange}"${didYouMean(strange, known)}`)
    if (slugs.length === 0)
      throw new Error('labs/ holds no lab; nothing would be proved; write one with `npm run labs:new SLUG`')
    const bench = await openLabBench()
    const proofs: Proof[] = []
    for (const slug of slugs) {
      if (!options.json) console.log(`\n${slug}`)
      const proven = await bench.prove(slug, { seeds, onCheck: options.json ? undefined : printCheck })
      const types = options['no-types'] ? [] : (await import('../lab-types.ts')).typeProblems(slug)
      const proof = {
        ...proven,
        ok: proven.ok && types.length === 0,
        problems: [...proven.problems, ...types],
      }
      proofs.push(proof)
      if (!options.json) printProof(proof)
    }
    const ok = proofs.every((proof) => proof.ok)
    if (options.json) console.log(JSON.stringify({ ok, seeds, labs: proofs }))
    else
      console.log(
        `\n${proofs.filter((proof) => proof.ok).length} of ${proofs.length} labs proved on ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'}`,
      )
    return ok ? 0 : 1
  },
}

function readSeeds(text: string | undefined): number {
  const seeds = Number(text ?? standardSeeds)
  if (!Number.isInteger(seeds) || seeds < 1 || seeds > 1000)
    throw new Error(`--seeds must be a whole number from 1 to 1000; got "${text}"`)
  return seeds
}

const printCheck = ({ ok, checkpoint, seed, name, detail }: Check) =>
  console.log(`  ${ok ? 'ok  ' : 'FAIL'} ${checkpoint.padEnd(14)} seed ${seed}  ${name.padEnd(34)} ${detail}`)

function printProof({ ok, problems, checks }: Proof) {
  for (const problem of problems) console.log(`  FAIL ${problem}`)
  const failed = checks.filter((check) => !check.ok).length
  console.log(
    ok
      ? `  proved by ${checks.length} checks`
      : `  not proved: ${problems.length + failed} of ${problems.length + checks.length || 1} failed`,
  )
}
