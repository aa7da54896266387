import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { Page } from '@playwright/test'
import { dist } from '../../src/cli/app.ts'
import { expect, test } from './fixtures.ts'
import { labFile, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })

const headline = (page: Page) => page.getByRole('heading', { level: 1 })
const saved = (page: Page) => page.getByText(/^Saved here/)

test('without storage the work stays in memory, the page says so, and evidence can still be saved', async ({
  page,
  app,
  axe,
}) => {
  test.setTimeout(240_000)
  await page.addInitScript(() => {
    const denied = () => {
      throw new DOMException('The operation is insecure.', 'SecurityError')
    }
    for (const name of ['localStorage', 'sessionStorage'])
      Object.defineProperty(globalThis, name, { get: denied })
    IDBFactory.prototype.open = denied
  })
  await page.goto(app.at())
  await expect(headline(page)).toHaveText(/This is an? \d/)
  await expect(page.getByText('Your work is not being saved')).toBeVisible()
  await axe(page, 'home without storage')
  const lab = new LabPage(page)
  await lab.open(app.at('#/lab/evasion-fgsm?step=code'))
  await lab.write('fgsm.ts', labFile('solution/fgsm.ts'))
  await lab.run(180_000)
  await lab.verdict('Passed')
  await expect(page.getByText('Not saved here')).toBeVisible()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save evidence file' }).click(),
  ])
  expect(download.suggestedFilename()).toMatch(/\.perturb\.json(\.gz)?$/)
})

test('two tabs merge instead of overwriting', async ({ page, context, app }) => {
  test.setTimeout(240_000)
  const first = new LabPage(page)
  const second = new LabPage(await context.newPage())
  for (const lab of [first, second]) await lab.open(app.at('#/lab/evasion-fgsm?step=code'))
  await first.write('fgsm.ts', labFile('solution/fgsm.ts'))
  await expect(saved(first.page)).toBeVisible()
  await second.page.bringToFront()
  await second.step('Checkpoint')
  await second.write('targeted.ts', '// from the second tab\n')
  await expect(saved(second.page)).toBeVisible()
  // What the first tab never saw written must not be lost when it saves again.
  await first.page.bringToFront()
  await first.page
    .getByRole('button', { name: /^Open the nudge/ })
    .first()
    .click()
  await expect(saved(first.page)).toBeVisible()
  await first.page.waitForFunction(() => document.visibilityState === 'visible')
  const third = new LabPage(await context.newPage())
  await third.open(app.at('#/lab/evasion-fgsm?step=code'))
  await third.tab('Code')
  await expect(third.page.getByRole('textbox', { name: /fgsm\.ts/ })).toHaveValue(labFile('solution/fgsm.ts'))
  await third.step('Checkpoint')
  await third.tab('Code')
  await expect(third.page.getByRole('textbox', { name: /targeted\.ts/ })).toHaveValue(
    '// from the second tab\n',
  )
})

