import type { Locator, Page, TestInfo } from '@playwright/test'
import { expect, test, type ServedApp } from './fixtures.ts'
import { expectConfirmed, labFile, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })

test('a learner does the whole lab, wrong attempts included, and Node confirms it', async ({
  page,
  app,
  axe,
}, info) => wholeLab({ page, app, axe }, info))

test('a learner does the whole lab over plain http on a name that is not localhost @http', async ({
  page,
  app,
}, info) => {
  await page.goto(app.at())
  expect(await page.evaluate(() => isSecureContext)).toBe(false)
  await wholeLab({ page, app, axe: alreadySeen }, info)
})

// 250 training steps of 64 digits take a software adapter minutes; backends.spec.ts trains there on less.
test('a learner does the whole lab on WebGPU @webgpu @deep', async ({ page, app }, info) => {
  await page.goto(app.at())
  await expect(page.getByRole('link', { name: /^Backend: WebGPU/ })).toBeVisible({ timeout: 60_000 })
  await wholeLab({ page, app, axe: alreadySeen }, info, { patience: 15 })
})

/** axe judged the same states in the first of these tests. */
const alreadySeen = () => Promise.resolve()

async function wholeLab(
  { page, app, axe }: { page: Page; app: ServedApp; axe(page: Page, state: string): Promise<void> },
  info: TestInfo,
  /** How many times slower than WASM a backend may be. */
  { patience = 1 } = {},
): Promise<void> {
  test.setTimeout(patience * 400_000)
  const lab = new LabPage(page)

  await test.step('story', async () => {
    await lab.open(app.at('#/lab/evasion-fgsm'))
    await expect(lab.title).toHaveText('A cheque for eight thousand')
    await expect(lab.passedCount).toHaveText('0 of 5 checkpoints passed')
    await axe(page, 'the story')
    await lab.next()
  })

  await test.step('explore: the knobs move the figures and show their code', async () => {
    await expect(lab.title).toHaveText('Turn the knob')
    await lab.tab('Explore')
    await expect(page.getByRole('slider', { name: /ε/ }).first()).toBeEnabled()
    await lab.slide(/ε/, '0.250')
    await axe(page, 'the knobs')
    await page.getByRole('button', { name: 'Show the code these knobs ran' }).click()
    await expect(page.getByRole('dialog')).toContainText('attacks.fgsm(victim, x, y, { epsilon: 0.25')
    await axe(page, 'the code of the knobs')
    await page.keyboard.press('Escape')
    await lab.next()
  })

  await test.step('code: the starter says what to do first', async () => {
    await expect(lab.title).toHaveText('Write it')
    await lab.run()
    await expect(lab.problems).toContainText('fgsm is not written yet')
    await axe(page, 'the editor with a problem')
  })

  await test.step('code: a wrong attempt gets its named finding', async () => {
    await lab.write('fgsm.ts', labFile('mistakes/no-sign.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toBeVisible()
    await axe(page, 'a failed attempt')
    await lab.write('fgsm.ts', labFile('mistakes/epsilon-exceeded.ts'))
    await lab.run()
    await expect(lab.finding).toBeVisible()
    await expect(lab.passedCount).toHaveText('0 of 5 checkpoints passed')
  })

  await test.step('code: the right attempt passes', async () => {
    await lab.write('fgsm.ts', labFile('solution/fgsm.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await expect(lab.passedCount).toHaveText('1 of 5 checkpoints passed')
    await expect(page.getByRole('button', { name: /^Attempt 3, Passed/ })).toBeVisible()
    await axe(page, 'a passed attempt')
  })

  await test.step('checkpoint: the targeted step', async () => {
    await lab.step('Checkpoint')
    await lab.write('targeted.ts', labFile('solution/targeted.ts'))
    await lab.run()
    await lab.verdict('Passed')
  })

  await test.step('checkpoint: the question, wrong, then right', async () => {
    const question = page.getByRole('group', { name: 'Question' })
    const handIn = question.getByRole('button', { name: 'Hand in the answer' })
    await question.getByRole('radio', { name: /cheaper to compute/ }).check()
    await handIn.click()
    await lab.settled()
    await expect(question.getByText('Not yet', { exact: true })).toBeVisible()
    await axe(page, 'a wrong answer')
    await question.getByRole('radio', { name: /own allowance/ }).check()
    await handIn.click()
    await lab.settled()
    await expect(question.getByText('Passed', { exact: true })).toBeVisible()
    await expect(lab.passedCount).toHaveText('3 of 5 checkpoints passed')
  })

  await test.step('defend: training can be stopped, and a repair is handed in', async () => {
    await lab.step('Defend')
    await lab.tab('Explore')
    await lab.slide(/Strength/, '0.25')
    if (patience > 1) await lab.slide(/Epochs/, '1')
    await expect(lab.runButton).toHaveText(/Train the repair/)
    await lab.runButton.click()
    await expect(lab.cancelButton).toBeEnabled()
    await expect(page.getByRole('progressbar', { name: 'Progress' })).not.toHaveAttribute(
      'aria-valuenow',
      '0',
      { timeout: patience * 20_000 },
    )
    await lab.cancelButton.click()
    await lab.settled()
    await expect(page.getByText(/^Stopped\./)).toBeVisible()
    await axe(page, 'a stopped training')
    await lab.run(patience * 120_000)
    await expect(lab.runButton).toHaveText(/Hand in these weights/)
    await axe(page, 'a finished training')
    await lab.run()
    await lab.verdict('Passed')
  })

  await test.step('re-attack: small steps break the repair', async () => {
    await lab.step('Re-attack')
    await lab.write('again.ts', labFile('solution/again.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await expect(lab.passedCount).toHaveText('5 of 5 checkpoints passed')
    await axe(page, 'the finished lab')
  })

  const onPage = await lab.rows()
  expect(onPage).toHaveLength(3)
  const file = await test.step('export', () => lab.saveEvidence(info))

  await test.step('a reload resumes everything', async () => {
    await page.reload()
    await expect(lab.title).toHaveText('Attack the repair')
    await expect(lab.passedCount).toHaveText('5 of 5 checkpoints passed')
    await lab.tab('Evidence')
    expect(await lab.rows()).toEqual(onPage)
    await lab.tab('Code')
    await expect(page.getByRole('textbox', { name: /again\.ts/ })).toHaveValue(labFile('solution/again.ts'))
    await page.goto(app.at())
    await expect(page.getByRole('link', { name: /One step is enough.*passed/ })).toBeVisible()
  })

  await test.step('Node confirms every checkpoint', () =>
    expectConfirmed(file, ['fooled', 'targeted', 'why-sign', 'repaired', 'broken-again']))
}

test('the code that the knobs show runs in the editor as it stands', async ({ page, app }) => {
  const lab = new LabPage(page)
  await lab.open(app.at('#/lab/evasion-fgsm?step=explore'))
  await lab.slide(/ε/, '0.250')
  await lab.settled()
  await page.getByRole('button', { name: 'Show the code these knobs ran' }).click()
  await page.getByRole('button', { name: /^Open in the editor/ }).click()
  await expect(page.getByRole('textbox', { name: /explore\.ts/ })).toHaveValue(/epsilon: 0\.25/)
  await lab.run()
  await lab.verdict('Passed')
})

test('the keyboard alone turns the knobs, writes the attack, runs it and reads the verdict', async ({
  page,
  app,
}) => {
  const lab = new LabPage(page)
  await lab.open(app.at('#/lab/evasion-fgsm'))
  await page.keyboard.press('?')
  await expect(page.getByRole('dialog', { name: /keys/i })).toBeVisible()
  await page.keyboard.press('Escape')
  await page.keyboard.press(']')
  await expect(lab.title).toHaveText('Turn the knob')
  const strength = page.getByRole('slider', { name: /ε/ }).first()
  await expect(strength).toBeEnabled()
  await lab.settled()
  await tabTo(page, strength)
  const before = await strength.getAttribute('aria-valuetext')
  await page.keyboard.press('ArrowRight')
  await expect(strength).not.toHaveAttribute('aria-valuetext', before!)
  await page.keyboard.press(']')
  await expect(lab.title).toHaveText('Write it')
  await tabTo(page, page.getByRole('textbox', { name: /fgsm\.ts/ }))
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.insertText(labFile('solution/fgsm.ts'))
  await page.keyboard.press('ControlOrMeta+Enter')
  await expect(lab.passedCount).toHaveText('1 of 5 checkpoints passed', { timeout: 90_000 })
  await lab.verdict('Passed')
  await page.keyboard.press('g')
  await expect(page.getByRole('group', { name: 'Pictures' }).locator(':focus')).toHaveCount(1)
  await page.keyboard.press('1')
  await expect(page.getByRole('tab', { name: 'Explore' })).toHaveAttribute('aria-selected', 'true')
  await page.keyboard.press('[')
  await expect(lab.title).toHaveText('Turn the knob')
})

test('on a phone the knobs pass the first checkpoint, and nothing scrolls sideways', async ({
  page,
  app,
  axe,
}) => {
  await page.setViewportSize({ width: 390, height: 844 })
  const lab = new LabPage(page)
  await lab.open(app.at('#/lab/evasion-fgsm'))
  for (const step of ['Story', 'Explore', 'Code', 'Checkpoint', 'Defend', 'Re-attack'] as const) {
    await lab.step(step)
    expect(await sidewaysOverflow(page), `sideways scrolling at ${step}`).toBe(0)
  }
  await axe(page, 'the re-attack on a phone')
  const steps = page.getByRole('navigation', { name: 'Lab steps' }).getByRole('button')
  for (const one of await steps.all()) await expect(one).toBeInViewport({ ratio: 1 })
  await lab.step('Story')
  await page.getByRole('button', { name: /^Next: / }).click()
  await expect(lab.title).toBeInViewport()
  await lab.settled()
  await lab.slide(/ε/, '0.250')
  await axe(page, 'the knobs on a phone')
  await page.evaluate(() => scrollTo(0, 0))
  await lab.run()
  await lab.verdict('Passed')
  await expect(page.getByRole('tab', { name: 'Evidence' })).toBeInViewport()
  await axe(page, 'a verdict on a phone')
})

test('axe finds nothing in a lab in the dark, with its lists and questions open', async ({
  page,
  app,
  axe,
}) => {
  await page.emulateMedia({ colorScheme: 'dark' })
  const lab = new LabPage(page)
  await lab.open(app.at('#/lab/evasion-fgsm'))
  for (const step of ['Story', 'Explore', 'Code', 'Checkpoint', 'Defend', 'Re-attack'] as const) {
    await lab.step(step)
    for (const tab of ['Explore', 'Code', 'Evidence'] as const) {
      await lab.tab(tab)
      await axe(page, `${step}, ${tab}, dark`)
    }
  }
  await lab.step('Code')
  await page.keyboard.press('?')
  await axe(page, 'the list of keys')
  await page.keyboard.press('Escape')
  for (const name of ['Open the nudge', 'Open the pointer', 'Show the worked line']) {
    await page.getByRole('button', { name }).first().click()
  }
  await page.getByRole('button', { name: 'Show the solution' }).first().click()
  await axe(page, 'opened hints and the question before the solution')
})

test('a run can be cancelled, and an endless loop is stopped while the page answers', async ({
  page,
  app,
}) => {
  const lab = new LabPage(page)
  await lab.open(app.at('#/lab/evasion-fgsm?step=code'))
  await lab.settled()
  await lab.write('fgsm.ts', 'export async function fgsm() {\n  console.log("begun")\n  for (;;) {}\n}\n')
  await lab.runButton.click()
  await expect(page.getByRole('region', { name: 'Console' })).toContainText('begun')
  await page.getByRole('tab', { name: 'Explore' }).click()
  await expect(page.getByRole('tab', { name: 'Explore' })).toHaveAttribute('aria-selected', 'true')
  await lab.cancelButton.click()
  await lab.settled(5000)
  await lab.write('fgsm.ts', labFile('solution/fgsm.ts'))
  await lab.run()
  await lab.verdict('Passed')
})

test('a seed that is none is told so, and the one there was stays', async ({ page, app }) => {
  const lab = new LabPage(page)
  await lab.explore(app.at('#/lab/evasion-fgsm'), 7)
  const field = page.getByRole('textbox', { name: 'Seed' })
  const said = page.getByRole('alert').filter({ hasText: 'A seed is a whole number' })
  for (const wrong of ['12.5', '-1', 'seven', '4294967296']) {
    await field.fill(wrong)
    await field.press('Tab')
    await expect(said).toHaveText(
      `A seed is a whole number from 0 to 4294967295; got “${wrong}”. It stays 7.`,
    )
    await expect(field).toHaveValue('7')
  }
  await field.fill('8')
  await field.press('Tab')
  await expect(said).toHaveCount(0)
  await expect(field).toHaveValue('8')
})

test('a lab works on WebGPU: the attack runs there, the verdict comes from the referee, and Node confirms it @webgpu', async ({
  page,
  app,
}, info) => {
  const lab = new LabPage(page)
  await lab.open(app.at('#/lab/evasion-fgsm?step=code'))
  await expect(page.getByRole('link', { name: /^Backend: WebGPU/ })).toBeVisible({ timeout: 60_000 })
  await lab.write('fgsm.ts', labFile('solution/fgsm.ts'))
  if (await lab.cancelButton.isEnabled()) await lab.cancelButton.click()
  await lab.run(240_000)
  await lab.verdict('Passed')
  await expect(page.getByText(/^Attempt 1 from your code, seed \d+, WebGPU/)).toBeVisible()
  expectConfirmed(await lab.saveEvidence(info), ['fooled'])
})

async function tabTo(page: Page, target: Locator) {
  for (let presses = 0; presses < 150; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`150 presses of Tab do not reach ${target}`)
}

function sidewaysOverflow(page: Page): Promise<number> {
  return page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth))
}
