import type { Page } from '@playwright/test'
import { steps } from '../../../labs/manifest.ts'
import { median, type AppFigure } from '../figure.ts'

const runButton = (page: Page) =>
  page.getByRole('group', { name: 'Run', exact: true }).getByRole('button').first()
const lab = (address: string, step: string, slug = 'evasion-fgsm') => `${address}/#/lab/${slug}?step=${step}`
const underWay = async (page: Page) => {
  const progress = page.getByRole('progressbar', { name: 'Progress' })
  await page.waitForFunction(
    (bar) => Number(bar?.getAttribute('aria-valuenow')) > 0,
    await progress.elementHandle(),
  )
}
const ready = (page: Page) => page.getByRole('slider', { disabled: false }).first().waitFor()

interface Scene {
  name: string
  title: string
  /** Once, where it takes long; otherwise the median of the rounds. */
  once?: true
  /** Up to where the looking begins. */
  before(page: Page, address: string): Promise<void>
  scene(page: Page, address: string): Promise<void>
}

const scenes: Scene[] = [
  {
    name: 'long-task-open',
    title: 'Longest main-thread task while a lab opens, from home',
    async before(page, address) {
      await page.goto(`${address}/`)
      await page.getByRole('heading', { level: 1, name: /\d/ }).waitFor()
    },
    async scene(page, address) {
      await page.goto(lab(address, 'explore'))
      await ready(page)
    },
  },
  {
    name: 'long-task-knob',
    title: 'The same, while a knob turns over 100 pictures',
    async before(page, address) {
      await page.goto(lab(address, 'explore'))
      await ready(page)
    },
    async scene(page) {
      const slider = page.getByRole('slider').first()
      for (let move = 0; move < 10; move++) await slider.press('ArrowRight', { delay: 50 })
    },
  },
  {
    name: 'long-task-editor',
    title: 'The same, while the full editor opens',
    async before(page, address) {
      await page.goto(lab(address, 'explore'))
      await ready(page)
    },
    async scene(page, address) {
      await page.goto(lab(address, 'code'))
      await page.locator('.monaco-editor .view-lines').first().waitFor()
    },
  },
  {
    name: 'long-task-hand-in',
    title: 'The same, while a knob’s 100 pictures are handed in and graded',
    async before(page, address) {
      await page.goto(lab(address, 'explore'))
      await ready(page)
      await runButton(page).filter({ hasText: 'Hand in' }).waitFor()
    },
    async scene(page) {
      await runButton(page).click()
      await page.getByRole('tabpanel', { name: 'Evidence' }).getByText('Not yet').first().waitFor()
    },
  },
  {
    name: 'long-task-train',
    title: 'The same, while a model trains',
    once: true,
    async before(page, address) {
      await page.goto(lab(address, 'defend'))
      await runButton(page).filter({ hasText: 'Train the repair' }).click()
      await underWay(page)
    },
    async scene(page) {
      await runButton(page).filter({ hasText: 'Hand in' }).waitFor({ timeout: 180_000 })
    },
  },
  {
    name: 'long-task-backdoor',
    title: 'The same, while a victim is trained on 6,000 pictures, ten of them stamped, with its curves live',
    once: true,
    async before(page, address) {
      await page.goto(lab(address, 'explore', 'poison-backdoor'))
      await runButton(page).filter({ hasText: 'Train on these rows' }).click()
      await underWay(page)
    },
    async scene(page) {
      await runButton(page).filter({ hasText: 'Hand in' }).waitFor({ timeout: 180_000 })
    },
  },
]

const labTitles = import.meta.glob<string>('../../../../labs/*/lab.json', { import: 'title', eager: true })

/** Every lab, read from its first step to its last; each step is given the time to put its bench to work. */
export const walks = Object.entries(labTitles).map(([path, title]): Scene => {
  const slug = path.split('/').at(-2)!
  return {
    name: `long-task-lab-${slug}`,
    title: `The same, through all steps of “${title}”`,
    once: true,
    async before(page, address) {
      await page.goto(`${address}/`)
      await page.getByRole('heading', { level: 1, name: /\d/ }).waitFor()
    },
    async scene(page, address) {
      for (const step of steps) {
        await page.goto(lab(address, step, slug))
        await page.getByRole('navigation', { name: 'Lab steps' }).waitFor()
        await page.waitForTimeout(2500)
      }
    },
  }
})

/** The longest task of one scene in a fresh profile; 0 when none took 50 ms, which is when a browser first tells of one. */
async function longest(
  { before, scene }: Scene,
  { browser, address }: Parameters<AppFigure['measure']>[0],
): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 1366, height: 768 } })
  try {
    const page = await context.newPage()
    await page.addInitScript(() => {
      localStorage.setItem('perturb.settings', JSON.stringify({ backend: 'wasm' }))
      const tasks: number[] = []
      Object.assign(globalThis, { longTasks: tasks })
      new PerformanceObserver((list) =>
        tasks.push(...list.getEntries().map(({ duration }) => duration)),
      ).observe({ type: 'longtask' })
    })
    await before(page, address)
    await page.waitForTimeout(500)
    await page.evaluate(() => ((globalThis as unknown as { longTasks: number[] }).longTasks.length = 0))
    await scene(page, address)
    await page.waitForTimeout(500)
    return await page.evaluate(() =>
      Math.max(0, ...(globalThis as unknown as { longTasks: number[] }).longTasks),
    )
  } finally {
    await context.close()
  }
}

export const figures: AppFigure[] = [...scenes, ...walks].map((scene) => ({
  name: scene.name,
  title: scene.title,
  unit: 'ms',
  budget: 50,
  async measure(app) {
    const times: number[] = []
    for (let round = 0; round < (scene.once ? 1 : app.rounds); round++) times.push(await longest(scene, app))
    return median(times)
  },
}))
