import { rmSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { serve, type SeenRequest } from '../../src/cli/serve.ts'
import { expect, test as base } from './fixtures.ts'
import { buildHarness } from './harness/build.ts'
import type { EditorHarness } from './harness/editor.ts'

const test = base.extend({
  served: [
    async ({}, use) => {
      const folder = await buildHarness('editor')
      const log: SeenRequest[] = []
      const site = await serve(folder, { onRequest: (request) => log.push(request) })
      await use({ site, log, intercept: undefined })
      await site.close()
      rmSync(folder, { recursive: true, force: true })
    },
    { scope: 'worker', timeout: 180_000 },
  ],
})

const told = (page: Page) => page.evaluate(() => (window as unknown as { harness: EditorHarness }).harness)
const open = async (page: Page, address: string) => {
  await page.goto(address)
  await page.locator('.monaco-editor .view-lines').waitFor()
}
/** Sets the cursor behind a text on the screen. */
async function clickBehind(page: Page, text: string) {
  await page.locator('.view-line', { hasText: text }).first().click()
  await page.keyboard.press('End')
}

test('checks types against the lab module, shows its docs and completes its names', async ({ page, app }) => {
  await open(page, app.at('editor.html'))
  await clickBehind(page, 'return tf.add')
  await page.keyboard.type('\nvictim.nothing()\nconst n: number = "text"\nvictim.lo')
  await expect
    .poll(async () => (await told(page)).problems.map(({ message }) => message))
    .toEqual(
      expect.arrayContaining([
        expect.stringContaining("'nothing' does not exist on type 'Victim'"),
        expect.stringContaining("'string' is not assignable to type 'number'"),
      ]),
    )
  const [problem] = (await told(page)).problems
  expect(problem).toMatchObject({ file: 'fgsm.ts', line: 6, severity: 'error', source: 'editor' })
  await page.keyboard.press('Control+Space')
  await expect(page.locator('.suggest-widget')).toContainText('lossAndGradient')
  await page.keyboard.press('Escape')
  await page
    .locator('.view-line span span', { hasText: /^lossAndGradient$/ })
    .first()
    .hover()
  await expect(page.locator('.monaco-hover:not(.hidden)')).toContainText('how each pixel changes it')
})

test('finds no fault with a right program in two files, one of them read only', async ({ page, app }) => {
  await open(page, app.at('editor.html'))
  await page.getByRole('button', { name: 'switch' }).click()
  await clickBehind(page, 'data.sample')
  await page.keyboard.type('nothing may be written')
  await page.waitForTimeout(3000)
  expect((await told(page)).changes).toEqual([])
  expect((await told(page)).problems).toEqual([])
})

test('runs on Ctrl+Enter once, and lets Tab leave after Ctrl+M', async ({ page, app }) => {
  await open(page, app.at('editor.html'))
  await clickBehind(page, 'return tf.add')
  await page.keyboard.press('Control+Enter')
  expect((await told(page)).runs).toBe(1)
  await expect(page.getByRole('status')).toContainText('Tab indents. Ctrl M lets it leave the editor.')
  await page.keyboard.press('Control+m')
  await expect(page.getByRole('status')).toContainText('Tab moves on.')
  await page.keyboard.press('Tab')
  await expect(page.getByRole('button', { name: 'after' })).toBeFocused()
  expect((await told(page)).changes).toEqual([])
})

test('draws the error of the last run in the text, in both themes', async ({ page, app }) => {
  for (const theme of ['light', 'dark']) {
    await open(page, app.at(`editor.html?theme=${theme}`))
    await expect(page.locator('.squiggly-error').first()).toBeAttached()
  }
})

test('as a plain text area: Tab leaves it, Ctrl+Enter runs, lines are numbered', async ({ page, app }) => {
  await page.goto(app.at('editor.html?mode=textarea'))
  const area = page.getByRole('textbox', { name: 'Your program, fgsm.ts' })
  await area.click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('// more')
  await page.keyboard.press('Control+Enter')
  expect((await told(page)).runs).toBe(1)
  expect((await told(page)).changes.at(-1)![1]).toContain('// more')
  await page.keyboard.press('Tab')
  await expect(page.getByRole('button', { name: 'after' })).toBeFocused()
  await expect(page.locator('.numbers .error')).toHaveText('5')
  expect(app.requests.filter(({ path }) => /monaco|ts\.worker/.test(path))).toEqual([])
})

test('falls back to the plain editor with a sentence when the full one cannot be loaded', async ({
  page,
  app,
  pageErrors,
}) => {
  pageErrors.allow(/Failed to (load|fetch)|404/)
  await page.route(/assets\/editor-monaco-.*\.js/, (route) => route.fulfill({ status: 404, body: '' }))
  await page.goto(app.at('editor.html'))
  await expect(page.getByRole('status')).toContainText('The full editor could not be loaded')
  await page.getByRole('textbox', { name: 'Your program, fgsm.ts' }).fill('// still here')
  expect((await told(page)).changes.at(-1)).toEqual(['fgsm.ts', '// still here'])
})