test.describe('without a graphics card', () => {
  test.use({ backend: 'auto' })

  test('no WebGPU and no WebGL: WASM is taken, and the badge and the doctor say why', async ({
    page,
    app,
  }) => {
    // Also on a machine that has both: the engine's worker is given neither.
    app.intercept = (path, respond) => {
      if (!/\/engine\.worker-[\w-]+\.js$/.test(path)) return false
      const without =
        "Object.defineProperty(navigator, 'gpu', { value: undefined }); OffscreenCanvas.prototype.getContext = () => null\n"
      respond(200, Buffer.concat([Buffer.from(without), readFileSync(join(dist, path))]), 'text/javascript')
      return true
    }
    await page.goto(app.at())
    await expect(page.getByRole('link', { name: /^Backend: WASM/ })).toBeVisible()
    await expect(headline(page)).toHaveText(/This is an? \d/)
    await page.goto(app.at('#/doctor'))
    const report = page.getByRole('textbox', { name: /report/ })
    await expect(report).toHaveValue(
      /webgpu: not usable \(not in this browser, or the page is not in a secure/,
    )
    await expect(report).toHaveValue(/webgl: not usable \(no WebGL 2 in this browser\)/)
  })
})

test.describe('a backend that is not there', () => {
  test.use({ backend: 'webgpu' })

  test('a chosen backend that does not work here is told, and another one works', async ({ page, app }) => {
    await page.goto(app.at('#/doctor'))
    await expect(page.getByText(/you chose WebGPU, which does not work here/)).toBeVisible()
    await expect(page.getByRole('link', { name: /^Backend: (WASM|CPU|WebGL)/ })).toBeVisible()
  })
})

test('a damaged weights file is refused by name', async ({ page, app, pageErrors }) => {
  pageErrors.allow(/./)
  app.intercept = (path, respond) => {
    if (!path.endsWith('/weights.bin')) return false
    respond(200, new Uint8Array(45_000).fill(7), 'application/octet-stream')
    return true
  }
  await page.goto(app.at())
  await expect(headline(page)).toHaveText('The reader could not start.')
  await expect(page.getByRole('alert')).toContainText('models/digits-cnn/weights.bin')
  await expect(page.getByRole('alert')).toContainText(/sha256|checksum/i)
  app.intercept = undefined
  await page.getByRole('button', { name: 'Try again' }).click()
  await expect(headline(page)).toHaveText(/This is an? \d/)
})

test('a data file cut short is refused by name in the lab', async ({ page, app, pageErrors }) => {
  pageErrors.allow(/./)
  app.intercept = (path, respond) => {
    if (!path.endsWith('mnist10k/test.png')) return false
    respond(200, new Uint8Array(1000), 'image/png')
    return true
  }
  const lab = new LabPage(page)
  await lab.open(app.at('#/lab/evasion-fgsm?step=explore'))
  await expect(page.getByRole('alert').first()).toContainText('data/mnist10k/test.png')
})

test('a server that goes away leaves the page and the work', async ({ page, app, pageErrors }) => {
  pageErrors.allow(/./)
  await page.goto(app.at())
  await expect(headline(page)).toHaveText(/This is an? \d/)
  app.intercept = (_, respond) => {
    respond(503, new Uint8Array(), 'text/plain')
    return true
  }
  await page.getByRole('link', { name: 'Settings', exact: true }).click()
  await expect(headline(page)).toHaveText('This page did not load')
  app.intercept = undefined
  await page.getByRole('button', { name: 'Reload the app' }).click()
  await expect(headline(page)).toHaveText('Settings')
})

test.describe('evidence files', () => {
  const importing = async (page: Page, name: string, bytes: Uint8Array) => {
    await page
      .getByLabel('Evidence file')
      .setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(bytes) })
  }

  test('empty, truncated, foreign and future files are refused in words; a good one comes back', async ({
    page,
    app,
    axe,
  }) => {
    test.setTimeout(240_000)
    const lab = new LabPage(page)
    await lab.open(app.at('#/lab/evasion-fgsm?step=code'))
    await lab.write('fgsm.ts', labFile('solution/fgsm.ts'))
    await lab.run(180_000)
    await lab.verdict('Passed')
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save evidence file' }).click(),
    ])
    const raw = readFileSync(await download.path())
    const text = raw[0] === 0x1f ? gunzipSync(raw) : raw
    const bundle = JSON.parse(text.toString('utf8')) as Record<string, unknown>

    await page.goto(app.at('#/settings'))
    await page.getByRole('button', { name: 'Erase my work' }).click()
    await axe(page, 'the question before erasing')
    await page.getByRole('dialog').getByRole('button', { name: 'Erase', exact: true }).click()
    await expect(page.getByText('Your work on this machine is erased.')).toBeVisible()

    const refused: [string, Uint8Array, RegExp][] = [
      ['empty.perturb.json', new Uint8Array(), /empty/i],
      ['half.perturb.json', text.subarray(0, Math.floor(text.length / 2)), /./],
      ['foreign.json', Buffer.from('{"name":"something else"}'), /./],
      ['future.perturb.json', Buffer.from(JSON.stringify({ ...bundle, schema: 99 })), /99/],
      ['bomb.perturb.json.gz', gzipSync(Buffer.alloc(101_000_000, 32)), /100 MB|too large|larger/i],
    ]
    for (const [name, bytes, words] of refused) {
      await importing(page, name, bytes)
      await expect(page.getByRole('alert'), name).toContainText('That did not work')
      await expect(page.getByRole('alert'), name).toContainText(words)
    }
    await importing(page, 'good.perturb.json', raw)
    await expect(page.getByText(/^Taken from good\.perturb\.json: 1 attempt in 1 lab/)).toBeVisible()
    await lab.open(app.at('#/lab/evasion-fgsm'))
    await expect(lab.passedCount).toHaveText('1 of 5 checkpoints passed')
  })
})
