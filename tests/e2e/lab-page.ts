import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page, TestInfo } from '@playwright/test'
import { repository } from '../../src/cli/node-platform.ts'
import { expect } from './fixtures.ts'

/** A file of a lab's folder, e.g. `solution/fgsm.ts`. */
export function labFile(path: string, slug = 'evasion-fgsm'): string {
  return readFileSync(join(repository, 'labs', slug, path), 'utf8')
}

export type VerdictWord = 'Passed' | 'Not yet' | 'Rejected' | 'Undecided' | 'Unavailable'

/** The lab page as a learner sees it: roles and names, no class and no id. */
export class LabPage {
  constructor(readonly page: Page) {}

  get title(): Locator {
    return this.page.getByRole('complementary', { name: 'Guide' }).getByRole('heading', { level: 1 })
  }

  get runButton(): Locator {
    return this.page.getByRole('group', { name: 'Run', exact: true }).getByRole('button').first()
  }

  get cancelButton(): Locator {
    return this.page.getByRole('group', { name: 'Run', exact: true }).getByRole('button', { name: /^Cancel/ })
  }

  get finding(): Locator {
    return this.page.getByRole('region', { name: 'Finding' })
  }

  get problems(): Locator {
    return this.page.getByRole('region', { name: 'Problems' })
  }

  get passedCount(): Locator {
    return this.page.getByText(/\d of \d checkpoints passed/)
  }

  async open(address: string): Promise<void> {
    await this.page.goto(address)
    await expect(this.title).toBeVisible()
  }

  /**
   * Opens a lab at its story, takes a fixed seed there, before anything computes, and goes to Explore: a learner's own
   * seed is drawn at random, and figures differ from seed to seed.
   */
  async explore(address: string, seed = 7): Promise<void> {
    await this.open(address)
    const field = this.page.getByRole('textbox', { name: 'Seed' })
    await field.fill(`${seed}`)
    await field.press('Enter')
    await expect(this.page.getByRole('button', { name: 'Yours', exact: true })).toBeVisible()
    await this.step('Explore')
    await this.tab('Explore')
    await expect(field).toHaveValue(`${seed}`)
  }

  async step(name: 'Story' | 'Explore' | 'Code' | 'Checkpoint' | 'Defend' | 'Re-attack'): Promise<void> {
    const button = this.page
      .getByRole('navigation', { name: 'Lab steps' })
      .getByRole('button', { name: new RegExp(`^${name}`) })
    await button.click()
    await expect(button).toHaveAttribute('aria-current', 'step')
  }

  async next(): Promise<void> {
    await this.page.getByRole('button', { name: /^Next: / }).click()
  }

  async tab(name: 'Explore' | 'Code' | 'Evidence'): Promise<void> {
    await this.page.getByRole('tab', { name }).click()
    await expect(this.page.getByRole('tab', { name })).toHaveAttribute('aria-selected', 'true')
  }

  /** Replaces a file's text in the plain editor. */
  async write(file: string, text: string): Promise<void> {
    await this.tab('Code')
    // Where settings cannot be kept, the plain editor is chosen here.
    const plain = this.page.getByRole('button', { name: 'Plain text' })
    if (await plain.isVisible()) await plain.click()
    const editor = this.page.getByRole('textbox', { name: new RegExp(file.replace('.', '\\.')) })
    await editor.fill(text)
    await expect(editor).toHaveValue(text)
  }

  /** Presses the run button and waits until nothing runs any more. */
  async run(timeout = 90_000): Promise<void> {
    await expect(this.runButton).toBeEnabled({ timeout })
    await this.runButton.click()
    await this.settled(timeout)
  }

  async settled(timeout = 90_000): Promise<void> {
    await expect(this.cancelButton).toBeDisabled({ timeout })
  }

