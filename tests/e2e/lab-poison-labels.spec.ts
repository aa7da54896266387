import { expect, test } from './fixtures.ts'
import { expectConfirmed, labFile as fileOf, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })

const labFile = (path: string) => fileOf(path, 'poison-labels')

test('a learner poisons a bank by its labels, wins it back, and goes where nobody looks @deep', async ({
  page,
  app,
  axe,
}, info) => {
  test.setTimeout(300_000)
  const lab = new LabPage(page)
  const rows = page.getByRole('region', { name: 'Training rows' })
  const pick = (order: RegExp) =>
    page.getByLabel('First the rows where').selectOption({ label: order.source })

  await test.step('explore: the rows are read, marked and trained on; the bench passes the first checkpoint', async () => {
    await lab.explore(app.at('#/lab/poison-labels'))
    await expect(lab.title).toHaveText('One Monday, many times')
    await expect(rows.getByRole('row')).toHaveCount(9, { timeout: 90_000 })
    await expect(page.getByText(/^60 of 12000 rows marked/)).toBeVisible()
    await expect(page.getByText('Simulated', { exact: true }).first()).toBeVisible()
    await rows.getByRole('checkbox').first().uncheck()
    await expect(page.getByText(/^59 of 12000 rows marked/)).toBeVisible()
    await rows.getByRole('checkbox').first().check()
    await axe(page, 'the row bench')
  })

  await test.step('explore: what cannot be trained says why; a training is stopped; one goes on behind another tab', async () => {
    await pick(/the model is surest of fraud/)
    const last = await page.getByRole('slider', { name: /Mark the first/ }).getAttribute('max')
    await page.getByRole('slider', { name: /Mark the first/ }).fill(last!)
    await lab.run()
    await expect(page.getByRole('heading', { name: 'Nothing was trained' })).toBeVisible()
    await expect(page.getByText(/no row of class "fraud" is left/).first()).toBeVisible()
    await lab.slide(/Mark the first/, '40 rows')
    await lab.runButton.click()
    await lab.cancelButton.click()
    await lab.settled()
    await expect(page.getByRole('heading', { name: 'Stopped before the end' })).toBeVisible()
    await lab.runButton.click()
    const other = await page.context().newPage()
    await other.bringToFront()
    await expect(page.getByRole('heading', { name: /^Recall from/ })).toBeVisible({ timeout: 60_000 })
    await other.close()
    await page.bringToFront()
  })

  await test.step('explore: the surest frauds, a canary alarm, and a hand-in from the knobs', async () => {
    await lab.slide(/Mark the first/, '192 rows')
    await lab.run()
    await expect(page.getByRole('heading', { name: /^Recall from \d+\.\d to \d+\.\d %$/ })).toBeVisible()
    const monitor = page.getByRole('region', { name: 'Retraining monitor' })
    await expect(monitor.getByRole('row').nth(1)).toContainText('no: alarm')
    await axe(page, 'the retraining monitor')
    await page.getByRole('radio', { name: 'suspicious' }).check({ force: true })
    await expect(rows.getByRole('row').nth(1)).toContainText(/model|neighbours/)
    await page.getByRole('radio', { name: 'labelled fraud' }).check({ force: true })
    await expect(lab.runButton).toHaveText(/Hand in these changes/)
    await lab.run()
    await lab.verdict('Passed')
    await lab.passed(1)
  })

  await test.step('code: the starter, the wrong rows, then the right ones', async () => {
    await lab.step('Code')
    await lab.run()
    await expect(lab.problems).toContainText('chooseFlips is not written yet')
    await lab.fails('flip.ts', labFile('mistakes/random-rows.ts'), 'You turned the wrong kind of row.')
    await axe(page, 'a poisoning that failed')
    await lab.passes('flip.ts', labFile('solution/flip.ts'))
  })

  await test.step('checkpoint: what would have told', async () => {
    await lab.step('Checkpoint')
    await lab.answer(/how many frauds it finds/, /certain without the analysts/, /^Turn them back/)
    await lab.passed(2)
  })

  await test.step('defend: the bench draws what an order finds; the program wins the bank back', async () => {
    await lab.step('Defend')
    await lab.tab('Explore')
    await expect(page.getByText(/^0 of 12000 rows marked; 0 of them were tampered with/)).toBeVisible({
      timeout: 90_000,
    })
    await pick(/a model of the audited rows is surest of fraud/)
    await expect(page.getByText('What this order finds')).toBeVisible()
    await axe(page, 'the row bench for a repair')
    await lab.tab('Code')
    await lab.fails('repair.ts', labFile('mistakes/dropped.ts'), 'You found them, and threw them away.')
    await lab.passes('repair.ts', labFile('solution/repair.ts'))
    await lab.passed(3)
  })

  await test.step('re-attack: the other direction', async () => {
    await lab.step('Re-attack')
    await lab.passes('again.ts', labFile('solution/again.ts'))
    await lab.passed(4)
  })

  await test.step('the evidence file is confirmed in Node', async () => {
    const file = await lab.saveEvidence(info)
    expectConfirmed(file, ['poisoned', 'repaired', 'slipped', 'what-to-watch'])
  })
})
