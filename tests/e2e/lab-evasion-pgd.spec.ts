import { expect, test } from './fixtures.ts'
import { expectConfirmed, labFile, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })

const file = (path: string) => labFile(path, 'evasion-pgd')

test('a learner pushes until it breaks, repairs three attacks, and brings a quick test’s number down', async ({
  page,
  app,
  axe,
}, info) => {
  test.setTimeout(300_000)
  const lab = new LabPage(page)

  await test.step('explore: the film shows where the digit falls', async () => {
    await lab.explore(app.at('#/lab/evasion-pgd'))
    await expect(lab.title).toHaveText('Watch it climb')
    const film = page.getByRole('figure', { name: 'The way, step by step' })
    await expect(film.getByRole('listitem')).toHaveCount(8)
    await expect(film.getByRole('img', { name: /^After step 0: reads/ })).toBeVisible()
    await lab.slide(/ε/, '0.300')
    await expect(film).toContainText(/Read as \d from step \d+ on the way/)
    await film.getByText('As a table').click()
    await expect(film.getByRole('row')).toHaveCount(9)
    await lab.settled()
    await axe(page, 'the film of an attack')
  })

  await test.step('code: steps that never arrive are named, and the right loop passes', async () => {
    await lab.step('Code')
    await lab.write('pgd.ts', file('mistakes/tiny-steps.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('too small to reach the ball')
    await expect(lab.finding).toContainText('10 steps of')
    await axe(page, 'a failed attempt')
    await lab.write('pgd.ts', file('solution/pgd.ts'))
    await lab.run()
    await lab.verdict('Passed')
  })

  await test.step('checkpoint: the length, three broken attacks, and their names', async () => {
    await lab.step('Checkpoint')
    await lab.write('pgd-l2.ts', file('solution/pgd-l2.ts'))
    await lab.run()
    await lab.verdict('Passed')
    expect((await lab.rows()).join()).toContain('L2')

    await page.getByRole('button', { name: 'Run broken.ts' }).click()
    await lab.settled()
    await expect(lab.finding).toContainText('The first attack: ')
    await lab.write('broken.ts', file('solution/broken.ts'))
    await lab.run()
    await lab.verdict('Passed')

    const questions = page.getByRole('group', { name: 'Question' })
    for (const answer of [
      /too small/,
      /no projection: the change/,
      /in 0..255, and the model/,
      /Nothing that matters/,
    ])
      await questions.getByRole('radio', { name: answer }).check()
    await page.getByRole('button', { name: 'Hand in the answer' }).first().click()
    await lab.settled()
    await expect(lab.passedCount).toHaveText('4 of 6 checkpoints passed')
    await axe(page, 'four traces named')
  })

  await test.step('defend: a model that passes the quick test', async () => {
    await lab.step('Defend')
    await lab.tab('Explore')
    await lab.slide(/Epochs/, '1')
    await lab.run(120_000)
    await expect(lab.runButton).toHaveText(/Hand in these weights/)
    await lab.run()
    await lab.verdict('Passed')
    await axe(page, 'a hardened model')
  })

  await test.step('re-attack: the quick test again is not enough, more effort is', async () => {
    await lab.step('Re-attack')
    await lab.tab('Code')
    await lab.run()
    await expect(lab.finding).toContainText('That is the quick test again.')
    await lab.write('again.ts', file('solution/again.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await expect(lab.passedCount).toHaveText('6 of 6 checkpoints passed')
    await axe(page, 'the finished lab')
  })

  const evidence = await lab.saveEvidence(info)
  await test.step('Node confirms every checkpoint', () =>
    expectConfirmed(evidence, [
      'linf',
      'l2',
      'repaired-attacks',
      'three-faults',
      'hardened',
      'honest-number',
    ]))
})