  /**
   * Treats the page as browsers treat a tab that is behind another one: it is told that it is hidden, no frame is drawn,
   * and a timer waits for a second at least. (Headless Chromium shows every tab, so this cannot be had by opening one.)
   * Returns what brings the tab to the front again.
   */
  async sendToBackground(): Promise<() => Promise<void>> {
    const { page } = this
    await page.evaluate(() => {
      const usual = { frame: window.requestAnimationFrame, timer: window.setTimeout }
      const waiting: FrameRequestCallback[] = []
      const turn = (state: DocumentVisibilityState) => {
        Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
        Object.defineProperty(document, 'hidden', { value: state === 'hidden', configurable: true })
        document.dispatchEvent(new Event('visibilitychange'))
      }
      window.requestAnimationFrame = (draw) => waiting.push(draw)
      window.setTimeout = new Proxy(usual.timer, {
        apply: (timer, _, [run, ms = 0, ...more]: [TimerHandler, number?, ...unknown[]]) =>
          Reflect.apply(timer, window, [run, Math.max(1000, ms), ...more]) as number,
      })
      turn('hidden')
      window.addEventListener(
        'brought to the front',
        () => {
          window.requestAnimationFrame = usual.frame
          window.setTimeout = usual.timer
          turn('visible')
          for (const draw of waiting) requestAnimationFrame(draw)
        },
        { once: true },
      )
    })
    return () => page.evaluate(() => void window.dispatchEvent(new Event('brought to the front')))
  }

  /** The verdict on view in Evidence. */
  async verdict(word: VerdictWord): Promise<void> {
    const pane = this.page.getByRole('tabpanel', { name: 'Evidence' })
    await expect(pane).toBeVisible()
    await expect(pane.getByText(word, { exact: true }).first()).toBeVisible()
  }

  /** So many of the lab's checkpoints are passed by now. */
  async passed(count: number, of = 4): Promise<void> {
    await expect(this.passedCount).toHaveText(`${count} of ${of} checkpoints passed`)
  }

  /** Writes a program, runs it, and is told what is wrong with it. */
  async fails(file: string, text: string, finding: string): Promise<void> {
    await this.write(file, text)
    await this.run()
    await this.verdict('Not yet')
    await expect(this.finding).toContainText(finding)
  }

  /** Writes a program, runs it, and passes. */
  async passes(file: string, text: string): Promise<void> {
    await this.write(file, text)
    await this.run()
    await this.verdict('Passed')
  }

  /** Chooses an option of each question of a quiz, and hands them in. */
  async answer(...options: readonly RegExp[]): Promise<void> {
    for (const name of options) await this.page.getByRole('radio', { name }).check()
    await this.page
      .getByRole('group', { name: 'Question' })
      .getByRole('button', { name: 'Hand in the answer' })
      .last()
      .click()
    await this.settled()
  }

  /** Every evidence row on view as it is read out: name, figure, what is needed. */
  async rows(): Promise<string[]> {
    const pane = this.page.getByRole('tabpanel', { name: 'Evidence' })
    const rows = pane.getByRole('img', { name: /, needs at (least|most) / })
    await expect(rows.first()).toBeVisible()
    return Promise.all((await rows.all()).map(async (row) => (await row.getAttribute('aria-label'))!))
  }

  /** Puts a slider on the position whose reading is `text`. */
  async slide(name: RegExp, text: string): Promise<void> {
    const slider = this.page.getByRole('slider', { name })
    const last = Number(await slider.getAttribute('max'))
    for (let position = 0; position <= last; position++) {
      await slider.fill(String(position))
      if ((await slider.getAttribute('aria-valuetext')) === text) return
    }
    throw new Error(`no position of the slider ${name} reads ${text}`)
  }

  /** Saves the evidence file as a learner does; its path. */
  async saveEvidence(info: TestInfo): Promise<string> {
    const [download] = await Promise.all([
      this.page.waitForEvent('download'),
      this.page.getByRole('button', { name: 'Save evidence file' }).click(),
    ])
    expect(download.suggestedFilename()).toMatch(/\.perturb\.json(\.gz)?$/)
    const file = info.outputPath('learner.perturb.json')
    await download.saveAs(file)
    return file
  }
}

interface Grade {
  checkpoint: string
  result: string
  status: string
  why: string
}

/** Recomputes an evidence file in Node: these checkpoints, and no other, passed there as well. */
export function expectConfirmed(file: string, checkpoints: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['src/cli/run.mjs', 'regrade', file, '--json'],
    { cwd: repository, encoding: 'utf8' },
  )
  expect(stderr).toBe('')
  const { grades } = JSON.parse(stdout) as { grades: Grade[] }
  const passed = grades.filter(({ result }) => result === 'passed')
  expect(passed.map(({ checkpoint }) => checkpoint).sort()).toEqual([...checkpoints].sort())
  expect(passed.filter(({ status }) => !/^(confirmed|claimed)$/.test(status))).toEqual([])
  expect(status).toBe(0)
}
