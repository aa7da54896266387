import type { Page } from '@playwright/test'
import { expect, test } from './fixtures.ts'
import { labFile, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })

/** Ends one of the page's two workers as a fault of our own would: an error that nothing catches. */
async function crash(page: Page, role: 'engine' | 'referee'): Promise<void> {
  const worker = page.workers().find((worker) => worker.url().includes(`${role}.worker`))
  expect(worker, `a running ${role}`).toBeDefined()
  await worker!.evaluate(() => {
    setTimeout(() => {
      throw new Error('a fault made by the test')
    })
  })
}

test('an engine that crashes in the middle of a training is told, and a fresh one goes on', async ({
  page,
  app,
  pageErrors,
}) => {
  test.setTimeout(240_000)
  pageErrors.allow(/a fault made by the test/)
  const lab = new LabPage(page)
  await lab.open(app.at('#/lab/evasion-fgsm?step=defend'))
  await lab.tab('Explore')
  const bar = page.getByRole('progressbar', { name: 'Progress' })
  const begin = async () => {
    await expect(lab.runButton).toHaveText(/Train the repair/)
    await expect(lab.runButton).toBeEnabled()
    await lab.runButton.click()
    await expect(lab.cancelButton).toBeEnabled()
    await expect(bar).not.toHaveAttribute('aria-valuenow', '0')
  }
  await begin()
  await crash(page, 'engine')
  await lab.settled(10_000)
  await expect(
    page.getByText(/The engine stopped before it had an answer: .*try again/).first(),
  ).toBeVisible()
  await begin()
  await lab.cancelButton.click()
  await lab.settled()
  await expect(page.getByText(/^Stopped\./)).toBeVisible()
  // A program of the learner's meets the fresh engine too.
  await lab.step('Code')
  await lab.write('fgsm.ts', labFile('solution/fgsm.ts'))
  await lab.run()
  await lab.verdict('Passed')
})

test('a referee that crashes while it measures says so, and the kept attempt is measured again', async ({
  page,
  app,
  pageErrors,
}) => {
  test.setTimeout(240_000)
  pageErrors.allow(/a fault made by the test/)
  const lab = new LabPage(page)
  await lab.open(app.at('#/lab/evasion-fgsm?step=code'))
  await lab.write('fgsm.ts', labFile('solution/fgsm.ts'))
  await lab.run()
  await lab.verdict('Passed')
  // Answers of the crashed worker never come: it is stopped in the middle of the next measurement.
  const referee = page.workers().find((worker) => worker.url().includes('referee.worker'))!
  await referee.evaluate(() => {
    const answer = globalThis.onmessage
    globalThis.onmessage = function (event: MessageEvent) {
      if ((event.data as { method?: string }).method !== 'grade')
        return answer?.call(globalThis as never, event)
      setTimeout(() => {
        throw new Error('a fault made by the test')
      })
    }
  })
  await lab.tab('Code')
  await lab.run()
  await lab.verdict('Unavailable')
  await expect(page.getByText(/The referee stopped before it had an answer/).first()).toBeVisible()
  await page.getByRole('button', { name: 'Measure it again' }).click()
  await lab.settled()
  await lab.verdict('Passed')
  await expect(page.getByRole('button', { name: /^Attempt 2, Passed/ })).toBeVisible()
})
