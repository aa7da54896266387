import { expect, test } from './fixtures.ts'
import { expectConfirmed, labFile as fileOf, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })

const labFile = (path: string) => fileOf(path, 'poison-detect')

test('a learner finds planted rows, chooses by evidence, and plants rows that no filter sees @deep', async ({
  page,
  app,
  axe,
}, info) => {
  test.setTimeout(300_000)
  const lab = new LabPage(page)
  const fall = page.getByText(/^\d+ of 2000 rows fall/)

  await test.step('explore: a filter orders the rows, the truth is shown when asked for, a cut is trained on', async () => {
    await lab.explore(app.at('#/lab/poison-detect'))
    await expect(lab.title).toHaveText('Through the eyes of the model')
    await expect(fall).toBeVisible({ timeout: 90_000 })
    await expect(page.getByText('What this filter finds')).toBeHidden()
    await page.getByRole('tabpanel', { name: 'Explore' }).getByText('Show which are poisoned').click()
    await expect(page.getByText('What this filter finds')).toBeVisible()
    await expect(fall).toContainText('of the poison')
    const points = page.getByRole('slider', { name: /^Rows from left to right/ })
    await points.press('ArrowRight')
    await expect(points).toHaveAttribute('aria-valuetext', /^row \d+$/)
    await axe(page, 'the filter bench')
    await page.getByRole('radio', { name: 'Deep k-NN' }).check()
    await expect(fall).toBeVisible({ timeout: 90_000 })
    await lab.run()
    await expect(page.getByRole('table', { name: 'Trained anew' })).toContainText('trained on all rows')
    await expect(lab.runButton).toHaveText(/Hand in these drops/)
  })

  await test.step('code: the starter, every label, then the small crowd', async () => {
    await lab.step('Code')
    await lab.run()
    await expect(lab.problems).toContainText('findPlanted is not written yet')
    await lab.fails('cluster.ts', labFile('mistakes/every-label.ts'), 'You searched every label.')
    await axe(page, 'a repair that costs too much')
    await lab.passes('cluster.ts', labFile('solution/cluster.ts'))
    await lab.passed(1)
  })

  await test.step('checkpoint: Neural Cleanse is searched and stopped; three questions', async () => {
    await lab.step('Checkpoint')
    await lab.tab('Explore')
    await lab.slide(/Steps for each class/, '20 steps')
    await lab.run()
    await expect(page.getByRole('table', { name: /smallest patch covers/ }).getByRole('row')).toHaveCount(11)
    await expect(page.getByText(/clean model has not been searched yet/)).toBeVisible()
    await page.getByText('Show the true trigger').click()
    await expect(page.getByRole('img', { name: 'The true trigger' })).toBeVisible()
    await axe(page, 'Neural Cleanse')
    await expect(lab.runButton).toHaveText(/Search a clean model/)
    await lab.runButton.click()
    await lab.cancelButton.click()
    await lab.settled()
    await lab.answer(
      /^Little, before I have seen/,
      /^It calls nearly all of them 9/,
      /^They are worth more as a judge/,
    )
    await lab.passed(2)
  })

  await test.step('defend: the certain rows alone are too dear; the evidence is not', async () => {
    await lab.step('Defend')
    await lab.fails(
      'repair.ts',
      labFile('mistakes/only-certain.ts'),
      'You threw the house away with the door.',
    )
    await lab.passes('repair.ts', labFile('solution/repair.ts'))
    await lab.passed(3)
  })

  await test.step('re-attack: rows that are no crowd', async () => {
    await lab.step('Re-attack')
    await lab.passes('plant.ts', labFile('solution/plant.ts'))
    await lab.passed(4)
  })

  await test.step('the evidence file is confirmed in Node', async () => {
    const file = await lab.saveEvidence(info)
    expectConfirmed(file, ['clustered', 'evidence', 'repaired', 'unseen'])
  })
})
