import type { Locator, Page } from '@playwright/test'
import { expect, test } from './fixtures.ts'

const headline = (page: Page) => page.getByRole('heading', { level: 1 })
const pad = (page: Page) => page.getByRole('application', { name: 'Drawing area' })
const epsilon = (page: Page) => page.getByRole('slider', { name: /Largest change per pixel/ })

/** Strokes in shares of the pad's width and height. */
async function draw(page: Page, area: Locator, ...strokes: [number, number][][]) {
  await area.scrollIntoViewIfNeeded()
  const box = (await area.boundingBox())!
  const place = ([x, y]: [number, number]) => [box.x + x * box.width, box.y + y * box.height] as const
  for (const [first, ...rest] of strokes) {
    await page.mouse.move(...place(first!))
    await page.mouse.down()
    for (const spot of rest) await page.mouse.move(...place(spot), { steps: 6 })
    await page.mouse.up()
  }
}

test('a visitor draws a seven, it is read, and one step fools the reader', async ({ page, app }) => {
  await page.goto(app.at())
  await expect(headline(page)).toHaveText(/This is an? \d/)
  await draw(page, pad(page), [
    [0.28, 0.22],
    [0.72, 0.22],
    [0.45, 0.82],
  ])
  await expect(headline(page)).toHaveText(/^It reads a 7\./)
  await epsilon(page).focus()
  await page.keyboard.press('Home')
  await expect(headline(page)).toHaveText('It reads a 7. Now take one step.')
  await page.keyboard.press('End')
  await expect(headline(page)).toHaveText(/^It reads a 7\. One step of 0\.30, and it reads an? [0-689]\.$/)
  await expect(page.getByText(/first misread at 0\.\d{3}/)).toBeVisible()
})

test('sample buttons stand in for drawing, and Clear empties the bench', async ({ page, app }) => {
  await page.goto(app.at())
  const samples = page.getByRole('button', { name: /^Use a sample/ })
  await expect(samples.first()).toBeVisible()
  const count = await samples.count()
  expect(count).toBeGreaterThanOrEqual(3)
  for (let i = 0; i < count; i++) {
    const label = /\d/.exec((await samples.nth(i).getAttribute('aria-label'))!)![0]
    await samples.nth(i).click()
    await expect(samples.nth(i)).toHaveAttribute('aria-pressed', 'true')
    await expect(headline(page)).toHaveText(new RegExp(`^This is an? ${label}[. ,]`))
  }
  await page.getByRole('button', { name: 'Clear' }).click()
  await expect(headline(page)).toHaveText('Draw a digit. Then nudge it.')
})

test('the keyboard alone draws a one and reaches the first lab', async ({ page, app }) => {
  await page.goto(app.at())
  await expect(headline(page)).toHaveText(/This is an? \d/)
  await tabTo(page, pad(page))
  for (let i = 0; i < 9; i++) await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Space')
  for (let i = 0; i < 18; i++) await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Space')
  await expect(headline(page)).toHaveText(/^It reads a 1\./)
  await tabTo(page, epsilon(page))
  await page.keyboard.press('End')
  await expect(headline(page)).toHaveText(/One step of 0\.30/)
  await tabTo(page, page.getByRole('link', { name: /^Start with/ }))
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/#\/lab\/evasion-fgsm/)
})

test('the badge names the backend and the seven tracks are there', async ({ page, app }) => {
  await page.goto(app.at())
  await expect(page.getByRole('link', { name: /^Backend: WASM/ })).toBeVisible()
  await expect(page.getByRole('heading', { level: 3 })).toHaveCount(7)
  const open = page.getByRole('region', { name: 'Labs' }).getByRole('link', { name: /minutes, ready/ })
  await expect(open).not.toHaveCount(0)
})

