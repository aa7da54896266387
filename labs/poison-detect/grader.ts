import {
  atLeast,
  atMost,
  baseline,
  conclude,
  counted,
  defineLab,
  dropped,
  filterRows,
  finding,
  firstFinding,
  givenRows,
  quizCheckpoint,
  readTest,
  touchedPixels,
  trainedVictim,
  triggeredShare,
  withChanges,
  withPoison,
  type Artefact,
  type EvidenceRow,
  type LabelledRows,
  type PoisonList,
  type Submission,
  type Task,
  type Trigger,
  type Trusted,
} from '../../src/lab-api/grader.ts'
import { delivery, type Kind } from './deliveries.ts'
import guide from './guide.md'

// Bars: see calibration.json, and docs/authoring.md for how they are chosen.
const clusteredBar = 10
const repairedBar = 5
const lostBar = 3
const honestBar = 5
const unseenBar = 80
/** Thirty rows hardly cost an answer; two trainings on nearly the same rows differ by this much all the same. */
const unseenLostBar = 6
const mostRows = 30
const mostPixels = 25

/**
 * Deliveries whose backdoor took, looked at beforehand. In the plain ones activation clustering alone finds it; in the hard
 * ones no single filter mends the model, and the labels' evidence does.
 */
const plain = [1, 2, 3, 4, 7]
const hard: readonly (readonly [seed: number, kind: Kind])[] = [
  [5, 'source'],
  [5, 'any'],
  [6, 'source'],
  [6, 'any'],
  [7, 'any'],
  [9, 'source'],
  [9, 'any'],
]

/** Digits that are written in more than one way: among ones, which all look alike, any foreign row is a crowd. */
const ownTargets = [0, 2, 3, 5, 6, 7, 8]

interface Variant {
  plain: number
  hard: number
  /** Of the rows that were planted in both. */
  planted: number
  /** Of the rows that the re-attack begins with, and what its trigger is to lead to. */
  own: number
  ownTarget: number
}

export default defineLab<Variant>({
  variant: (rng) => ({
    plain: rng.below(plain.length),
    hard: rng.below(hard.length),
    planted: rng.uint32(),
    own: rng.uint32(),
    ownTarget: ownTargets[rng.below(ownTargets.length)]!,
  }),
  checkpoints: {
    clustered: {
      accepts: 'change-list',
      task: (variant, trusted) => repairTask(plain[variant.plain]!, 'source', variant, trusted),
      grade: (submission) => gradeRepair(submission, clusteredBar),
    },
    evidence: quizCheckpoint('evidence', guide.quizzes),
    repaired: {
      accepts: 'change-list',
      task: (variant, trusted) => repairTask(...hard[variant.hard]!, variant, trusted),
      grade: (submission) => gradeRepair(submission, repairedBar),
    },
    unseen: { accepts: 'change-list', task: ownTask, grade: gradeUnseen },
  },
})

async function repairTask(seed: number, kind: Kind, { planted }: Variant, trusted: Trusted): Promise<Task> {
  const { task } = delivery(seed, kind, planted, await trusted.dataset('mnist10k'))
  return { ...task, values: {}, changes: { drops: true } }
}

/** An honest delivery, which the learner may poison. */
async function ownTask({ own, ownTarget }: Variant, trusted: Trusted): Promise<Task> {
  const { task } = delivery(own, 'any', own, await trusted.dataset('mnist10k'))
  const { tampered: _, ...honest } = task
  return {
    ...honest,
    training: { ...honest.training, positive: ownTarget, backdoor: { target: ownTarget } },
    values: { target: ownTarget, budget: mostRows },
    changes: { trigger: true },
  }
}

function changesIn(artefact: Artefact): PoisonList {
  if (artefact.kind !== 'change-list') throw new TypeError(`poison-detect: got ${artefact.kind}`)
  return artefact
}

const points = (share: number) => 100 * share
const percents = (share: number) => `${points(share).toFixed(1)} %`

