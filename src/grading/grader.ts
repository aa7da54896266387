import type { DataSet } from '../data/data-set.ts'
import type { PoisonList } from '../attacks/poison-list.ts'
import type { Model, Weight } from '../models/model.ts'
import type { TrainingSpec } from '../models/train-on-rows.ts'
import type { Rng } from '../core/rng.ts'
import type { AnswerSpec } from '../defences/answer.ts'
import type { StageSpec } from '../defences/stage.ts'
import type { WatchRule } from '../defences/detection/query-watch.ts'
import type { Artefact, ArtefactKind, LedgerSummary } from './artefact.ts'
import type { LogSpec } from './account-log.ts'
import type { Readings } from './readings.ts'
import type { ShopSpec } from './shop.ts'
import type { Verdict } from './verdict.ts'

/** Trusted copies, on the referee: WASM, one thread, the same binary in the page and in Node. */
export interface Trusted {
  /** A shipped model, or with a seed the one that it trains (src/models/seeded/). Kept: never dispose it. */
  model(name: string, seed?: number): Promise<Model>
  dataset(name: string): Promise<DataSet>
  /** A shipped architecture with other weights, e.g. those handed in. The grader disposes it. */
  modelWithWeights(name: string, weights: Weight[]): Promise<Model>
  /**
   * The model the learner handed in for another checkpoint, checked there like any hand-in. The referee
   * disposes it. Throws when nothing has passed there yet, which the learner is told with the next step.
   */
  modelFrom(checkpointId: string): Promise<Model>
  /**
   * A measurement that the variant and the models of `modelFrom` determine and the hand-in does not, such as the
   * referee's own attack: made once and kept for the hand-ins that follow. It must not read the artefact nor hold
   * a tensor. Ask `modelFrom` first; a measurement that loads an earlier model itself throws.
   */
  once<T>(name: string, measure: () => Promise<T>): Promise<T>
}

/**
 * What a checkpoint's program is given. Plain JSON, computed on the referee from the learner's variant:
 * the engine serves `data` and `victim` from it, the sandbox shows `values` as `task`.
 */
export interface Task {
  /** The victim: a shipped model, or the learner's own weights handed in for another checkpoint. */
  victim: {
    model: string
    weightsFrom?: string
    /** The model is trained from this seed, in engine and referee alike, so that its weights lie in no file. */
    seed?: number
    /** Stages around it, as data: engine and referee build the same defended model from them (`defended`). */
    defence?: readonly StageSpec[]
    /** What `inner` is, where it is granted: the victim without its first stages, so many of them; all when absent. */
    innerSkips?: number
  }
  dataset: string
  split: 'train' | 'test'
  /** The images to work on, by index in the split, in order. */
  ids: number[]
  labels: number[]
  values: Record<string, number | string | boolean>
  /** The black box keeps each account's queries and closes one whose queries are too much alike. */
  watch?: WatchRule & { accounts: number }
  /**
   * For a checkpoint of `adversarial-examples` that are not the task's images changed: how many there are, each with
   * a number of its own in place of an image's, and the shape of one. A sticker: { ids: [4711], shape: [9, 9, 3] }.
   */
  handIn?: { ids: number[]; shape: number[] }
  /**
   * For a checkpoint of `model-weights` whose model is one of the learner's own making, not the victim with other weights:
   * the tensors that it consists of. The program hands them in by name, `submit({ weights: { kernel, bias } })`.
   */
  surrogate?: { name: string; shape: number[] }[]
  /**
   * A network that the program is lent as `surrogate`, to train on answers and to hand in (`model-weights`): the layers of a
   * shipped model or one of src/models/seeded/, begun anew from a seed, or with the weights handed in for another checkpoint.
   */
  copy?: { model: string; seed: number; weightsFrom?: string }
  /** The program gets images without what they show. */
  unlabelled?: boolean
  /** The victim stands behind a prediction API: who may ask how much, how exactly it answers, and a log of it all. */
  api?: ApiSpec
  /**
   * A victim that is not shipped but trained on the task's rows: the program's `victim` is trained so before its first
   * question, `retrain` trains it again on changed rows, and the referee (`retrained`) trains it in the same way.
   */
  training?: TrainingSpec & Readings
  /**
   * Changes that somebody made to the rows before the program is given them, triggers included. `labels` are the true ones
   * all the same.
   */
  tampered?: PoisonList
  /** Training rows of somebody else, and what was done to them: the victim of `training` comes from these, not from `ids`. */
  trainedOn?: { ids: number[]; changes?: PoisonList }
  /** One input, in no training set, that an attack is after: `data.target()` gives it where `target` is granted. */
  aim?: { split: 'train' | 'test'; id: number }
  /** Rows that somebody else has looked at: `data.audited()` tells their true labels. */
  audited?: number[]
  /**
   * The victim is a recommender on the data set's ratings, fitted anew by engine and referee; `victim.model` is then ''. A
   * change list holds the ratings of invented shoppers, or the shoppers to leave out.
   */
  shop?: ShopSpec
  /**
   * Rows of the split that are never trained on and whose labels are certain: the bench reads every retrained victim on
   * them before it would go into service.
   */
  canaries?: number[]
  /** For a checkpoint of `change-list`: what a change may do besides giving a row another label. */
  changes?: { drops?: boolean; values?: boolean; trigger?: boolean }
  /** The provider's log, which a program that is granted `log` reads; who is who stays here. */
  log?: LogSpec
  /** For a checkpoint of `scores`: what is handed in for each image, by name. */
  columns?: string[]
}

/** The terms of a prediction API. Without any of them it answers exactly, whoever asks. */
export interface ApiSpec {
  /** What it tells of its probabilities, one format of src/defences/answers/ after another; exact when left out. */
  answers?: readonly AnswerSpec[]
  /** Keys, numbered from 0, that the program holds; 1 when left out. */
  keys?: number
  /** Rows that the API answers a key before it refuses that key. */
  perKey?: number
  /** What a row costs, in cents. */
  cents?: number
}

/** The architecture that weights handed in for this task belong to, when the engine has trained them. */
export const trainedModel = ({ copy, victim }: Pick<Task, 'copy' | 'victim'>): string =>
  (copy ?? victim).model

export interface Submission<V> {
  variant: V
  task: Task
  artefact: Artefact
  ledger?: LedgerSummary
  trusted: Trusted
}

export interface CheckpointGrader<V> {
  accepts: ArtefactKind
  task(variant: V, trusted: Trusted): Promise<Task> | Task
  /** Recomputes everything from the artefact. Never throws for bad input: that is `rejected`. */
  grade(submission: Submission<V>): Promise<Verdict>
}

/** What labs/<slug>/grader.ts exports as default. */
export interface LabGrader<V = unknown> {
  /** What the learner's seed changes. Plain JSON: same seed, same variant, on any machine. */
  variant(rng: Rng, trusted: Trusted): Promise<V> | V
  checkpoints: Record<string, CheckpointGrader<V>>
}

export const defineLab = <V>(lab: LabGrader<V>): LabGrader<V> => lab
