import { spawnSync } from 'node:child_process'
import { repository } from '../../src/cli/node-platform.ts'
import { watchCrossings } from './crossings.ts'
import { expect, test } from './fixtures.ts'
import { expectConfirmed, labFile, LabPage } from './lab-page.ts'

test.use({ settings: { editor: 'plain' } })
const file = (path: string) => labFile(path, 'theft-knockoff')

/** Runs in the page before its own scripts: tells of the victim's weights when they pass from the referee to the engine. */
function tellVictim() {
  if (window !== window.top) return
  const { postMessage } = Worker.prototype
  Worker.prototype.postMessage = function (this: Worker, ...sent: unknown[]) {
    const { method, params } = sent[0] as {
      method?: string
      params?: { weights?: { values: Float32Array }[] }
    }
    if (method === 'adopt-seeded' && params?.weights)
      (globalThis as unknown as { perturbVictim(weights: number[][]): void }).perturbVictim(
        params.weights.map(({ values }) => Array.from(values)),
      )
    return (postMessage as (...all: unknown[]) => void).apply(this, sent)
  }
}

/** Whether a list holds the beginning of a tensor, number after number. */
function holds(values: number[], weights: number[]): boolean {
  const some = weights.slice(0, 20)
  for (let from = 0; from + some.length <= values.length; from++)
    if (some.every((weight, i) => Math.abs(values[from + i]! - weight) < 1e-6)) return true
  return false
}

test('a learner copies a reader of digits by asking about shoes, and no weights enter the sandbox @deep', async ({
  page,
  context,
  app,
  axe,
}, info) => {
  test.setTimeout(600_000)
  const crossings = await watchCrossings(context)
  const victims: number[][][] = []
  await context.exposeFunction('perturbVictim', (weights: number[][]) => void victims.push(weights))
  await context.addInitScript(tellVictim)
  const lab = new LabPage(page)
  const passed = (count: number) => expect(lab.passedCount).toHaveText(`${count} of 6 checkpoints passed`)

  await test.step('explore: copies are trained and compared, and an earlier run stays beside the next', async () => {
    await lab.explore(app.at('#/lab/theft-knockoff'), 1)
    await page.getByRole('radio', { name: 'noise' }).check()
    await lab.run()
    const thefts = page.getByRole('table', { name: /Thefts, latest first/ })
    await expect(thefts.getByRole('row')).toHaveCount(2, { timeout: 120_000 })
    await expect(
      page.getByText(/After 3,000 rows the copy says what the victim says on \d/).first(),
    ).toBeVisible()
    await expect(page.getByRole('region', { name: /Pictures changed on the copy/ })).toBeVisible()
    await axe(page, 'copies')
  })

  await test.step('code: the starter, a spent budget, noise with its finding, then shoes', async () => {
    await lab.step('Code')
    await lab.run()
    await expect(lab.problems).toContainText('ask is not written yet')
    const solution = file('solution/steal.ts')
    await lab.write('steal.ts', solution.replace('Math.min(rows, pictures.shape[0]!)', 'rows + 50'))
    await lab.run()
    await expect(lab.problems).toContainText(/slice|budget/)
    await lab.write('steal.ts', file('mistakes/few-rows.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('You asked too little')
    crossings.length = 0
    await lab.write('steal.ts', solution)
    await lab.run()
    await lab.verdict('Passed')
    await passed(1)
  })

  await test.step('the log shows a garment for each request', async () => {
    const log = page.getByRole('region', { name: 'API log' })
    await expect(log.getByText(/3000 rows answered in 30 requests by 1 key; €15\.00/)).toBeVisible()
    await expect(log.getByRole('img', { name: 'first picture of request 1', exact: true })).toBeVisible()
    await axe(page, 'the log')
  })

  await test.step('answers entered the sandbox; no list that did holds the victim’s weights', () => {
    const entered = crossings.filter(({ way }) => way === 'in').map(({ values }) => values)
    // Each answer passes the frame and the worker.
    expect(entered.filter(({ length }) => length === 1000).length, 'answers of a hundred rows').toBe(60)
    expect(victims).toHaveLength(1)
    const kernels = victims[0]!.filter(({ length }) => length >= 200)
    expect(kernels.map(({ length }) => length)).toEqual([200, 3200, 7840])
    // The same search finds them where they are.
    expect(kernels.every((kernel) => holds([0, ...kernel], kernel))).toBe(true)
    expect(entered.filter((values) => kernels.some((kernel) => holds(values, kernel)))).toEqual([])
  })

  await test.step('checkpoint: any digits are not enough, chosen ones are; the question; the pay-off', async () => {
    await lab.step('Checkpoint')
    await lab.write('choose.ts', file('mistakes/surest.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('You asked about what the copy knew already')
    await lab.write('choose.ts', file('solution/choose.ts'))
    await lab.run()
    await lab.verdict('Passed')
    const question = page.getByRole('group', { name: 'Question' })
    await question.getByRole('radio', { name: /Next to nothing by itself/ }).check()
    await question.getByRole('button', { name: 'Hand in the answer' }).click()
    await lab.settled()
    await page.getByRole('button', { name: 'Run transfer.ts' }).click()
    await lab.settled()
    await lab.write('transfer.ts', file('solution/transfer.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await passed(4)
    await expect(page.getByRole('region', { name: /Pictures as they are/ }).first()).toBeVisible()
    await axe(page, 'the copy beside its victim')
  })

  await test.step('defend: customers are lied to, then thieves', async () => {
    await lab.step('Defend')
    await lab.write('counter.ts', file('mistakes/severe.ts'))
    await lab.run()
    await lab.verdict('Not yet')
    await expect(lab.finding).toContainText('Customers get the lies')
    await lab.write('counter.ts', file('solution/counter.ts'))
    await lab.run()
    await lab.verdict('Passed')
  })

  await test.step('re-attack: past the lies', async () => {
    await lab.step('Re-attack')
    await lab.write('labels.ts', file('solution/labels.ts'))
    await lab.run()
    await lab.verdict('Passed')
    await passed(6)
    await axe(page, 'the finished lab')
  })

  const evidence = await lab.saveEvidence(info)
  expectConfirmed(evidence, ['knockoff', 'chosen', 'honest', 'transfer', 'counter', 'labels'])

  await test.step('on a victim that they have never met the programs steal again, and counts are confirmed', () => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['src/cli/run.mjs', 'regrade', evidence, '--run-code', '--json'],
      { cwd: repository, encoding: 'utf8' },
    )
    expect(stderr).toBe('')
    const { grades } = JSON.parse(stdout) as {
      grades: { checkpoint: string; result: string; status: string; why: string }[]
    }
    expect(grades.map(({ result }) => result)).toEqual(Array(6).fill('passed'))
    for (const id of ['knockoff', 'chosen', 'transfer', 'labels']) {
      const grade = grades.find(({ checkpoint }) => checkpoint === id)!
      expect(grade.why).toMatch(/run again on a fresh variant/)
      expect(grade.status, grade.why).toBe('confirmed')
    }
  })
})
