/**
 * The trusted door for labs: everything labs/<slug>/grader.ts may import. It runs on the referee (WASM, in
 * a worker and in Node) with trusted copies of model and data, and never sees the learner's program.
 */
export { defineLab } from '../grading/grader.ts'
export type { CheckpointGrader, LabGrader, Submission, Task, Trusted } from '../grading/grader.ts'
export type { Artefact, LedgerSummary } from '../grading/artefact.ts'
export type { EvidenceRow, Finding, GalleryItem, Verdict } from '../grading/verdict.ts'

/** Rows of evidence, and what they add up to. */
export { atLeast, atMost, conclude, rejected } from '../grading/rows.ts'

/** Named findings, and numbers in words. */
export { counted, figure, finding, firstFinding, percent } from '../grading/findings.ts'

/** Sampling by the variant's seed, and quizzes. */
export { correctlyRead } from '../grading/sampling.ts'
export { quizCheckpoint } from '../grading/quiz.ts'
export { createRng, type Rng } from '../core/rng.ts'

/** Measuring adversarial examples and telling what a step was made of. */
export {
  diagnoseDirection,
  gradientOf,
  largestIn,
  linfRow,
  logitsOf,
  measureExamples,
  medianChange,
  medianRow,
  normRow,
  queriesRow,
  rangeRow,
  type BudgetNorm,
  type Diagnosis,
  type Examples,
  type Hypothesis,
  type MeasuredExamples,
} from '../grading/evasion.ts'
/** Training data that was changed: what the victim reads that is trained on it, and on the rows as they were. */
export { baseline, givenRows, retrained, trainedVictim } from '../grading/retrained.ts'
export type { Retrained } from '../grading/retrained.ts'
export { readTest, readImages, triggeredShare, type Reading } from '../grading/readings.ts'
/** The library's filters of a training set, on the model that learned it. */
export { filterRows } from '../defences/sanitation/row-filters.ts'
export { dropped, withChanges, type ChangeList } from '../data/change-list.ts'
/** Backdoors: triggers as data, rows that carry one, and the filter that a trigger has to walk past. */
export { touchedPixels, withPoison, type PoisonList } from '../attacks/poison-list.ts'
export { applyTrigger, type Trigger } from '../attacks/trigger.ts'
export { stripEntropies, stripThreshold } from '../defences/detection/strip.ts'
/** A shop whose recommender is fitted on changed ratings, and what its lists show. */
export {
  givenRatings,
  honestShoppers,
  recommended,
  shopRatings,
  tooAlike,
  type RatingsChange,
  type Recommended,
  type ShopSpec,
} from '../grading/shop.ts'
export { profilesOf } from '../data/change-list.ts'
export { itemStatistics, placesByUser, withProfiles, type Profile, type Ratings } from '../data/ratings.ts'
export { profileSimilarity } from '../defences/sanitation/profile-similarity.ts'
export { withoutRows, type LabelledRows } from '../data/labelled-rows.ts'
/** Poison in a model's features: the referee's own collision, and the filter that asks neighbours there. */
export { featureCollision } from '../attacks/poisoning/feature-collision.ts'
export { deepKnnSuspicion } from '../defences/sanitation/deep-knn.ts'
export { featureModel, featuresOf } from '../models/features.ts'
/** The referee's own attacks, e.g. `pgd` on a model that was handed in. */
export {
  attackImages,
  rightUnderAttack,
  type AttackedImages,
  type RefereeAttack,
} from '../grading/attacked.ts'
/** What a black-box attack asks, and a watch that looks at it. */
export { askedBy } from '../grading/query-streams.ts'
export { alarmAt, thumbnail, type WatchRule } from '../defences/detection/query-watch.ts'
/** A model that was handed in, with scores that a gradient attack can follow. */
export { withUsualScores } from '../grading/usual-scores.ts'
export { crossEntropies } from '../metrics/cross-entropy.ts'
/** Why a run failed: the table of faults, and what it looks at. */
export { boundsRules, diagnose, examineRun, faults, firstOf } from '../grading/diagnose/diagnose.ts'
export { longStep } from '../grading/diagnose/budget.ts'
export { maskedGradient, softmaxLogits, zeroGradient } from '../grading/diagnose/gradient.ts'
export { greyLevels, notClipped } from '../grading/diagnose/pixels.ts'
export { collapsedTraining } from '../grading/diagnose/training.ts'
export { surerRows, type Rule, type Run } from '../grading/diagnose/run.ts'
export { compareDirection, measurePerturbation, topOfRows, type Perturbation } from '../grading/measure.ts'

/** Stolen linear models: the victim's own numbers, probes, agreement, and the referee's thieves. */
export {
  agreement,
  isSame,
  logisticOf,
  logisticTensors,
  logisticVictim,
  oneSided,
  randomProbes,
  tableRows,
  weightError,
} from '../grading/surrogate.ts'
export { borderThief, equationThief, roundedAnswers } from '../grading/linear-thief.ts'
export { logOdds, sigmoid, type LogisticModel } from '../models/logistic.ts'

/** Stolen networks: the copy, what it and the victim read, what it learned from, and the referee's own thief. */
export {
  answeredRow,
  meanSure,
  oftenest,
  readRows,
  readsOf,
  sameReads,
  stealAndRead,
  weightDistance,
  withCopy,
  type Reads,
} from '../grading/copies.ts'
export { othersDigits } from '../models/seeded/postcode-cnn.ts'
export type { AnswerSpec } from '../defences/answer.ts'
export { transferRate } from '../metrics/extraction.ts'

/** A provider's accounts, what watches and limits make of them, and a watermark on trial. */
export {
  answersTo,
  arrivals,
  questionsOf,
  seedPictures,
  stockOwn,
  type AccountKind,
  type AccountSpec,
  type LogSpec,
} from '../grading/account-log.ts'
export { TheftWatch, type TheftRules } from '../defences/detection/theft-watch.ts'
export { secondsForRows, TokenBuckets } from '../defences/access/token-bucket.ts'
export { luck } from '../defences/watermark/trigger-set.ts'
export { heldPictures } from '../grading/parties.ts'
export { markTrial, trainInnocents, type Suspect } from '../grading/watermark-trial.ts'

/** Stickers: how they lie on pictures, and the referee's own. */
export {
  drawPlacements,
  pasteSticker,
  straight,
  type Placement,
  type PlacementRange,
  type Spot,
} from '../core/placement.ts'
export { refereeSticker, type Sticker } from '../grading/stickers.ts'

/** Promises of robustness: votes under noise, what they prove, and an attack that looks for a counterexample. */
export { attackUnderNoise, votesUnderNoise } from '../grading/certificates.ts'
export {
  abstain,
  ceiling,
  certificate,
  certifiedAccuracy,
  winner,
  type Certificate,
} from '../defences/certification/certificate.ts'
export { accuracyUnderNoise } from '../defences/training/noise-training.ts'
export { betaQuantile, binomialLowerBound, binomialUpperBound, normalQuantile } from '../core/statistics.ts'

/** Defended models, built from the stages of `task.victim.defence`, and how an attacker sees them who knows them. */
export { averaged, defended } from '../defences/defended.ts'
export { adaptive } from '../defences/adaptive.ts'
export type { StageSpec } from '../defences/stage.ts'

export type { Model, Weight } from '../models/model.ts'
export type { DataSet } from '../data/data-set.ts'
