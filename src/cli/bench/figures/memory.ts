import { readdirSync, readFileSync } from 'node:fs'
import type { Browser } from '@playwright/test'
import type { AppFigure } from '../figure.ts'

/** The most that any process of the browser's pages ever held, in megabytes; Linux tells it in /proc. */
async function peakOfPages(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = (await session.send('SystemInfo.getProcessInfo')) as {
    processInfo: { type: string; id: number }[]
  }
  await session.detach()
  const peaks = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1]) / 1000)
  return Math.max(...peaks)
}

export const figures: AppFigure[] = [
  {
    name: 'memory',
    title: 'Peak memory of the page and its workers, one repair trained',
    unit: 'MB',
    async measure({ browser, address }) {
      try {
        readdirSync('/proc/self')
      } catch {
        throw new Error('only Linux tells it')
      }
      const context = await browser.newContext()
      try {
        const page = await context.newPage()
        await page.addInitScript(() =>
          localStorage.setItem('perturb.settings', JSON.stringify({ backend: 'wasm' })),
        )
        await page.goto(`${address}/#/lab/evasion-fgsm?step=defend`)
        const run = page.getByRole('group', { name: 'Run', exact: true }).getByRole('button').first()
        await run.filter({ hasText: 'Train the repair' }).click()
        await run.filter({ hasText: 'Hand in' }).waitFor({ timeout: 180_000 })
        return await peakOfPages(browser)
      } finally {
        await context.close()
      }
    },
  },
]
