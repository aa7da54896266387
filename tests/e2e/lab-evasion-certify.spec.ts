import { expect, test } from './fixtures.ts'
import { expectConfirmed, labFile as fileOf, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })

const labFile = (path: string) => fileOf(path, 'evasion-certify')

test('a learner proves a promise, is caught with a false one, teaches the reader and reads the small print @deep', async ({
  page,
  app,
  axe,
}, info) => {
  test.setTimeout(400_000)
  const lab = new LabPage(page)
  const passed = (count: number) => expect(lab.passedCount).toHaveText(`${count} of 5 checkpoints passed`)

  await test.step('explore: the chart certifies by itself, and says it in a sentence and a table', async () => {
    await lab.explore(app.at('#/lab/evasion-certify'))
    await expect(lab.title).toHaveText('Let it vote')
    await expect(
      page.getByText(/^Model as shipped, noise 0\.25, 200 votes: \d+ of 20 certified/),
    ).toBeVisible({
      timeout: 90_000,
    })
    await expect(
      page.getByRole('list', { name: /8 noisy copies of a \d/ }).getByRole('listitem'),
    ).toHaveCount(8)
    await page.getByText('Certificates, one a digit').click()
    await expect(
      page.getByRole('table', { name: /σ 0.25, 200 votes, as shipped/ }).getByRole('row'),
    ).toHaveCount(21)
    await axe(page, 'the certificate chart')
  })

  await test.step('code: the starter, a share taken for a proof, then the proof', async () => {
    await lab.step('Code')
    await lab.run()
    await expect(lab.problems).toContainText('certify is not written yet')
    await lab.write('certify.ts', labFile('mistakes/plug-in.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('A share of the votes is not a proof.')
    await axe(page, 'a promise that is too long')
    await lab.write('certify.ts', labFile('solution/certify.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await passed(1)
  })

  await test.step('checkpoint: where a proof ends', async () => {
    await lab.step('Checkpoint')
    const question = page.getByRole('group', { name: 'Question' })
    await page.getByRole('radio', { name: /^Impossible/ }).check()
    await page.getByRole('radio', { name: /over all possible noise says 7/ }).check()
    await question.getByRole('button', { name: 'Hand in the answer' }).last().click()
    await lab.settled()
    await passed(2)
  })

  await test.step('defend: the reader learns to see through noise, and half a unit is promised', async () => {
    await lab.step('Defend')
    await lab.tab('Explore')
    await lab.slide(/Epochs/, '2')
    await lab.run(180_000)
    await expect(lab.runButton).toHaveText(/Hand in these weights/)
    await lab.run()
    await lab.verdict('Passed')
    await lab.tab('Code')
    await page
      .getByRole('region', { name: 'Checkpoint: Half a unit, in writing' })
      .getByRole('button', { name: 'Write it in code' })
      .click()
    await lab.run()
    await lab.verdict('Passed')
    await passed(4)
  })

  await test.step('re-attack: the promise holds inside, and the vote falls outside', async () => {
    await lab.step('Re-attack')
    await lab.tab('Explore')
    await expect(page.getByText(/^Your model, noise 0\.5, 200 votes/)).toBeVisible({ timeout: 90_000 })
    await axe(page, 'promises beside those of the reader as shipped')
    await lab.write('outside.ts', labFile('solution/outside.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await expect(lab.finding).toContainText('No promise was broken.')
    await passed(5)
    await axe(page, 'the finished lab')
  })

  const file = await test.step('export', () => lab.saveEvidence(info))
  await test.step('Node confirms every checkpoint', () =>
    expectConfirmed(file, ['certified', 'where-it-ends', 'noise-trained', 'promised', 'outside']))
})
