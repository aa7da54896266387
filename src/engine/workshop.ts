import type { BackendReport } from '../core/backends.ts'
import type { DataSet } from '../data/data-set.ts'
import type { Model } from '../models/model.ts'
import type { LabGrader } from '../grading/grader.ts'

/** What a worker keeps between calls: the backend, and models, data and graders loaded once. */
export interface Workshop {
  readonly role: 'engine' | 'referee'
  readonly backend: BackendReport
  model(name: string): Promise<Model>
  dataset(name: string): Promise<DataSet>
  lab(slug: string): Promise<LabGrader>
  /** Sends unasked news to the page. */
  emit(event: string, value: unknown): void
}
