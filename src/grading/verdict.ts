/**
 * The words of grading. Everything here is plain JSON: it crosses workers, is saved with the attempt,
 * and is compared between the page's build and Node.
 */

export type VerdictStatus = 'passed' | 'failed' | 'rejected' | 'undecided' | 'unavailable'

/** One figure against what is needed. Drawn as a ruled bar with a threshold needle. */
export interface EvidenceRow {
  /** Stable key: findings and tests refer to it. */
  id: string
  name: string
  /** How it was measured, e.g. "93 of 100 digits". */
  detail?: string
  measured: number
  /** Range over seeds, when more than one was run. */
  interval?: readonly [number, number]
  /** '%' for shares (measured is then 0..100), '' for pure numbers, or a unit. */
  unit: string
  needed: { relation: 'at-least' | 'at-most'; value: number }
  /** Digits after the point; keep the precision of the threshold. */
  precision: number
  /** Right end of the drawn scale. */
  scaleMax: number
  /** A hard row (norm, range, count) that fails makes the verdict `rejected`-like red, never undecided. */
  hard: boolean
  /** The figure comes from a run's ledger, not from the artefact: re-grading can only call it claimed. */
  claimed?: boolean
  /** Beyond every bar, an infinite median, say: `measured` is then only where it is drawn. */
  never?: boolean
  satisfied: boolean
  status: VerdictStatus
}

/** A named mistake or success, with its cause in numbers and the next thing to do. */
export interface Finding {
  id: string
  title: string
  cause: string
  next: string
}

/** One picture of the gallery under a verdict. Pixels come from the artefact, not from here. */
export interface GalleryItem {
  /** Index in the data set, and row in the artefact. */
  id: number
  row: number
  truth: number
  readBefore: number
  readAfter: number
  success: boolean
  /** The perturbation's norm in the checkpoint's own norm, and the limit it is held to. */
  norm: number
  limit: number
  /** What `norm` is; L∞ when left out. */
  measuredIn?: 'linf' | 'l2'
  logitsBefore: number[]
  logitsAfter: number[]
}

export interface Verdict {
  status: VerdictStatus
  /** Headline with its live reading: "93 of 100 digits misread". */
  headline: string
  rows: EvidenceRow[]
  finding?: Finding
  gallery?: GalleryItem[]
  /** One number for the attempts timeline, e.g. 93 with unit '%'. */
  score?: { value: number; unit: string }
}
