/** A file as the editor shows it. */
export interface EditorFile {
  /** E.g. "fgsm.ts"; unique. */
  name: string
  text: string
  readOnly: boolean
}

/** Something to mend, at a place in a file (1-based). */
export interface EditorProblem {
  severity: 'error' | 'warning' | 'note'
  message: string
  file?: string
  line?: number
  column?: number
  /** `editor`: the type checker's own; those are drawn already. */
  source?: 'editor' | 'run'
}
