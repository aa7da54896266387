import { expect, test } from './fixtures.ts'
import { expectConfirmed, labFile, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })

const slug = 'evasion-minimum-norm'
const file = (path: string) => labFile(path, slug)

test('a learner finds the smallest change, moves the borders, and measures again @deep', async ({
  page,
  app,
  axe,
}, info) => {
  test.setTimeout(900_000)
  const lab = new LabPage(page)

  await test.step('explore: distances are measured, and a weak attack has a better median of its successes', async () => {
    await lab.explore(app.at(`#/lab/${slug}`))
    await expect(lab.title).toHaveText('Look at the borders')
    const measurements = page.getByRole('table', { name: 'Measurements, latest first' })
    await expect(measurements.getByRole('row')).toHaveCount(3, { timeout: 150_000 })
    await expect(page.getByRole('img', { name: /^Histogram of distances\./ })).toBeVisible()
    await expect(page.getByRole('img', { name: /^Decision regions in the plane/ })).toBeVisible({
      timeout: 150_000,
    })
    await axe(page, 'distances and borders')
    await lab.slide(/Weights tried/, '1')
    // A logarithmic scale from a ten-thousandth to a hundred, in thousandths: halfway is a tenth.
    await page.getByRole('slider', { name: /First weight/ }).fill('500')
    await expect(page.getByRole('slider', { name: /First weight/ })).toHaveAttribute(
      'aria-valuetext',
      '0.1000',
    )
    await page.getByRole('button', { name: 'Measure again' }).click()
    await expect(measurements.getByRole('row')).toHaveCount(4, { timeout: 150_000 })
    const cells = await measurements.getByRole('row').nth(1).getByRole('cell').allTextContents()
    expect(cells[1]).toBe('infinite')
    await axe(page, 'a median over few successes')
  })

  await test.step('code: the starter says what to do first, and one step is named as such', async () => {
    await lab.step('Code')
    await lab.run()
    await expect(lab.problems).toContainText('deepfool is not written yet')
    await lab.write('deepfool.ts', file('mistakes/one-step.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('Stopped on the way')
    await axe(page, 'a failed attempt')
  })

  await test.step('code: DeepFool passes', async () => {
    await lab.write('deepfool.ts', file('solution/deepfool.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await expect(lab.passedCount).toHaveText('1 of 5 checkpoints passed')
  })

  await test.step('checkpoint: the search for the lightest weight passes', async () => {
    await lab.step('Checkpoint')
    await lab.write('smallest.ts', file('solution/smallest.ts'))
    await lab.run()
    await lab.verdict('Passed')
  })

  await test.step('checkpoint: the two reports', async () => {
    const question = page.getByRole('group', { name: 'Question' })
    await question.getByRole('radio', { name: /Nothing about which is stronger/ }).check()
    await question.getByRole('button', { name: 'Hand in the answer' }).click()
    await lab.settled()
    await expect(lab.passedCount).toHaveText('3 of 5 checkpoints passed')
  })

  await test.step('defend: the borders move', async () => {
    await lab.step('Defend')
    await lab.tab('Explore')
    await lab.run(300_000)
    await expect(lab.runButton).toHaveText(/Hand in these weights/)
    await axe(page, 'a finished training')
    await lab.run()
    await lab.verdict('Passed')
  })

  await test.step('re-attack: the nearer of both attacks, digit by digit', async () => {
    await lab.step('Re-attack')
    await lab.write('again.ts', file('solution/again.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await expect(lab.passedCount).toHaveText('5 of 5 checkpoints passed')
    await axe(page, 'the finished lab')
  })

  const evidence = await test.step('export', () => lab.saveEvidence(info))
  await test.step('Node confirms every checkpoint', () =>
    expectConfirmed(evidence, ['nearest', 'smallest', 'which-report', 'farther', 'again']))
})
