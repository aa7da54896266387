import { untrack } from 'svelte'
import type { BenchAction, LabSession } from '../../../app/lab-session.svelte.ts'

interface Turns {
  /** Asks the engine for what the widget shows; never throws, and does nothing where it is known already. */
  open(): unknown
  cancel(): void
  /** Whatever is read here and changes makes it open again; another variant always does. */
  again?(): unknown
}

/** Opens, and opens again where the learner took another variant meanwhile: what came then belongs to the one before. */
export async function openVariant(
  session: Pick<LabSession, 'seed'>,
  open: Turns['open'],
  goesOn: () => boolean,
): Promise<void> {
  let asked: number
  do {
    asked = session.seed
    await open()
  } while (session.seed !== asked && goesOn())
}

/**
 * For a widget that asks the engine on its own, called while it is set up: it opens once the engine is there and nobody runs
 * anything, makes way for a run, and stops when it goes.
 */
export function takeTurns(of: () => LabSession, { open, cancel, again }: Turns): void {
  let gone = false
  $effect(() => {
    const session = of()
    void session.seed
    again?.()
    if (session.backend && !session.queue.running)
      untrack(() => void openVariant(session, open, () => !gone && !session.queue.running))
  })
  makeWay(of, cancel)
  $effect(() => () => {
    gone = true
  })
}

/**
 * For a widget that measures when it is asked to, called while it is set up: it makes way for a run, which needs the engine to
 * itself, and stops when it goes.
 */
export function makeWay(of: () => LabSession, cancel: () => void): void {
  $effect(() => {
    if (of().queue.running) untrack(cancel)
  })
  $effect(() => cancel)
}

/** What measures: whether it does, how far it is, and how it is stopped. */
interface Measuring {
  readonly running: boolean
  /** 0 to 1. */
  readonly progress: number
  cancel(): void
}

/**
 * Gives the run button what it does, if anything, for as long as the widget is there; the run bar shows and cancels what
 * `bench` measures. Called while it is set up.
 */
export function offerAction(
  of: () => LabSession,
  action: () => BenchAction | undefined,
  bench?: Measuring,
): void {
  $effect(() => {
    const session = of()
    const offered = action()
    if (!offered) return
    session.benchAction = bench ? shown(offered, bench) : offered
    return () => {
      session.benchAction = undefined
    }
  })
}

const shown = (action: BenchAction, bench: Measuring): BenchAction => ({
  ...action,
  get busy() {
    return bench.running ? bench.progress : undefined
  },
  cancel: () => bench.cancel(),
})