test('settings last: theme, backend, and the doctor agrees', async ({ page, app }) => {
  await page.goto(app.at('#/settings'))
  await page.getByRole('radiogroup', { name: 'Light or dark' }).getByRole('radio', { name: 'Dark' }).check()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
  await page.getByRole('radiogroup', { name: 'Backend' }).getByRole('radio', { name: 'CPU' }).check()
  await expect(page.getByRole('link', { name: /^Backend: CPU/ })).toBeVisible()
  await page.reload()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
  await expect(page.getByRole('link', { name: /^Backend: CPU/ })).toBeVisible()
  await page.getByRole('link', { name: 'Doctor', exact: true }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Doctor' })).toBeFocused()
  await expect(page.getByText('chosen by you')).toBeVisible()
})

test('the doctor looks at this machine and offers a report', async ({ page, app }) => {
  await page.goto(app.at('#/doctor'))
  await expect(page.getByText('Rung 2 of 5')).toBeVisible()
  const report = page.getByRole('textbox', { name: /report/ })
  await expect(report).toHaveValue(/Address: http:\/\/localhost/)
  await expect(report).toHaveValue(/WebAssembly with SIMD: works/)
  await expect(report).toHaveValue(/Saved work: works/)
  await expect(report).toHaveValue(/Backend: wasm/)
})

test('an address that is not there says so and leads back', async ({ page, app }) => {
  for (const route of ['#/nowhere', '#/lab/evasion-fgms', '#/lab/%E0%A4%A']) {
    await page.goto(app.at(route))
    await page.reload()
    await expect(headline(page)).toHaveText(/^There is no/)
    await expect(page.getByRole('main').getByRole('link').first()).toBeVisible()
  }
})

test('the licences page names source and licence of what is shipped', async ({ page, app }) => {
  await page.goto(app.at('#/licences'))
  await expect(page.getByRole('main')).toContainText('CC BY-SA 3.0')
  await expect(page.getByRole('main')).toContainText(/Open Font Licen[cs]e|OFL/)
})

test('axe finds nothing on home, settings, doctor, licences and not-found, light and dark', async ({
  page,
  app,
  axe,
}) => {
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme })
    for (const route of ['', '#/settings', '#/doctor', '#/licences', '#/nowhere']) {
      await page.goto(app.at(route))
      await page.reload()
      await expect(headline(page)).not.toHaveText('')
      await expect(page.getByRole('link', { name: /^Backend: (WASM|Not started)/ })).toBeVisible()
      await axe(page, `${route || 'home'}, ${theme}`)
    }
  }
})

test('home fits a phone without sideways scrolling and can be drawn on by touch', async ({
  page,
  app,
  axe,
}) => {
  await page.setViewportSize({ width: 390, height: 844 })
  await page.goto(app.at())
  await expect(headline(page)).toHaveText(/This is an? \d/)
  expect(await sidewaysOverflow(page)).toBe(0)
  await axe(page, 'home on a phone')
  await draw(page, pad(page), [
    [0.5, 0.15],
    [0.5, 0.85],
  ])
  await expect(headline(page)).toHaveText(/^It reads a 1\./)
})

test('home is read over plain http on a name that is not localhost @http', async ({ page, app }) => {
  await page.goto(app.at())
  expect(await page.evaluate(() => isSecureContext)).toBe(false)
  await expect(headline(page)).toHaveText(/This is an? \d/)
  await page.goto(app.at('#/doctor'))
  await expect(page.getByText('Rung 4 of 5')).toBeVisible()
  await expect(page.getByRole('textbox', { name: /report/ })).toHaveValue(/WebGPU: missing/)
})

test('home is read on WebGPU @webgpu', async ({ page, app }) => {
  await page.goto(app.at())
  await expect(page.getByRole('link', { name: /^Backend: WebGPU/ })).toBeVisible({ timeout: 60_000 })
  await expect(headline(page)).toHaveText(/This is an? \d/, { timeout: 120_000 })
})

/** Presses Tab until the element has focus, as a keyboard user would; fails after a hundred. */
async function tabTo(page: Page, target: Locator) {
  for (let presses = 0; presses < 100; presses++) {
    if (await target.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`a hundred presses of Tab do not reach ${target}`)
}

function sidewaysOverflow(page: Page): Promise<number> {
  return page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth))
}
