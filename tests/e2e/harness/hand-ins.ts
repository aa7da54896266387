/** Loaded through Vite in the test's own process: what a lab's solutions and mistakes hand in, graded by Node. */
import '../../../src/cli/node-platform.ts'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { readLab, readShelf } from '../../../src/build/lab-folder.ts'
import { openLabBench } from '../../../src/cli/lab-bench.ts'
import { repository } from '../../../src/cli/node-platform.ts'
import type { Artefact, LedgerSummary } from '../../../src/grading/artefact.ts'
import type { Verdict } from '../../../src/grading/verdict.ts'
import type { Mistake } from '../../../src/labs/folder.ts'
import { loadGrader } from '../../../src/labs/graders.ts'

/** One hand-in, and what Node makes of it. */
export interface HandIn {
  checkpoint: string
  artefact: Artefact
  /** What was seen of the run that made it; findings read it. */
  ledger?: LedgerSummary
  verdict: Verdict
}

/** Every hand-in of a proof on one seed that is well-formed: solutions, typical mistakes, wrong answers. */
export async function handIns(slug: string, seed: number): Promise<HandIn[]> {
  const folder = mkdtempSync(join(tmpdir(), 'perturb-hand-ins-'))
  const made: HandIn[] = []
  try {
    cpSync(join(repository, 'labs'), folder, { recursive: true })
    const kept = keptMistakes(readLab(readShelf(repository), slug).mistakes)
    for (const name of readdirSync(join(folder, slug, 'mistakes')))
      if (!kept.has(name)) rmSync(join(folder, slug, 'mistakes', name))
    const grader = await loadGrader(slug)
    const checkpoints = Object.entries(grader.checkpoints).map(([checkpoint, own]) => {
      const grade: typeof own.grade = async (input) => {
        const verdict = await own.grade(input)
        made.push({ checkpoint, artefact: input.artefact, ledger: input.ledger, verdict })
        return verdict
      }
      return [checkpoint, { ...own, grade }]
    })
    const bench = await openLabBench()
    const proof = await bench.prove(slug, { seeds: [seed] }, readShelf(repository, folder), () =>
      Promise.resolve({
        ...grader,
        checkpoints: Object.fromEntries(checkpoints) as typeof grader.checkpoints,
      }),
    )
    const wrong = [...proof.problems, ...proof.checks.filter(({ ok }) => !ok).map(({ detail }) => detail)]
    if (wrong.length > 0) throw new Error(`${slug} does not prove itself: ${wrong.join('; ')}`)
    // A solution is graded twice, and some mistakes hand in the same.
    return made.filter(({ artefact }, i) => made.findIndex((one) => one.artefact === artefact) === i)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * Two programs a checkpoint, all of them in `npm run test:deep`. Mistakes in the training of a model take a minute
 * each and are measured like its solution.
 */
function keptMistakes(mistakes: Mistake[]): Set<string> {
  const programs = mistakes.filter((mistake) => 'text' in mistake)
  const few = process.env.PERTURB_DEEP
    ? programs
    : programs.filter(
        (mistake) =>
          programs.filter(({ checkpoint }) => checkpoint === mistake.checkpoint).indexOf(mistake) < 2,
      )
  return new Set(few.map(({ file }) => basename(file)))
}
