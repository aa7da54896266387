import { expect, test } from './fixtures.ts'
import { expectConfirmed, labFile, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })

const file = (path: string) => labFile(path, 'evasion-adversarial-training')

test('a learner vaccinates a reader by a program of their own, and breaks what it never promised @deep', async ({
  page,
  app,
  axe,
}, info) => {
  test.setTimeout(900_000)
  const lab = new LabPage(page)

  await test.step('explore: the bench offers recipes, and a training shows both lines of attack', async () => {
    await lab.explore(app.at('#/lab/evasion-adversarial-training'))
    const recipes = page.getByRole('radiogroup', { name: 'Recipe' })
    await expect(recipes.getByRole('radio')).toHaveCount(4)
    await recipes.getByRole('radio', { name: 'Fast training' }).check({ force: true })
    await expect(page.getByText(/a third of the price/)).toBeVisible()
    await axe(page, 'the recipes')
    await expect(lab.runButton).toHaveText(/Train the repair/)
    await lab.runButton.click()
    await expect(page.getByText(/% right under many steps so far/)).toBeVisible({ timeout: 60_000 })
    await lab.cancelButton.click()
    await lab.settled()
    await expect(page.getByText(/^Stopped\. The weights trained so far are kept/)).toBeVisible()
  })

  await test.step('code: one long step is not the worst, three are', async () => {
    await lab.step('Code')
    await lab.write('worst-case.ts', file('mistakes/worst-one-step.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('too early at an end')
    await lab.write('worst-case.ts', file('solution/worst-case.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await axe(page, 'the worst case')
  })

  await test.step('checkpoint: three traces are drawn, and the questions are about them', async () => {
    await lab.step('Checkpoint')
    await expect(page.getByText(/^Trace A: what it gains/)).toBeVisible()
    await page.getByRole('radio', { name: /withstand the one step it was shown/ }).check()
    await page.getByRole('radio', { name: /gives every digit the same answer/ }).check()
    await page.getByRole('radio', { name: /Accuracy under many steps/ }).check()
    await page.getByRole('button', { name: 'Hand in the answer' }).first().click()
    await lab.settled()
    await expect(lab.passedCount).toHaveText('2 of 4 checkpoints passed')
    await axe(page, 'the traces')
  })

  await test.step('defend: a stopped training keeps its model, which is not enough; a whole one is', async () => {
    await lab.step('Defend')
    // As the solution, a little shorter: the page computes beside a browser here.
    await lab.write('train.ts', file('solution/train.ts').replace('images: 5600', 'images: 4800'))
    await expect(lab.runButton).toHaveText(/Run training/)
    await lab.runButton.click()
    await expect(page.getByRole('region', { name: 'Console' })).toContainText('step 50:', { timeout: 60_000 })
    await lab.cancelButton.click()
    await lab.settled()
    await expect(lab.problems).toContainText(/The model after \d+ training\s+steps is kept/)
    await axe(page, 'a stopped training')
    await lab.problems.getByRole('button', { name: 'Hand it in' }).click()
    await lab.settled()
    await lab.verdict('Not yet')
    await lab.tab('Code')
    await lab.run(400_000)
    await lab.verdict('Passed')
    await expect(lab.passedCount).toHaveText('3 of 4 checkpoints passed')
  })

  await test.step('re-attack: the vaccinated reader falls where nothing was promised', async () => {
    await lab.step('Re-attack')
    await lab.write('beyond.ts', file('solution/beyond.ts'))
    await lab.run()
    await lab.verdict('Passed')
    expect(await lab.rows()).toHaveLength(3)
    await expect(lab.passedCount).toHaveText('4 of 4 checkpoints passed')
    await axe(page, 'the finished lab')
  })

  expectConfirmed(await lab.saveEvidence(info), ['worst-case', 'collapses', 'vaccinated', 'beyond'])
})
