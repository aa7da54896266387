import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { repository } from '../../src/cli/node-platform.ts'
import { serve, type SeenRequest } from '../../src/cli/serve.ts'
import { expect, test as base } from './fixtures.ts'
import { buildHarness } from './harness/build.ts'
import type { BackendsHarness, Computed, Survived } from './harness/backends.ts'

/**
 * Part A, attacks without chance, compared element by element; poisoning, extraction and smoothing; PGD from random starts.
 * The other files of part B ask thousands of times for a picture: hours on software graphics.
 */
const graphicsVectors = readdirSync(join(repository, 'tests/reference/data')).filter((file) =>
  /^(A|C|B_pgd)_/.test(file),
)

interface Fixtures {
  compute(backend: string, threads?: boolean): Promise<Computed>
  trainThroughLoss(backend: string): Promise<Survived>
}

const test = base.extend<Fixtures, { folder: string }>({
  folder: [
    async ({}, use) => {
      const folder = await buildHarness('backends')
      await use(folder)
      rmSync(folder, { recursive: true, force: true })
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  served: [
    async ({ folder }, use) => {
      const log: SeenRequest[] = []
      const site = await serve(folder, { onRequest: (request) => log.push(request) })
      await use({ site, log, intercept: undefined })
      await site.close()
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  page: async ({ page, app }, use) => {
    await page.goto(app.at('backends.html'))
    await page.waitForFunction(() => 'harness' in window)
    await use(page)
  },
  compute: async ({ page }, use) => {
    await use((backend, threads) =>
      page.evaluate(
        ([name, many]) =>
          (window as unknown as { harness: BackendsHarness }).harness.compute(name as 'wasm', many),
        [backend, threads] as const,
      ),
    )
  },
  trainThroughLoss: async ({ page }, use) => {
    await use((backend) =>
      page.evaluate(
        (name) =>
          (window as unknown as { harness: BackendsHarness }).harness.trainThroughLoss(name as 'webgpu'),
        backend,
      ),
    )
  },
})

const furthest = (ours: number[], theirs: number[]) => {
  expect(ours).toHaveLength(theirs.length)
  expect(ours.every(Number.isFinite)).toBe(true)
  return Math.max(...ours.map((value, i) => Math.abs(value - theirs[i]!)))
}

/**
 * Every backend sums the same products in 32-bit floats, in another order; graphics devices also round their
 * divisions, exponentials and roots a little otherwise. For numbers of about 1 that stays below 1e-5; a wrong kernel
 * is off by 1e-2 and more.
 */
test('@webgpu every backend computes the same scores, input gradients and training step', async ({
  compute,
}) => {
  const wasm = await compute('wasm')
  expect(Math.max(...wasm.gradient.map(Math.abs)), 'a gradient worth comparing').toBeGreaterThan(0.05)
  for (const backend of ['cpu', 'webgl', 'webgpu']) {
    const other = await compute(backend)
    expect.soft(furthest(other.logits, wasm.logits), `${backend}: scores`).toBeLessThan(1e-5)
    expect.soft(furthest(other.loss, wasm.loss), `${backend}: losses`).toBeLessThan(1e-5)
    expect.soft(furthest(other.gradient, wasm.gradient), `${backend}: input gradients`).toBeLessThan(1e-5)
    expect.soft(Math.abs(other.trainedLoss - wasm.trainedLoss), `${backend}: mean loss`).toBeLessThan(1e-5)
    // Adam divides by the size of the gradient, so that its step of 0.01 enlarges small differences.
    expect.soft(furthest(other.trained, wasm.trained), `${backend}: trained weights`).toBeLessThan(1e-4)
  }
})

test('@webgpu a device destroyed in the middle of a training is survived on the next backend', async ({
  trainThroughLoss,
  pageErrors,
}) => {
  pageErrors.allow(/device|destroy|context|webgl|map/i)
  const { attempts, news, losses } = await trainThroughLoss('webgpu')
  expect(attempts).toEqual(['webgpu', 'webgl'])
  expect(news).toEqual([{ event: 'backend', name: 'webgl', why: 'webgpu lost its device' }])
  expect(losses).toHaveLength(4)
  expect(losses[3]).toBeLessThan(losses[0]!)
})

test('@webgpu a lost WebGL context is survived on WASM', async ({ trainThroughLoss, pageErrors }) => {
  pageErrors.allow(/context|webgl|lost/i)
  const { attempts, news, losses } = await trainThroughLoss('webgl')
  expect(attempts).toEqual(['webgl', 'wasm'])
  expect(news).toEqual([{ event: 'backend', name: 'wasm', why: 'webgl lost its device' }])
  expect(losses).toHaveLength(4)
  expect(losses[3]).toBeLessThan(losses[0]!)
})

/** What a step may cost a graphics device: budgets above what was counted, and no read-back at all. */
test('@webgpu steps of training and of an attack keep the device busy, not the line to it', async ({
  page,
}) => {
  const { train, attack } = await page.evaluate(() =>
    (window as unknown as { harness: BackendsHarness }).harness.gpuTraffic(),
  )
  console.log(`one training step: ${JSON.stringify(train)}\none attack step: ${JSON.stringify(attack)}`)
  // With tfjs' own operations 113 and 39 dispatches were counted, each with a write of its own.
  expect(train).toMatchObject({ readBacks: 0 })
  expect(attack).toMatchObject({ readBacks: 0 })
  expect(train.dispatches).toBeLessThanOrEqual(33)
  expect(attack.dispatches).toBeLessThanOrEqual(26)
  expect(Math.max(train.submits, attack.submits)).toBeLessThanOrEqual(1.5)
  expect(Math.max(train.uploads, attack.uploads)).toBeLessThanOrEqual(4)
  expect(Math.max(train.uploadedBytes, attack.uploadedBytes)).toBeLessThan(4000)
})

/** The numbers drawn are eighths, whose products and sums float32 holds exactly: any difference is a fault. */
test("@webgpu our gradient kernels equal tfjs' CPU kernels on random shapes", async ({ page }) => {
  const found = await page.evaluate(() =>
    (window as unknown as { harness: BackendsHarness }).harness.gpuKernels(6, 1),
  )
  expect(found).toHaveLength(18)
  for (const { kernel, of, apart } of found) expect.soft(apart, `${kernel}: ${of}`).toBe(0)
})

/** Runs files of reference vectors in the page; what does not hold fails the test by its name. */
async function expectVectors(page: Page, backend: string, files: string[]): Promise<void> {
  const reports = await page.evaluate(
    ([name, chosen]) =>
      (window as unknown as { harness: BackendsHarness }).harness.verify(name as 'webgpu', chosen),
    [backend, files] as const,
  )
  for (const { file, status, error, checks } of reports) {
    const faults = checks.filter(({ ok }) => !ok).map(({ name, note }) => `${name}: ${note}`)
    expect
      .soft({ file, status, error, faults })
      .toEqual({ file, status: 'pass', error: undefined, faults: [] })
  }
}

test('@webgpu reference vectors pass in the browser', async ({ page }) => {
  test.setTimeout(180_000)
  await expectVectors(page, 'webgpu', ['model_M1.json', 'model_M2.json', 'model_M3.json', 'A_fgsm.json'])
})

// Searches of tens of thousands of steps take most of an hour on software graphics.
for (const [backend, mark] of [
  ['webgpu', '@webgpu '],
  ['webgl', ''],
] as const) {
  for (const file of graphicsVectors) {
    test(`${mark}@deep ${file} passes in the browser on ${backend}`, async ({ page }) => {
      test.setTimeout(90 * 60_000)
      page.on('console', (line) => console.log(line.text()))
      await expectVectors(page, backend, [file])
    })
  }
}

/** tfjs' threads fail in a minified build, which this page is, unless src/build/tfjs-threads.ts mends them. */
test('a cross-origin isolated page of four cores computes on two WASM threads, to the same numbers', async ({
  page,
  folder,
  compute,
  strangersExpected,
}) => {
  // The isolated copy is served at a port of its own.
  strangersExpected.yes = true
  const plain = await compute('wasm')
  expect(plain.threads).toBe(1)
  const site = await serve(folder, { isolated: true })
  try {
    await page.addInitScript(() =>
      Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', { get: () => 4 }),
    )
    await page.goto(`${site.address}/backends.html`)
    await page.waitForFunction(() => 'harness' in window)
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
    expect(await compute('wasm', true)).toEqual({ ...plain, threads: 2 })
  } finally {
    await site.close()
  }
})
