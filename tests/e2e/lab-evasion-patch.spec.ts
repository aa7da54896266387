import { expect, test } from './fixtures.ts'
import { expectConfirmed, labFile, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })
const file = (path: string) => labFile(path, 'evasion-patch')

test('a learner paints a sticker, repairs the camera and breaks the repair @deep', async ({
  page,
  app,
  axe,
}, info) => {
  test.setTimeout(400_000)
  const lab = new LabPage(page)

  await test.step('explore: a sticker is laid by hand and read live', async () => {
    await lab.explore(app.at('#/lab/evasion-patch'))
    const reading = page.getByText(/^With the white sticker .+ the model reads /)
    await expect(reading).toBeVisible({ timeout: 60_000 })
    await lab.slide(/^Turned/, '45 °')
    await expect(reading).toContainText('turned 45°')
    await page.getByRole('radio', { name: 'Random' }).check()
    await expect(page.getByText(/^With the random sticker turned 45°/)).toBeVisible()
    await page.getByRole('button', { name: 'Straight', exact: true }).click()
    await expect(page.getByText(/^With the random sticker turned 0°/)).toBeVisible()
    await page.getByRole('radio', { name: 'Photograph 2' }).check()
    await page.getByRole('button', { name: 'Measure', exact: true }).click()
    await expect(page.getByText(/^Within the task's range \d+ % of the views/)).toBeVisible({
      timeout: 60_000,
    })
    await axe(page, 'the sticker bench')
  })

  await test.step('code: a wrong attempt gets its named finding, the right one passes', async () => {
    await lab.step('Code')
    await lab.write('sticker.ts', file('mistakes/white.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('A plain sticker hides the sign')
    await axe(page, 'a failed sticker')
    await lab.write('sticker.ts', file('solution/sticker.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await expect(lab.passedCount).toHaveText('1 of 4 checkpoints passed')
    await axe(page, 'a passed sticker')
  })

  await test.step('defend: squares are painted on the training pictures', async () => {
    await lab.step('Defend')
    await lab.tab('Explore')
    await lab.slide(/^Epochs/, '1')
    await lab.run(120_000)
    await lab.run()
    await lab.verdict('Passed')
    await expect(lab.passedCount).toHaveText('2 of 4 checkpoints passed')
  })

  await test.step('re-attack: a larger sticker, made for the repaired model', async () => {
    await lab.step('Re-attack')
    await lab.write('again.ts', file('solution/again.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await expect(lab.finding).toContainText('The repair holds for the sticker that it knew.')
    await expect(lab.passedCount).toHaveText('3 of 4 checkpoints passed')
  })

  await test.step('Node confirms what the page said', async () => {
    expectConfirmed(await lab.saveEvidence(info), ['sticker', 'repaired', 'again'])
  })
})
