import { PerturbError } from '../core/errors.ts'
import type { LabGrader } from '../grading/grader.ts'
import { didYouMean } from './did-you-mean.ts'

const graders = import.meta.glob<LabGrader>('../../labs/*/grader.ts', { import: 'default' })
const slugOf = (path: string) => path.split('/').at(-2)!

/** The grader of one lab, a chunk of its own. Throws `missing` when there is no lab of that name. */
export async function loadGrader(slug: string): Promise<LabGrader> {
  const load = graders[`../../labs/${slug}/grader.ts`]
  if (!load)
    throw new PerturbError(
      'missing',
      `no grader for lab "${slug}"${didYouMean(slug, Object.keys(graders).map(slugOf))}`,
    )
  return load()
}