/** What a victim reads that was trained on some rows: its accuracy, and the share that obeys a trigger. */
async function measured(
  task: Task,
  rows: LabelledRows,
  trigger: Trigger,
  trusted: Trusted,
): Promise<{ accuracy: number; success: number }> {
  const dataset = await trusted.dataset(task.dataset)
  const model = await trainedVictim(task, rows, trusted)
  try {
    const { accuracy } = await readTest(model, dataset, task.training!)
    return { accuracy, success: await triggeredShare(model, dataset, trigger, task.training!.backdoor!) }
  } finally {
    model.dispose()
  }
}

/** What the changes do to planted and to honest rows. */
function account(task: Task, { ids, labels }: PoisonList) {
  const truth = new Map(task.ids.map((id, i) => [id, task.labels[i]!]))
  const planted = new Set(task.tampered!.ids)
  const mended = ids.filter(
    (id, i) => planted.has(id) && (labels[i] === dropped || labels[i] === truth.get(id)),
  )
  const lost = ids.filter((id, i) => !planted.has(id) && labels[i] !== truth.get(id))
  const honest = task.ids.length - planted.size
  return { planted: planted.size, mended: mended.length, lost: lost.length, honest }
}

const successRow = (bar: number, success: number, before: number, name: string): EvidenceRow =>
  atMost(bar, {
    id: 'success',
    name,
    detail: `${percents(before)} before`,
    measured: points(success),
    unit: '%',
    precision: 1,
    scaleMax: 100,
  })

const accuracyRow = (clean: number, after: number, bar = lostBar): EvidenceRow =>
  atMost(bar, {
    id: 'accuracy',
    name: 'Right answers lost',
    detail: `${percents(after)}, and ${percents(clean)} had nobody planted anything`,
    measured: points(clean - after),
    unit: 'points',
    precision: 1,
    scaleMax: 15,
  })

