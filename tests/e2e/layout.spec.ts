import { expect, test } from './fixtures.ts'
import { LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })

test('the edge between guide and bench is dragged, moved by keys within its limits, and put back', async ({
  page,
  app,
}) => {
  const lab = new LabPage(page)
  await lab.open(app.at('#/lab/evasion-fgsm'))
  const guide = page.getByRole('complementary', { name: 'Guide' })
  const edge = page.getByRole('separator', { name: 'Width of the guide' })
  const width = async () => Math.round((await guide.boundingBox())!.width)
  const usual = await width()

  const { x, y, width: wide, height } = (await edge.boundingBox())!
  await page.mouse.move(x + wide / 2, y + height / 2)
  await page.mouse.down()
  await page.mouse.move(x + wide / 2 - 60, y + height / 2, { steps: 3 })
  await page.mouse.up()
  await expect.poll(width).toBe(usual - 60)

  await edge.focus()
  await page.keyboard.press('ArrowRight')
  await expect.poll(width).toBe(usual - 44)
  for (const [key, limit] of [
    ['Home', 'aria-valuemin'],
    ['End', 'aria-valuemax'],
  ] as const) {
    await page.keyboard.press(key)
    await expect.poll(width).toBe(Number(await edge.getAttribute(limit)))
    await expect(edge).toHaveAttribute('aria-valuenow', `${await width()}`)
  }
  await page.keyboard.press('Enter')
  await expect.poll(width).toBe(usual)
})

test('on a desktop the page itself never scrolls, however long its panes are', async ({ page, app }) => {
  const lab = new LabPage(page)
  await lab.open(app.at('#/lab/evasion-fgsm'))
  for (const step of ['Story', 'Explore', 'Code', 'Checkpoint', 'Defend', 'Re-attack'] as const) {
    await lab.step(step)
    await expect(page.getByRole('tab', { name: 'Evidence' })).toBeVisible()
    const beyond = () => page.evaluate(() => document.documentElement.scrollHeight - innerHeight)
    expect(await beyond(), `at ${step}`).toBeLessThanOrEqual(0)
  }
})
