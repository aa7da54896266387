import { median, type AppFigure } from '../figure.ts'

/** The knob of the first page, moved by key; the digit's reading is asked of the model each time. */
export const figures: AppFigure[] = [
  {
    name: 'knob',
    title: 'From the knob to the attacked picture and its reading, on WASM',
    unit: 'ms',
    budget: 100,
    async measure({ browser, address }) {
      const context = await browser.newContext()
      try {
        const page = await context.newPage()
        await page.addInitScript(() =>
          localStorage.setItem('perturb.settings', JSON.stringify({ backend: 'wasm' })),
        )
        await page.goto(`${address}/`)
        await page.getByRole('heading', { level: 1, name: /\d/ }).waitFor()
        const slider = page.getByRole('slider').first()
        await slider.focus()
        const times: number[] = []
        for (let move = 0; move < 15; move++) {
          const changed = page.evaluate(
            () =>
              new Promise<number>((resolve) => {
                const canvases = [...document.querySelectorAll('canvas')]
                const seen = () => canvases.map((canvas) => canvas.toDataURL()).join()
                const before = seen()
                let started = 0
                document.addEventListener('keydown', () => (started = performance.now()), {
                  once: true,
                  capture: true,
                })
                const look = () => {
                  if (started && seen() !== before) resolve(performance.now() - started)
                  else requestAnimationFrame(look)
                }
                look()
              }),
          )
          await slider.press('ArrowRight')
          times.push(await changed)
        }
        return median(times)
      } finally {
        await context.close()
      }
    },
  },
]
