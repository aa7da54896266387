import { expect, test } from './fixtures.ts'
import { expectConfirmed, labFile, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })
const file = (path: string) => labFile(path, 'evasion-masked-gradients')

test('a learner goes round the mask, names its signs, chooses by evidence and leaves the threat model', async ({
  page,
  app,
  axe,
}, info) => {
  test.setTimeout(300_000)
  const lab = new LabPage(page)
  const evaluation = page.getByRole('region', { name: 'Evaluation' })

  await test.step('explore: a hill, a staircase, and two figures far apart', async () => {
    await lab.explore(app.at('#/lab/evasion-masked-gradients'))
    const around = page.getByRole('combobox', { name: 'Around the network stands' })
    await expect(page.getByText(/The gradient is 0 at none of these points/).first()).toBeVisible({
      timeout: 60_000,
    })
    await around.selectOption({ label: 'Four levels' })
    await expect(page.getByText(/exactly 0 at every one of these points/).first()).toBeVisible()
    await around.selectOption({ label: 'The vendor’s product' })
    await lab.run()
    const row = evaluation.getByRole('row', { name: /The vendor’s product/ })
    await expect(row.getByRole('cell')).toHaveText([
      /^30 of 30$/,
      /^(2[6-9]|30) of 30$/,
      /^[0-4] of 30$/,
      /^[0-4] of 30$/,
    ])
    await expect(evaluation.getByRole('listitem').filter({ hasText: 'The gradient is zero' })).toContainText(
      '100 %',
    )
    await axe(page, 'the landscape with an evaluation')
  })

  await test.step('code: the staircase, then half of the disguise, then none', async () => {
    await lab.step('Code')
    await lab.run()
    await expect(lab.problems).toContainText('seeThrough is not written yet')
    await lab.write('see-through.ts', file('mistakes/only-the-rounding.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('Half of the disguise is off')
    await axe(page, 'a failed attempt')
    await lab.write('see-through.ts', file('solution/see-through.ts'))
    await lab.run()
    await lab.verdict('Passed')
  })

  const question = page.getByRole('group', { name: 'Question' })
  const handIn = question.getByRole('button', { name: 'Hand in the answer' })

  await test.step('checkpoint: the signs, one too few, then all', async () => {
    await lab.step('Checkpoint')
    for (const sign of [/exactly 0 for most/, /random starting point/, /never asks the product/])
      await question.getByRole('checkbox', { name: sign }).check()
    await handIn.click()
    await lab.settled()
    await expect(question.getByText('Not yet', { exact: true })).toBeVisible()
    await question.getByRole('checkbox', { name: /output changes/ }).check()
    await handIn.click()
    await lab.settled()
    await expect(question.getByText('Passed', { exact: true })).toBeVisible()
  })

  await test.step('defend: the referee attacks what is recommended', async () => {
    await lab.step('Defend')
    await question.getByRole('radio', { name: /four levels/ }).check()
    await handIn.click()
    await lab.settled()
    await expect(question.getByText('Not yet', { exact: true })).toBeVisible()
    await question.getByRole('radio', { name: /two levels/ }).check()
    await handIn.click()
    await lab.settled()
    await expect(question.getByText('Passed', { exact: true })).toBeVisible()
    await axe(page, 'an answer that was measured')
  })

  await test.step('re-attack: sixteen pixels', async () => {
    await lab.step('Re-attack')
    await lab.write('few-pixels.ts', file('solution/few-pixels.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await expect(lab.passedCount).toHaveText('4 of 4 checkpoints passed')
    await axe(page, 'the finished lab')
  })

  expectConfirmed(await lab.saveEvidence(info), ['broken', 'broken-again', 'flags', 'held'])
})
