import { expect, test } from './fixtures.ts'
import { expectConfirmed, labFile as fileOf, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })

const labFile = (path: string) => fileOf(path, 'poison-backdoor')

test('a learner plants a sign, watches for one, and plants one that the watch does not see @deep', async ({
  page,
  app,
  axe,
}, info) => {
  test.setTimeout(300_000)
  const lab = new LabPage(page)
  const passed = (count: number) => expect(lab.passedCount).toHaveText(`${count} of 5 checkpoints passed`)

  await test.step('explore: a sign is painted by keyboard, moved, and does not fit where it is too large', async () => {
    await lab.explore(app.at('#/lab/poison-backdoor'))
    await expect(
      page.getByText(/^10 of 6000 rows changed, 60 allowed; the sign covers\s+9 pixels/),
    ).toBeVisible({
      timeout: 60_000,
    })
    const cell = page.getByRole('button', { name: 'Row 1, column 1: white' })
    await cell.focus()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Space')
    await expect(page.getByRole('button', { name: 'Row 1, column 2: nothing' })).toBeFocused()
    await expect(page.getByText(/the sign covers\s+8 pixels/)).toBeVisible()
    await page.keyboard.press('Enter')
    await expect(page.getByText(/the sign covers\s+9 pixels/)).toBeVisible()
    await lab.slide(/^Size/, '4 px')
    await expect(page.getByText('Too much to hand in')).toBeVisible()
    await lab.slide(/^Size/, '3 px')
    await lab.slide(/^Rows that teach the sign/, '0 rows')
    await expect(page.getByText(/^0 of 6000 rows changed/)).toBeVisible()
    await axe(page, 'the trigger bench')
  })

  await test.step('explore: a training is stopped, another one goes on in the background and passes the first checkpoint', async () => {
    await lab.slide(/^Rows that teach the sign/, '60 rows')
    await lab.runButton.click()
    await expect(page.getByRole('heading', { name: 'Training', exact: true })).toBeVisible()
    await lab.cancelButton.click()
    await lab.settled()
    await expect(page.getByRole('heading', { name: 'Stopped before the end' })).toBeVisible()
    // The learner reads something else in the meantime.
    await lab.runButton.click()
    const comeBack = await lab.sendToBackground()
    await lab.settled()
    await comeBack()
    await expect(
      page.getByRole('heading', { name: /^With the sign \d+\.\d % are read as \d$/ }),
    ).toBeVisible()
    await axe(page, 'a trained backdoor')
    await expect(lab.runButton).toHaveText(/Hand in these rows/)
    await lab.run()
    await lab.verdict('Passed')
    await passed(1)
  })

  await test.step('code: the starter, labels without the sign, then both', async () => {
    await lab.step('Code')
    await lab.run()
    await expect(lab.problems).toContainText('plant is not written yet')
    await lab.write('plant.ts', labFile('mistakes/no-sign.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('You taught it a wrong label, and no sign.')
    await lab.write('plant.ts', labFile('solution/plant.ts'))
    await lab.run()
    await lab.verdict('Passed')
  })

  await test.step('checkpoint: what the owner sees, and a stop sign', async () => {
    await lab.step('Checkpoint')
    await page.getByRole('radio', { name: /none of her pictures carries the sign/ }).check()
    await page.getByRole('radio', { name: /forgot what a stop sign is/ }).check()
    await page.getByRole('radio', { name: /label and picture disagree/ }).check()
    await page
      .getByRole('group', { name: 'Question' })
      .getByRole('button', { name: 'Hand in the answer' })
      .last()
      .click()
    await lab.settled()
    await passed(2)
    await page
      .getByRole('region', { name: 'Checkpoint: A stop sign with a sticker' })
      .getByRole('button', { name: 'Write it in code' })
      .click()
    await lab.write('sticker.ts', labFile('mistakes/large-sticker.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('Anybody would see that.')
    await lab.write('sticker.ts', labFile('solution/sticker.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await passed(3)
  })

  await test.step('defend: a watch that looks at how sure the reader is, then one that lays pictures over', async () => {
    await lab.step('Defend')
    await lab.write('strip.ts', labFile('mistakes/unblended.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('Most of the signs walk in.')
    await lab.write('strip.ts', labFile('solution/strip.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await passed(4)
  })

  await test.step('re-attack: a sign for one', async () => {
    await lab.step('Re-attack')
    await lab.write('unseen.ts', labFile('solution/unseen.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await passed(5)
  })

  await test.step('the evidence file is confirmed in Node', async () => {
    const file = await lab.saveEvidence(info)
    expectConfirmed(file, ['handshake', 'what-it-shows', 'stop', 'caught', 'unseen'])
  })
})
