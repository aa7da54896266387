import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync, inflateRawSync } from 'node:zlib'
import { repository } from '../../src/cli/node-platform.ts'
import { expect, test } from './fixtures.ts'
import { labFile, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })

interface Evidence {
  labs: {
    files: Record<string, { text: string; updated: number }>
    attempts: {
      files: Record<string, string>
      artefact: { tensors: { name: string; values: { data: string } }[] }
    }[]
  }[]
}

/** What `npm run regrade -- FILE --run-code` says of the first checkpoint. */
function rerun(path: string) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['src/cli/run.mjs', 'regrade', path, '--run-code', '--json'],
    { cwd: repository, encoding: 'utf8' },
  )
  expect(stderr).toBe('')
  const { grades } = JSON.parse(stdout) as {
    grades: { checkpoint: string; result: string; status: string; why: string; claims: string[] }[]
  }
  return { status, grade: grades.find(({ checkpoint }) => checkpoint === 'exact')! }
}

test('a query count is confirmed by running the program on a fresh variant, and a rebuilt victim is found out', async ({
  page,
  app,
}, info) => {
  test.setTimeout(240_000)
  const lab = new LabPage(page)
  await lab.open(app.at('#/lab/theft-equations?step=code'))
  await lab.write('steal.ts', labFile('solution/steal.ts', 'theft-equations'))
  await lab.run()
  await lab.verdict('Passed')
  const honest = await lab.saveEvidence(info)
  const { grade, status } = rerun(honest)
  expect(grade).toMatchObject({ result: 'passed', status: 'confirmed', claims: [] })
  expect(grade.why).toMatch(
    /cannot prove questions.*run again on a fresh variant \(seed \d+\): .*after 31 questions/,
  )
  expect(status).toBe(0)

  // A program that carries the weights of the variant it was told, and asks 31 questions for show.
  const raw = readFileSync(honest)
  const evidence = JSON.parse((raw[0] === 0x1f ? gunzipSync(raw) : raw).toString('utf8')) as Evidence
  const [record] = evidence.labs
  const [attempt] = record!.attempts
  const numbers = (name: string) => {
    const packed = attempt!.artefact.tensors.find((tensor) => tensor.name === name)!.values.data
    const bytes = inflateRawSync(Buffer.from(packed, 'base64'))
    return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i))
  }
  const embedded = labFile('solution/steal.ts', 'theft-equations').replace(
    /const \[bias = 0[\s\S]*\n\}\n$/,
    `void odds\n  return { weights: ${JSON.stringify(numbers('weights'))}, bias: ${numbers('bias')[0]} }\n}\n`,
  )
  attempt!.files['steal.ts'] = embedded
  record!.files['steal.ts'] = { text: embedded, updated: Date.now() }
  const forged = info.outputPath('forged.perturb.json')
  writeFileSync(forged, JSON.stringify(evidence))
  const found = rerun(forged)
  expect(found.grade).toMatchObject({ result: 'failed', status: 'not confirmed' })
  expect(found.grade.why).toMatch(/run again on 2 fresh variants, does not pass: Largest error/)
  expect(found.status).toBe(1)
})
