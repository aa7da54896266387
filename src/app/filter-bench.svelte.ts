import { rowFilterNames, type RowFilterName } from '../defences/sanitation/filter-names.ts'
import { dropped } from '../data/change-list.ts'
import type { TrainedOnRows } from '../engine/methods/train-on-rows.ts'
import type { Reading } from '../grading/readings.ts'
import { measureFilter, type FilterMeasure } from '../metrics/poisoning.ts'
import type { LabSession } from './lab-session.svelte.ts'
import { cutCurve, droppedIds, readFilterNames, RowInspection } from './row-inspection.svelte.ts'

/** What the directive says: `::widget{kind=filter-bench checkpoint=swept filters="strip spectral" truth=true}`. */
export interface FilterBenchSetup {
  checkpoint: string
  filters: readonly RowFilterName[]
  /** Tell which rows are poisoned from the start. */
  truth: boolean
}

export function readFilterBenchSetup(props: Record<string, string>): FilterBenchSetup {
  return {
    checkpoint: props.checkpoint ?? '',
    filters: readFilterNames(props.filters),
    truth: props.truth === 'true',
  }
}

/** A training on what a cut leaves, and what it was worth. */
export interface Repair {
  ids: readonly number[]
  reading: Reading
  seconds: number
}

/**
 * The filter bench: order the training rows by what a filter says, cut, look at what falls, train on what is left, hand
 * the drops in.
 */
export class FilterBench {
  readonly inspection: RowInspection
  repair: Repair | undefined = $state.raw()
  /** What the victim reads that was trained on all rows, for comparison. */
  before: Reading | undefined = $state.raw()
  #seed = -1

  readonly checkpoint = $derived.by(() => this.inspection.checkpoint)
  readonly filter: RowFilterName = $derived.by(() => {
    const name = this.session.knob(this.#key('filter'), this.setup.filters[0]!)
    return rowFilterNames.find((one) => one === name) ?? this.setup.filters[0]!
  })
  /** How many rows fall; undefined leaves it to the filter's own rule. */
  readonly cut: number | undefined = $derived.by(() => {
    const cut = this.session.knob(this.#key('cut'), -1)
    return cut < 0 ? undefined : cut
  })
  readonly truth: boolean = $derived.by(() => this.session.knob(this.#key('truth'), this.setup.truth))
  readonly isScored = $derived.by(() => this.inspection.rows?.scores[this.filter] !== undefined)
  readonly dropped: readonly number[] = $derived.by(() =>
    this.inspection.rows ? droppedIds(this.inspection.rows, this.filter, this.cut) : [],
  )
  readonly curve: readonly FilterMeasure[] = $derived.by(() => {
    const { rows, poisoned } = this.inspection
    const scores = rows?.scores[this.filter]
    return rows && scores ? cutCurve(scores, rows.ids, poisoned) : []
  })
  readonly measure: FilterMeasure | undefined = $derived.by(() => {
    const { rows, poisoned } = this.inspection
    return rows && this.isScored ? measureFilter(this.dropped, [...poisoned], rows.ids.length) : undefined
  })
  /** How many of the dropped rows bear each label. */
  readonly byClass: readonly number[] = $derived.by(() => {
    const { rows } = this.inspection
    const counts = (rows?.classes ?? []).map(() => 0)
    const fallen = new Set(this.dropped)
    for (const [place, id] of rows?.ids.entries() ?? [])
      if (fallen.has(id)) counts[rows!.labels[place]!]! += 1
    return counts
  })
  /** A training on the present cut, not handed in yet. */
  readonly fresh = $derived.by(
    () => this.repair !== undefined && sameIds(this.repair.ids, this.dropped) && !this.handedIn,
  )
  readonly handedIn = $derived.by(() =>
    this.session.record.attempts.some(
      ({ artefact, checkpoint }) =>
        checkpoint === this.setup.checkpoint &&
        artefact.kind === 'change-list' &&
        sameIds(artefact.ids, this.dropped),
    ),
  )

  constructor(
    readonly session: LabSession,
    readonly setup: FilterBenchSetup,
  ) {
    this.inspection = RowInspection.of(session, setup.checkpoint)
  }

  #key(name: string): string {
    return `filter@${this.setup.checkpoint}.${name}`
  }

  setFilter(name: RowFilterName): void {
    this.session.setKnob(this.#key('filter'), name)
    this.setCut(undefined)
  }

  setCut(cut: number | undefined): void {
    this.session.setKnob(this.#key('cut'), cut ?? -1)
  }

  setTruth(truth: boolean): void {
    this.session.setKnob(this.#key('truth'), truth)
  }

  /** Trains the victim on what the cut leaves, under the run bar; the first time on all rows too. */
  async train(): Promise<void> {
    const { task } = this.inspection
    const { dropped: ids, session } = this
    if (!task || !this.isScored) return
    if (this.#seed !== session.seed) this.before = undefined
    const began = performance.now()
    await session.work('Training on what is left', async ({ signal, progress }) => {
      const passes = this.before ? 1 : 2
      const reading = async (list: readonly number[], pass: number) => {
        const { reading } = (await session.engine.call(
          'train-on-rows',
          { task, changes: { ids: [...list], labels: list.map(() => dropped) } },
          { signal, onProgress: (done, total) => progress(pass * total + done, passes * total) },
        )) as TrainedOnRows
        return reading
      }
      this.before ??= await reading([], 0)
      this.#seed = session.seed
      const repaired = await reading(ids, passes - 1)
      this.repair = { ids, reading: repaired, seconds: (performance.now() - began) / 1000 }
      return true
    })
  }

  async handIn(): Promise<void> {
    const { checkpoint, dropped: ids, filter, cut } = this
    if (!checkpoint) return
    await this.session.handIn(
      checkpoint.id,
      { kind: 'change-list', ids: [...ids], labels: ids.map(() => dropped) },
      { 'filter.json': `${JSON.stringify({ filter, cut: cut ?? 'own rule' }, null, 2)}\n` },
    )
  }
}

/** The same ids, in whatever order. */
export function sameIds(a: readonly number[], b: readonly number[]): boolean {
  const known = new Set(a)
  return known.size === new Set(b).size && b.every((id) => known.has(id))
}
