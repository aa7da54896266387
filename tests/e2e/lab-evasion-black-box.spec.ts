import { expect, test } from './fixtures.ts'
import { expectConfirmed, labFile, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })
const file = (path: string) => labFile(path, 'evasion-black-box')

test('a learner asks a gate until it opens, sets a watch on such questions, and asks as a crowd @deep', async ({
  page,
  app,
  axe,
}, info) => {
  test.setTimeout(400_000)
  const lab = new LabPage(page)

  await test.step('explore: the curve is measured, and an earlier one stays beside it', async () => {
    await lab.explore(app.at('#/lab/evasion-black-box'))
    await lab.run()
    await expect(page.getByText(/of 8 faces misread, after [\d.]+ queries a face/).first()).toBeVisible()
    await lab.slide(/ε/, '0.050')
    await lab.run()
    const runs = page.getByRole('table', { name: 'Runs, latest first' })
    await expect(runs.getByRole('row')).toHaveCount(3)
    await axe(page, 'two curves')
  })

  await test.step('code: the starter, a wrong attempt with its finding, the right one', async () => {
    await lab.step('Code')
    await lab.run()
    await expect(lab.problems).toContainText('square is not written yet')
    await lab.write('square.ts', file('mistakes/noise.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('noise cancels')
    await axe(page, 'a failed attempt')
    await lab.write('square.ts', file('solution/square.ts'))
    await lab.run()
    await lab.verdict('Passed')
  })

  await test.step('checkpoint: a name of choice, then yes and no alone', async () => {
    await lab.step('Checkpoint')
    await lab.write('impersonate.ts', file('solution/impersonate.ts'))
    await lab.run()
    await lab.verdict('Passed')
    // Hundreds of questions leave little room for progress; its last word arrives all the same.
    await expect(page.getByText('8/8')).toBeVisible()
    await page
      .getByRole('region', { name: 'Checkpoint: No scores at all' })
      .getByRole('button', { name: 'Write it in code' })
      .click()
    await lab.write('hop.ts', file('solution/hop.ts'))
    await lab.run(150_000)
    await lab.verdict('Passed')
    await axe(page, 'what the hops left')
    const question = page.getByRole('group', { name: 'Question' })
    await question.getByRole('radio', { name: /Time: the same goal/ }).check()
    await question.getByRole('button', { name: 'Hand in the answer' }).click()
    await lab.settled()
    await expect(lab.passedCount).toHaveText('4 of 6 checkpoints passed')
  })

  await test.step('defend: a rule that sees attacks and locks no visitor out', async () => {
    await lab.step('Defend')
    await lab.write('watch.ts', file('solution/watch.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await axe(page, 'a watch')
  })

  await test.step('re-attack: one account is closed, many are not', async () => {
    await lab.step('Re-attack')
    await page.getByRole('button', { name: 'Run quiet.ts' }).click()
    await lab.settled()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('One account asked everything')
    await lab.write('quiet.ts', file('solution/quiet.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await expect(lab.passedCount).toHaveText('6 of 6 checkpoints passed')
    await axe(page, 'the finished lab')
  })

  expectConfirmed(await lab.saveEvidence(info), [
    'dodged',
    'impersonated',
    'yes-or-no',
    'what-leaks',
    'watched',
    'unnoticed',
  ])
})
