import type { BrowserContext } from '@playwright/test'
import { median, type AppFigure } from '../figure.ts'

/** From the address typed to the first digit read; the page is left open or not as the context is. */
async function opening(context: BrowserContext, address: string): Promise<number> {
  const page = await context.newPage()
  const started = performance.now()
  await page.goto(`${address}/`)
  await page.getByRole('heading', { level: 1, name: /\d/ }).waitFor()
  const took = performance.now() - started
  await page.close()
  return took
}

export const figures: AppFigure[] = [
  {
    name: 'open-cold',
    title: 'Opening the first page for the first time, to the first digit read',
    unit: 'ms',
    budget: 3000,
    async measure({ browser, address, rounds }) {
      const times: number[] = []
      for (let round = 0; round < rounds; round++) {
        // A fresh profile, so that nothing comes from a cache.
        const context = await browser.newContext()
        try {
          times.push(await opening(context, address))
        } finally {
          await context.close()
        }
      }
      return median(times)
    },
  },
  {
    name: 'open-warm',
    title: 'The same, the second time',
    unit: 'ms',
    budget: 2500,
    async measure({ browser, address, rounds }) {
      const context = await browser.newContext()
      try {
        await opening(context, address)
        const times: number[] = []
        for (let round = 0; round < rounds; round++) times.push(await opening(context, address))
        return median(times)
      } finally {
        await context.close()
      }
    },
  },
]
