import { expect, test } from './fixtures.ts'
import { labFile, LabPage } from './lab-page.ts'

// Every test fails when the page throws (see fixtures.ts); the second editor of a visit once did.
test('the full editor opens again after another step, takes the program and runs it', async ({
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
  await lab.step('Explore')
  await lab.step('Code')
  await expect(text).toContainText('unknownName')
  await page.locator('.view-line').first().click()
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.insertText(labFile('solution/fgsm.ts'))
  await page.keyboard.press('ControlOrMeta+Enter')
  await lab.verdict('Passed')
})
