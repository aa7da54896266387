import { holds, watchCrossings } from './crossings.ts'
import { expect, test } from './fixtures.ts'
import { expectConfirmed, labFile, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })
const file = (path: string) => labFile(path, 'theft-equations')

test('a learner owns the model after 31 questions, and its weights never entered the sandbox', async ({
  page,
  context,
  app,
  axe,
}, info) => {
  test.setTimeout(240_000)
  const crossings = await watchCrossings(context)
  const lab = new LabPage(page)

  await test.step('explore: a theft is measured, and an earlier one stays beside it', async () => {
    await lab.explore(app.at('#/lab/theft-equations'))
    await lab.run()
    // Where the last weight hardly counts, as with this seed, the copy agrees well enough one row early.
    await expect(page.getByText(/A copy after 30 rows: it agrees on 100/).first()).toBeVisible()
    await page.getByRole('radio', { name: 'real patients' }).check()
    await lab.run()
    await expect(page.getByRole('table', { name: 'Thefts, latest first' }).getByRole('row')).toHaveCount(3)
    await expect(page.getByText(/No copy after \d+ rows/).first()).toBeVisible()
    await axe(page, 'two thefts')
  })

  await test.step('code: the starter, a wrong attempt with its finding, the right one', async () => {
    await lab.step('Code')
    await lab.run()
    await expect(lab.problems).toContainText('questions is not written yet')
    await lab.write('steal.ts', file('mistakes/real-patients.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('Answers of 0 and 1 have no digits left')
    crossings.length = 0
    await lab.write('steal.ts', file('solution/steal.ts'))
    await lab.run()
    await lab.verdict('Passed')
  })

  await test.step('the stolen weights left the sandbox; nothing that entered it holds them', () => {
    const stolen = crossings.find(({ way, values }) => way === 'out' && values.length === 30)!.values
    // The same search finds them on their way out, so it would find them on their way in.
    expect(crossings.some((crossing) => crossing.way === 'out' && holds(crossing, stolen))).toBe(true)
    const entered = crossings.filter(({ way }) => way === 'in')
    expect(
      entered.some(({ values }) => values.length === 62),
      'the 31 answers were seen',
    ).toBe(true)
    expect(entered.filter((crossing) => holds(crossing, stolen))).toEqual([])
  })

  await test.step('the provider’s log shows patients who never lived', async () => {
    const log = page.getByRole('region', { name: 'API log' })
    await expect(log.getByText(/31 rows answered in 1 request by 1 key; €1\.55/)).toBeVisible()
    await expect(log.getByRole('cell', { name: 'average in all 30' })).toBeVisible()
    await log.getByRole('radio', { name: 'refused' }).check()
    await expect(log.getByText('No request is like that.')).toBeVisible()
    await axe(page, 'the log')
  })

  await test.step('checkpoint: two digits, and what proves a theft', async () => {
    await lab.step('Checkpoint')
    await lab.write('rounded.ts', file('solution/rounded.ts'))
    await lab.run()
    await lab.verdict('Passed')
    const question = page.getByRole('group', { name: 'Question' })
    await question.getByRole('radio', { name: /Next to nothing/ }).check()
    await question.getByRole('button', { name: 'Hand in the answer' }).click()
    await lab.settled()
    await expect(lab.passedCount).toHaveText('3 of 5 checkpoints passed')
  })

  await test.step('defend: a counter that sends the doubtful home, then one that does not', async () => {
    await lab.step('Defend')
    await lab.write('counter.ts', file('mistakes/class-alone.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('The doubtful have vanished')
    await lab.write('counter.ts', file('solution/counter.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await axe(page, 'a counter')
  })

  await test.step('re-attack: a key is refused, fifteen keys are not', async () => {
    await lab.step('Re-attack')
    const solution = file('solution/labels.ts')
    await lab.write('labels.ts', solution.replace('return Math.floor(asked / perKey)', 'return 0'))
    await lab.run()
    await expect(lab.problems).toContainText('key 0 may ask about 40 rows and has 0 left')
    await lab.write('labels.ts', solution)
    await lab.run()
    await lab.verdict('Passed')
    await expect(lab.passedCount).toHaveText('5 of 5 checkpoints passed')
    await axe(page, 'the finished lab')
  })

  expectConfirmed(await lab.saveEvidence(info), ['exact', 'rounded', 'what-proves', 'counter', 'labels'])
})
