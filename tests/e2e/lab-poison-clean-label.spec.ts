import { expect, test } from './fixtures.ts'
import { expectConfirmed, labFile as fileOf, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })

const labFile = (path: string) => fileOf(path, 'poison-clean-label')

test('a learner poisons a map by right labels, sifts its pictures, and walks past the sieve @deep', async ({
  page,
  app,
  axe,
}, info) => {
  test.setTimeout(300_000)
  const lab = new LabPage(page)
  const passed = (count: number) => expect(lab.passedCount).toHaveText(`${count} of 4 checkpoints passed`)
  const plane = page.getByRole('img', { name: /^Along the line from the middle of/ })

  await test.step('explore: the bench pulls the pictures together, and its hand-in passes', async () => {
    await lab.explore(app.at('#/lab/poison-clean-label'))
    await expect(page.getByText(/Nothing is changed yet: your 12 pictures/)).toBeVisible({ timeout: 90_000 })
    await expect(plane).toHaveAttribute('aria-label', /your pictures at -?[\d.]+ on average/)
    await axe(page, 'the collision bench before a run')
    await lab.runButton.click()
    await lab.cancelButton.click()
    await lab.settled()
    await lab.run()
    await expect(plane).toHaveAttribute('aria-label', /your pictures moved from/)
    await expect(page.getByText(/^wanted: .+; it shows .+$/)).toBeVisible()
    await expect(page.getByText('picture 1 of 12')).toBeVisible()
    await axe(page, 'the collision bench')
    await expect(lab.runButton).toHaveText(/Hand in these pictures/)
    await lab.run()
    await lab.verdict('Passed')
    await passed(1)
    await lab.tab('Explore')
    await expect(page.getByRole('region', { name: 'Handed in' }).getByText('Passed')).toBeVisible()
  })

  await test.step('code: the starter, noise, then the collision', async () => {
    await lab.step('Code')
    await lab.run()
    await expect(lab.problems).toContainText('collide is not written yet')
    await lab.write('collide.ts', labFile('mistakes/noise.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText(
      'Your pictures moved in the pixels, and not to the target in the features.',
    )
    await lab.write('collide.ts', labFile('solution/collide.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await axe(page, 'a collision that passed')
  })

  await test.step('checkpoint: what a label says', async () => {
    await lab.step('Checkpoint')
    await page.getByRole('radio', { name: /^That label and picture agree/ }).check()
    await page.getByRole('radio', { name: /^It undoes most of it/ }).check()
    await page.getByRole('radio', { name: /^None that is measured/ }).check()
    await page
      .getByRole('group', { name: 'Question' })
      .getByRole('button', { name: 'Hand in the answer' })
      .last()
      .click()
    await lab.settled()
    await passed(2)
  })

  await test.step('defend: too few neighbours, then enough of them', async () => {
    await lab.step('Defend')
    await lab.write('sift.ts', labFile('mistakes/five-neighbours.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('The poisons vouch for each other.')
    await lab.write('sift.ts', labFile('solution/sift.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await passed(3)
  })

  await test.step('re-attack: all of them, all the way', async () => {
    await lab.step('Re-attack')
    await lab.write('again.ts', labFile('solution/again.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await passed(4)
  })

  await test.step('the evidence file is confirmed in Node', async () => {
    const file = await lab.saveEvidence(info)
    expectConfirmed(file, ['collided', 'sifted', 'slipped', 'what-a-label-says'])
  })
})
