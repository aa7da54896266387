import { median, type AppFigure } from '../figure.ts'

/** Each round opens a fresh profile, so nothing comes from a cache. */
export const figures: AppFigure[] = [
  {
    name: 'open',
    title: 'Opening the first page, to the first digit read',
    unit: 'ms',
    budget: 2500,
    async measure({ browser, address, rounds }) {
      const times: number[] = []
      for (let round = 0; round < rounds; round++) {
        const context = await browser.newContext()
        try {
          const page = await context.newPage()
          const started = performance.now()
          await page.goto(`${address}/`)
          await page.getByRole('heading', { level: 1, name: /\d/ }).waitFor()
          times.push(performance.now() - started)
        } finally {
          await context.close()
        }
      }
      return median(times)
    },
  },
]
