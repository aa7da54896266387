import { expect, test } from './fixtures.ts'
import { expectConfirmed, labFile as fileOf, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })

const labFile = (path: string) => fileOf(path, 'poison-recommender')

test('a learner pushes an item with invented shoppers, finds such shoppers, and invents others @deep', async ({
  page,
  app,
  axe,
}, info) => {
  test.setTimeout(300_000)
  const lab = new LabPage(page)
  const head = page.getByRole('heading', { name: /: from \d+\.\d % to \d+\.\d % of the lists$/ })
  const profiles = page.getByRole('region', { name: 'Profiles by suspicion' })

  await test.step('explore: random shoppers do nothing, a bandwagon passes the first checkpoint', async () => {
    await lab.explore(app.at('#/lab/poison-recommender'))
    await expect(lab.title).toHaveText('Invent somebody')
    await expect(head).toBeVisible({ timeout: 60_000 })
    await expect(page.getByText('Simulated', { exact: true }).first()).toBeVisible()
    await expect(page.getByRole('group', { name: /^Shopper \d+$/ })).toHaveCount(4)
    await expect(profiles.getByRole('row')).toHaveCount(9)
    await axe(page, 'the shop bench')
    const painted = page
      .getByTitle(/^Bag \d+$/)
      .locator('span')
      .first()
    await expect(painted).toHaveCSS('background-image', /^url\("blob:/)
    const found = page.getByRole('region', { name: 'What likeness finds: table' })
    await expect(found).toHaveCount(0)
    await page.keyboard.press('t')
    await expect(found.getByRole('row').nth(100)).toBeVisible()
    await axe(page, 'the shop bench, its charts as tables')
    await page.keyboard.press('t')
    await expect(found).toHaveCount(0)
    await page.getByRole('radio', { name: 'bandwagon' }).check()
    await lab.slide(/Praised beside the item/, '16 items')
    await lab.slide(/Drawn from the most popular/, '30 items')
    await lab.slide(/Filled in/, '0 items')
    await expect(page.getByText(/The knobs have moved since/)).toBeVisible()
    await lab.run()
    await expect(profiles.getByRole('cell', { name: 'invented', exact: true })).toHaveCount(8)
    await expect(lab.runButton).toHaveText(/Hand in these shoppers/)
    await lab.run()
    await lab.verdict('Passed')
    await lab.passed(1)
  })

  await test.step('code: the starter, the wrong people, then the right ones', async () => {
    await lab.step('Code')
    await lab.run()
    await expect(lab.problems).toContainText('invent is not written yet')
    await lab.write(
      'profiles.ts',
      labFile('starter/profiles.ts').replace(/ {2}throw[^]*\n {2}\)/, '  return [[]]'),
    )
    await lab.run()
    await expect(lab.problems).toContainText('profiles[0] must be a list of { item, stars } with one rating')
    await lab.fails(
      'profiles.ts',
      labFile('mistakes/random-fillers.ts'),
      'Nobody knows what your shoppers like.',
    )
    await axe(page, 'a push that failed')
    await lab.passes('profiles.ts', labFile('solution/profiles.ts'))
  })

  await test.step('checkpoint: what would have told', async () => {
    await lab.step('Checkpoint')
    await lab.answer(/how many lists it is in/, /who liked what together/, /too much like one another/)
    await lab.passed(2)
  })

  await test.step('defend: the bench draws what likeness finds; the program finds them', async () => {
    await lab.step('Defend')
    await lab.tab('Explore')
    await expect(page.getByText('What likeness finds')).toBeVisible({ timeout: 60_000 })
    await lab.slide(/Leave out the first/, '40 shoppers')
    await lab.run()
    await expect(page.getByText(/left out: \d+ of 30 invented, \d+ honest shoppers/)).toBeVisible()
    await axe(page, 'the shop bench for a filter')
    await lab.tab('Code')
    await lab.fails('filter.ts', labFile('mistakes/filter-oddest.ts'), 'You left out the ones of a kind.')
    await lab.passes('filter.ts', labFile('solution/filter.ts'))
    await lab.passed(3)
  })

  await test.step('re-attack: what the filter does not look at', async () => {
    await lab.step('Re-attack')
    await lab.fails('again.ts', labFile('mistakes/again-as-before.ts'), 'Poured from one mould, and found.')
    await lab.passes('again.ts', labFile('solution/again.ts'))
    await lab.passed(4)
  })

  await test.step('the evidence file is confirmed in Node', async () => {
    const file = await lab.saveEvidence(info)
    expectConfirmed(file, ['filtered', 'pushed', 'slipped', 'what-to-watch'])
  })
})
