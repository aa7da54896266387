import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { repository } from '../../src/cli/node-platform.ts'
import { expect, test } from './fixtures.ts'
import { labFile, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })

interface Evidence {
  labs: { attempts: { verdict: { status: string; headline: string; score?: { value: number } } }[] }[]
}

test('a forged verdict is taken as the file’s word in the page, and Node does not confirm it', async ({
  page,
  app,
}, info) => {
  test.setTimeout(240_000)
  const lab = new LabPage(page)
  await lab.open(app.at('#/lab/evasion-fgsm?step=code'))
  await lab.write('fgsm.ts', labFile('mistakes/descent.ts'))
  await lab.run()
  await lab.verdict('Not yet')
  const save = async (name: string) => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save evidence file' }).click(),
    ])
    const path = info.outputPath(name)
    await download.saveAs(path)
    return path
  }
  const raw = readFileSync(await save('honest.perturb.json'))
  const evidence = JSON.parse((raw[0] === 0x1f ? gunzipSync(raw) : raw).toString('utf8')) as Evidence
  const [attempt] = evidence.labs[0]!.attempts
  Object.assign(attempt!.verdict, { status: 'passed', headline: '100 of 100 digits misread' })
  attempt!.verdict.score!.value = 100
  const forged = info.outputPath('forged.perturb.json')
  writeFileSync(forged, JSON.stringify(evidence))

  await page.goto(app.at('#/settings'))
  await page.getByRole('button', { name: 'Erase my work' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Erase', exact: true }).click()
  await expect(page.getByText('Your work on this machine is erased.')).toBeVisible()
  await page.getByLabel('Evidence file').setInputFiles(forged)
  await expect(page.getByText(/The verdicts are the file’s own; only re-grading confirms them/)).toBeVisible()

  // The page lays no claim to it either: what it exports again is refused like the forgery itself.
  await lab.open(app.at('#/lab/evasion-fgsm?step=code'))
  await lab.tab('Evidence')
  const again = await save('again.perturb.json')
  const { stdout, status } = spawnSync(
    process.execPath,
    ['src/cli/run.mjs', 'regrade', forged, again, '--json'],
    { cwd: repository, encoding: 'utf8' },
  )
  const { grades } = JSON.parse(stdout) as {
    grades: { checkpoint: string; result: string; status: string; why: string }[]
  }
  const fooled = grades.filter(({ checkpoint }) => checkpoint === 'fooled')
  expect(fooled).toHaveLength(2)
  for (const grade of fooled) {
    expect(grade).toMatchObject({ result: 'failed', status: 'not confirmed' })
    expect(grade.why).toMatch(/the file says passed.*recomputed: failed/)
  }
  expect(status).toBe(1)
})
