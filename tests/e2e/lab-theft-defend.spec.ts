import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../../src/cli/node-platform.ts'
import { holds, watchCrossings } from './crossings.ts'
import { expect, test } from './fixtures.ts'
import { expectConfirmed, labFile, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })
const file = (path: string) => labFile(path, 'theft-defend')

test('a provider watches, limits and marks, and walks past the watch @deep', async ({
  page,
  app,
  axe,
}, info) => {
  test.setTimeout(300_000)
  const lab = new LabPage(page)
  const table = (name: string | RegExp) => page.getByRole('table', { name })

  await test.step('explore: a customer and a thief, as the provider sees them; bent answers', async () => {
    await lab.explore(app.at('#/lab/theft-defend'))
    await lab.run()
    await expect(page.getByText(/^customer: after 400 questions W is 0\.9\d\d, like a normal/)).toBeVisible()
    await page.getByRole('combobox', { name: 'Who asks' }).selectOption('jacobian')
    await expect(page.getByText(/^Papernot’s augmentation: .* not normal at all/)).toBeVisible()
    await expect(table('What the watches read').getByRole('row')).toHaveCount(8)
    await page.getByRole('button', { name: 'Measure', exact: true }).click()
    await expect(table('What the API says, and who feels it').getByRole('row')).toHaveCount(6)
    await expect(page.getByText(/The reverse sigmoid takes the mean confidence from 9/)).toBeVisible()
    await axe(page, 'an account')
  })

  await test.step('code: the starter, a watch with one sense, one that waits for the end, the right one', async () => {
    await lab.step('Code')
    await lab.tab('Code')
    await lab.run()
    await expect(lab.problems).toContainText('settle is not written yet')
    await lab.write('watch.ts', file('mistakes/shape-alone.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('One look is not enough')
    await lab.write('watch.ts', file('mistakes/last-look.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('Caught, but too late')
    await lab.write('watch.ts', file('solution/watch.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await axe(page, 'a watch')
  })

  await test.step('checkpoint: whom nobody sees', async () => {
    await lab.step('Checkpoint')
    const questions = page.getByRole('group', { name: 'Question' })
    await questions
      .first()
      .getByRole('radio', { name: /None\. His questions/ })
      .check()
    await questions
      .nth(1)
      .getByRole('radio', { name: /Honest users lose the confidence altogether/ })
      .check()
    await page.getByRole('button', { name: 'Hand in the answer' }).last().click()
    await lab.settled()
    await expect(lab.passedCount).toHaveText('2 of 6 checkpoints passed')
  })

  await test.step('defend: a trial, a tap that turns customers away, a mark that accuses innocents', async () => {
    await lab.step('Defend')
    await lab.tab('Explore')
    await lab.run()
    await expect(page.getByText(/3 of 4 stolen models proved, 0 of 4 innocent ones accused/)).toBeVisible()
    await expect(table(/^In numbers/).getByRole('row')).toHaveCount(9)
    await axe(page, 'a trial')
    await lab.write('limits.ts', file('mistakes/usual-day.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('Customers are turned away')
    await lab.write('limits.ts', file('solution/limits.ts'))
    await lab.run()
    await lab.verdict('Passed')
    // The second program of this step: its card leads to it.
    await page
      .getByRole('region', { name: 'Checkpoint: A secret that proves' })
      .getByRole('button', { name: 'Write it in code' })
      .click()
    await lab.write('mark.ts', file('mistakes/everyones-answer.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('Innocent models hit your triggers')
    await lab.write('mark.ts', file('solution/mark.ts'))
    await lab.run()
    await lab.verdict('Passed')
    const questions = page.getByRole('group', { name: 'Question' })
    await questions
      .first()
      .getByRole('radio', { name: /Nothing\. A clone learns/ })
      .check()
    await questions
      .nth(1)
      .getByRole('radio', { name: /trains long enough/ })
      .check()
    await page.getByRole('button', { name: 'Hand in the answer' }).last().click()
    await lab.settled()
    await expect(lab.passedCount).toHaveText('5 of 6 checkpoints passed')
  })

  await test.step('re-attack: families under one key are seen, apart they are not', async () => {
    await lab.step('Re-attack')
    await lab.write('plan.ts', file('mistakes/four-blocks.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('Families stand together')
    await lab.write('plan.ts', file('solution/plan.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await expect(lab.passedCount).toHaveText('6 of 6 checkpoints passed')
    await axe(page, 'the finished lab')
  })

  expectConfirmed(await lab.saveEvidence(info), [
    'watched',
    'unseen',
    'limited',
    'marked',
    'escaped',
    'again',
  ])
})

test('the model behind the log never enters the sandbox @deep', async ({ page, context, app }) => {
  test.setTimeout(180_000)
  const { buffer, byteOffset, byteLength } = readFileSync(
    join(repository, 'static/models/digits-cnn/weights.bin'),
  )
  const weights = new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength))
  /** Some of the first layer, some of the middle, the last bias. */
  const pieces = [weights.slice(0, 25), weights.slice(1000, 1030), weights.slice(-10)].map((piece) =>
    Array.from(piece),
  )
  const crossings = await watchCrossings(context)
  const lab = new LabPage(page)
  await lab.explore(app.at('#/lab/theft-defend'))
  await lab.step('Code')
  // Reads last week's accounts, prints what it sees of them, and gives up.
  await lab.write('watch.ts', file('starter/watch.ts'))
  await lab.run()
  await expect(lab.problems).toContainText('settle is not written yet')
  await lab.step('Defend')
  await page
    .getByRole('region', { name: 'Checkpoint: A secret that proves' })
    .getByRole('button', { name: 'Write it in code' })
    .click()
  await lab.write('mark.ts', file('starter/mark.ts'))
  await lab.run()
  await expect(lab.problems).toContainText('design is not written yet')

  const entered = crossings.filter(({ way }) => way === 'in')
  expect(
    entered.some(({ values }) => values.length === 400 && values.every((sure) => sure > 0 && sure <= 1)),
    'the confidences of an account were seen',
  ).toBe(true)
  for (const piece of pieces) {
    // The search finds what it looks for, with other numbers around it too.
    expect(holds({ way: 'in', values: [0.5, ...piece, 0.5] }, piece)).toBe(true)
    expect(entered.filter((crossing) => holds(crossing, piece))).toEqual([])
  }
})