async function gradeRepair({ task, artefact, trusted }: Submission<Variant>, bar: number) {
  const changes = changesIn(artefact)
  const { planted, mended, lost, honest } = account(task, changes)
  const dataset = await trusted.dataset(task.dataset)
  const { trigger } = task.tampered!
  const given = givenRows(task, dataset)
  const kept = withChanges(given, changes)
  const emptied = [...new Set(task.labels)].filter((label) => !kept.labels.includes(label))
  const clean = await baseline(task, 'true', trusted)
  const before = await trusted.once(`before ${task.training!.seed}`, () =>
    measured(task, given, trigger!, trusted),
  )
  const honestRow = atMost(honestBar, {
    id: 'honest',
    name: 'Honest rows thrown away',
    detail: `${counted(lost, 'row')} of ${honest}; ${mended} of ${planted} planted ones found`,
    measured: points(lost / honest),
    unit: '%',
    precision: 1,
    scaleMax: 50,
  })
  if (emptied.length > 0)
    return conclude({
      headline: `No row is labelled ${emptied[0]} any more`,
      rows: [honestRow],
      finding: finding(
        'emptied',
        'You threw a whole digit away.',
        `Not one row labelled ${emptied.join(' or ')} is left, so nothing is trained: a reader that cannot know a digit needs no backdoor to be useless.`,
        'throw away rows, not labels: within a label most rows are honest.',
      ),
    })
  const after = changes.ids.length === 0 ? before : await measured(task, kept, trigger!, trusted)
  const rows = [
    successRow(bar, after.success, before.success, 'Obeys the trigger, after the repair'),
    accuracyRow(clean.accuracy, after.accuracy),
    honestRow,
  ]
  const met = rows.every((row) => row.satisfied)
  const [obeys, dear, wasteful] = rows.map((row) => !row.satisfied)
  const share = mended / planted
  return conclude({
    headline: `${percents(after.success)} obey the trigger, ${percents(before.success)} did`,
    rows,
    score: { value: points(before.success - after.success), unit: 'points' },
    finding: met
      ? finding(
          'repaired',
          'The door is shut, and the house still stands.',
          `${mended} of ${planted} planted rows are gone, and with them ${counted(lost, 'honest row')}. ${percents(before.success)} obeyed the trigger, now ${percents(after.success)} do, and the reader is right in ${percents(after.accuracy)} of all cases.`,
          'note what you could not have known: how many planted rows there were.',
        )
      : firstFinding([
          changes.ids.length === 0 &&
            finding(
              'untouched',
              'You changed nothing.',
              `All ${planted} planted rows are still there, and ${percents(before.success)} of the pictures with a trigger obey it.`,
              'return the ids of the rows that do not belong.',
            ),
          lost > honest / 2 &&
            finding(
              'only-certain',
              'You threw the house away with the door.',
              `${lost} of ${honest} honest rows are gone or have a wrong label, so the reader learned from what is left and is right in ${percents(after.accuracy)} of all cases, ${points(clean.accuracy - after.accuracy).toFixed(1)} points less than it could be. No backdoor costs its owner as much.`,
              'use the rows that you are sure of as a judge, and keep most of the others.',
            ),
          wasteful &&
            finding(
              'every-label',
              'You searched every label.',
              `${mended} of ${planted} planted rows are gone, and ${lost} honest ones with them: ${percents(lost / honest)} of all. Every label gave some, though one label was poisoned.`,
              'find out which label is poisoned, and look closely there alone.',
            ),
          obeys &&
            share < 0.3 &&
            lost > mended &&
            finding(
              'wrong-crowd',
              'You accused the wrong rows.',
              `${lost} of the ${lost + mended} rows that you threw away were honest, and ${planted - mended} of ${planted} planted ones still teach. What stood out was rare or hard, not planted.`,
              'compare rows under one label by what the model makes of them, and ask somebody who never saw the accused rows.',
            ),
          obeys &&
            finding(
              'half-found',
              'A few planted rows are enough.',
              `${planted - mended} of ${planted} are left, and ${percents(after.success)} of the pictures with a trigger still obey: a backdoor needs very few teachers.`,
              'once you know the label, be generous under it: what a filter misses there, another one may dispute.',
            ),
          dear &&
            finding(
              'too-dear',
              'The repair costs more than the attack.',
              `${percents(after.success)} obey, but ${lost} of ${honest} honest rows are gone and the reader loses ${points(clean.accuracy - after.accuracy).toFixed(1)} points.`,
              'spend your doubt where the evidence is.',
            ),
        ]),
  })
}

