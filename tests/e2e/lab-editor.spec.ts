import { expect, test } from './fixtures.ts'
import { labFile, LabPage } from './lab-page.ts'

// Every test fails when the page throws (see fixtures.ts); the second editor of a visit once did.
test('the full editor opens again after another page, takes the program and runs it', async ({
  page,
  app,
}) => {
  const lab = new LabPage(page)
  const text = page.locator('.monaco-editor .view-lines')
  await lab.open(app.at('#/lab/evasion-fgsm?step=code'))
  await expect(text).toContainText('lossAndGradient')
  // The language service is up once an unknown name is marked.
  await page.locator('.view-line').first().click()
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.insertText('unknownName\n')
  await expect(lab.problems).toContainText("Cannot find name 'unknownName'")
  // Without a reload: another lab page makes an editor of its own.
  await page.evaluate(() => void (location.hash = '#/settings'))
  await expect(page.getByRole('heading', { level: 1, name: 'Settings' })).toBeVisible()
  await expect(text).toHaveCount(0)
  await page.evaluate(() => void (location.hash = '#/lab/evasion-fgsm?step=code'))
  await expect(text).toContainText('unknownName')
  await page.locator('.view-line').first().click()
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.insertText(labFile('solution/fgsm.ts'))
  await page.keyboard.press('ControlOrMeta+Enter')
  await lab.verdict('Passed')
})

test('the full editor knows the files that a program imports from another step', async ({ page, app }) => {
  const lab = new LabPage(page)
  const text = page.locator('.monaco-editor .view-lines')
  await lab.open(app.at('#/lab/evasion-minimum-norm?step=reattack'))
  await lab.tab('Code')
  await expect(text).toContainText("from './deepfool'")
  await page.locator('.view-line').first().click()
  await page.keyboard.press('ControlOrMeta+Home')
  await page.keyboard.insertText("import { nothing } from './nowhere'\n")
  // The checker has looked at the imports once it tells of this one, and of no other.
  await expect(lab.problems).toContainText("Cannot find module './nowhere'")
  await expect(lab.problems).not.toContainText("'./deepfool'")
  await expect(lab.problems).not.toContainText("'./smallest'")
})