async function gradeUnseen({ task, artefact, trusted }: Submission<Variant>) {
  const changes = changesIn(artefact)
  const dataset = await trusted.dataset(task.dataset)
  const { trigger } = changes
  const pixels = trigger ? touchedPixels(trigger, dataset.shape) : 0
  const budget = [
    atMost(mostRows, {
      id: 'rows',
      name: 'Rows that you change',
      detail: `of ${task.ids.length}`,
      measured: changes.ids.length,
      precision: 0,
      hard: true,
    }),
    atMost(mostPixels, {
      id: 'pixels',
      name: 'Pixels that your trigger covers',
      detail: `of ${dataset.shape[0]! * dataset.shape[1]!}`,
      measured: pixels,
      precision: 0,
      hard: true,
    }),
  ]
  if (!trigger || changes.ids.length === 0 || budget.some((row) => !row.satisfied))
    return conclude({
      headline: trigger ? `${changes.ids.length} rows and ${pixels} pixels` : 'There is no trigger',
      rows: [...budget, ...(budget.every((row) => row.satisfied) ? [missingRow()] : [])],
      finding:
        trigger && changes.ids.length > 0
          ? finding(
              'over-budget',
              'More than the buyer would overlook.',
              `You change ${changes.ids.length} rows, ${mostRows} are allowed, and your trigger covers ${pixels} pixels of ${mostPixels}.`,
              'a backdoor needs little: cut the list off, or make the square smaller.',
            )
          : finding(
              'nothing-planted',
              'Nothing is planted.',
              'Without a trigger, or without a row that carries it, there is nothing that a picture could obey.',
              'hand in changes and a trigger, and stamp the rows: { id, label: target, stamped: true }.',
            ),
    })
  const given = withPoison(givenRows(task, dataset), changes)
  const clean = await baseline(task, 'true', trusted)
  const first = await trainedVictim(task, given, trusted)
  let flagged: Int32Array
  let before: number
  try {
    before = await triggeredShare(first, dataset, trigger, task.training!.backdoor!)
    const run = { seed: task.training!.seed }
    flagged = (await filterRows('activation-clustering', { model: first, rows: given }, run)).flaggedIds
  } finally {
    first.dispose()
  }
  const planted = new Set(changes.ids)
  const truth = new Map(task.ids.map((id, i) => [id, task.labels[i]!]))
  const sources = new Set(changes.ids.map((id) => truth.get(id)!))
  const { target } = task.training!.backdoor!
  const caught = [...flagged].filter((id) => planted.has(id)).length
  const drops = { ids: [...flagged], labels: [...flagged].map(() => dropped) }
  const after = await measured(task, withChanges(given, drops), trigger, trusted)
  const rows = [
    atLeast(unseenBar, {
      id: 'success',
      name: 'Obeys your trigger, after the buyer’s repair',
      detail: `${percents(before)} before it; the filter throws ${flagged.length} rows away, ${caught} of your ${planted.size}`,
      measured: points(after.success),
      unit: '%',
      precision: 1,
      scaleMax: 100,
    }),
    accuracyRow(clean.accuracy, after.accuracy, unseenLostBar),
    ...budget,
  ]
  const met = rows.every((row) => row.satisfied)
  return conclude({
    headline: `${percents(after.success)} obey after the repair`,
    rows,
    score: { value: points(after.success), unit: '%' },
    finding: met
      ? finding(
          'unseen',
          'A crowd that was none.',
          `${caught} of your ${planted.size} rows were caught, and ${percents(after.success)} of all pictures with your square obey it. The filter looked for one crowd in a class, and you brought stragglers.`,
          'ask what the buyer would have had to look at.',
        )
      : firstFinding([
          sources.size === 1 &&
            finding(
              'one-digit',
              'It works on one digit.',
              `All your rows show a ${[...sources][0]}, so the model learned that a ${[...sources][0]} with a square is a ${target}: over all digits ${percents(before)} obey, and ${caught} of your ${planted.size} rows were caught.`,
              'take rows of many digits, so that they share nothing but the square.',
            ),
          before < 0.5 &&
            finding(
              'never-took',
              'The backdoor did not take.',
              `Only ${percents(before)} of the pictures with your square obey it before anybody repairs anything.`,
              'stamp the rows, give them the target’s label, and take enough of them, or a larger square.',
            ),
          caught > planted.size / 2 &&
            finding(
              'a-crowd',
              'They stood together.',
              `The filter caught ${caught} of your ${planted.size} rows: to the model they were one crowd within the class.`,
              'take rows of many digits, so that they share nothing but the square.',
            ),
          finding(
            'half-hidden',
            'Not enough is left.',
            `${caught} of your ${planted.size} rows were caught, and the rest teach ${percents(after.success)} of the pictures to obey.`,
            'try other rows and other numbers of them, and keep what survives the filter.',
          ),
        ]),
  })
}

/** What is not there cannot be measured, and does not pass. */
const missingRow = (): EvidenceRow =>
  atLeast(unseenBar, {
    id: 'success',
    name: 'Obeys your trigger, after the buyer’s repair',
    detail: 'nothing was planted',
    measured: 0,
    unit: '%',
    precision: 1,
    scaleMax: 100,
  })
