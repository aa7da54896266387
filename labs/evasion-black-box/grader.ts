import {
  alarmAt,
  askedBy,
  atLeast,
  atMost,
  boundsRules,
  conclude,
  correctlyRead,
  counted,
  createRng,
  defineLab,
  figure,
  finding,
  firstFinding,
  linfRow,
  logitsOf,
  measureExamples,
  quizCheckpoint,
  queriesRow,
  rangeRow,
  surerRows,
  thumbnail,
  topOfRows,
  type DataSet,
  type EvidenceRow,
  type Finding,
  type LedgerSummary,
  type MeasuredExamples,
  type Model,
  type Submission,
  type Task,
  type Trusted,
  type WatchRule,
} from '../../src/lab-api/grader.ts'
import guide from './guide.md'

const faces = 8

// Bars: see calibration.json, and docs/authoring.md for how they are chosen.
const dodge = { epsilon: 0.1, queries: 400, bar: 60 }
const impersonate = { epsilon: 0.2, queries: 1000, bar: 70 }
/** Of the length of the straight line, over two faces. */
const hop = { faces: 2, queries: 2400, bar: 0.75 }
const caught = { within: 40, honest: 24, attacks: 6, bar: 5 }
const unnoticed = { faces: 6, epsilon: 0.1, queries: 250, accounts: 200, bar: 60 }
/** The watch at the gate of the last step. */
const installed: WatchRule = { neighbours: 8, threshold: 0.9 }

interface Variant {
  target: number
  /** Seeds of the image samples. */
  samples: { dodged: number; impersonated: number; decisions: number; watched: number; unnoticed: number }
}

const base = { victim: { model: 'faces-cnn' }, dataset: 'faces12', split: 'test' } as const
type Sandboxed = Pick<Task, 'victim' | 'dataset' | 'split'>
const plain = (): Sandboxed => ({ ...base, victim: { ...base.victim } })

export default defineLab<Variant>({
  variant: (rng) => ({
    target: rng.below(12),
    samples: {
      dodged: rng.uint32(),
      impersonated: rng.uint32(),
      decisions: rng.uint32(),
      watched: rng.uint32(),
      unnoticed: rng.uint32(),
    },
  }),
  checkpoints: {
    dodged: {
      accepts: 'adversarial-examples',
      async task({ samples }, trusted) {
        const { epsilon, queries } = dodge
        return { ...plain(), ...(await sample(trusted, samples.dodged, faces)), values: { epsilon, queries } }
      },
      grade: gradeDodged,
    },
    impersonated: {
      accepts: 'adversarial-examples',
      async task({ target, samples }, trusted) {
        const { epsilon, queries } = impersonate
        const name = (await trusted.dataset(base.dataset)).classes[target]!
        const others = await sample(trusted, samples.impersonated, faces, (label) => label !== target)
        return { ...plain(), ...others, values: { epsilon, queries, target, name } }
      },
      grade: gradeImpersonated,
    },
    'yes-or-no': {
      accepts: 'adversarial-examples',
      async task({ target, samples }, trusted) {
        const others = await sample(trusted, samples.decisions, hop.faces, (label) => label !== target)
        const wanted = await sample(trusted, samples.decisions, 1, (label) => label === target)
        const { inputShape } = await trusted.model(base.victim.model)
        return {
          ...plain(),
          ids: [...others.ids, ...wanted.ids],
          labels: [...others.labels, ...wanted.labels],
          values: { queries: hop.queries, target },
          handIn: { ids: others.ids, shape: [...inputShape] },
        }
      },
      grade: gradeYesOrNo,
    },
    'what-leaks': quizCheckpoint('what-leaks', guide.quizzes),
    watched: {
      accepts: 'scores',
      async task({ target, samples }, trusted) {
        const { test } = await trusted.dataset(base.dataset)
        const order = createRng(samples.watched, 'visitors').shuffle(
          Array.from({ length: test.count }, (_, i) => i),
        )
        const taken = new Map<number, number>()
        const ids = order.filter((id) => {
          const label = test.labels[id]!
          taken.set(label, (taken.get(label) ?? 0) + 1)
          return taken.get(label)! <= 10
        })
        return {
          ...plain(),
          ids,
          labels: ids.map((id) => test.labels[id]!),
          values: { epsilon: 0.05, queries: 60, target },
          columns: ['neighbours', 'threshold'],
        }
      },
      grade: gradeWatched,
    },
    unnoticed: {
      accepts: 'adversarial-examples',
      async task({ samples }, trusted) {
        const { epsilon, queries, accounts } = unnoticed
        return {
          ...plain(),
          ...(await sample(trusted, samples.unnoticed, unnoticed.faces)),
          values: { epsilon, queries, accounts, neighbours: installed.neighbours },
          watch: { ...installed, accounts },
        }
      },
      grade: gradeUnnoticed,
    },
  },
})

async function sample(trusted: Trusted, seed: number, count: number, accept?: (label: number) => boolean) {
  const [model, dataset] = [await trusted.model(base.victim.model), await trusted.dataset(base.dataset)]
  return correctlyRead({ model, dataset, split: base.split, seed, count, ...(accept ? { accept } : {}) })
}

// Scores: dodge and impersonate

async function gradeDodged(submission: Submission<Variant>) {
  const { measured } = await measure(submission, dodge.epsilon)
  const total = submission.task.ids.length
  const share = (100 * measured.hits) / total
  const rows = [
    atLeast(dodge.bar, {
      id: 'dodged',
      name: 'Faces read as somebody else',
      detail: `${measured.hits} of ${total} faces`,
      measured: share,
      unit: '%',
    }),
    linfRow(measured, dodge.epsilon),
    rangeRow(measured),
    queriesRow(submission.ledger, total * dodge.queries),
  ]
  const asked = askedOf(submission.ledger)
  return conclude({
    headline: `${measured.hits} of ${total} faces are somebody else, after ${asked} questions`,
    rows,
    gallery: measured.gallery,
    score: { value: share, unit: '%' },
    finding: isMet(rows)
      ? finding(
          'dodged',
          'The gate told you how to pass it.',
          `${measured.hits} of ${total} faces are read as somebody else, no colour moved by more than ${figure(measured.perturbation.largest)}, and the ledger counts ${asked} questions: ${figure(asked / total)} a face. No gradient was asked for. The scores said after each square whether it helped.`,
          'be somebody in particular.',
        )
      : (searchFault(measured) ??
        finding(
          'below-bar',
          'Not enough of them pass.',
          `${measured.hits} of ${total} faces are read as somebody else, and ${dodge.bar} % are needed; ${asked} questions were asked.`,
          'keep asking until the score is 0 or below, up to the queries that each face has.',
        )),
  })
}

async function gradeImpersonated(submission: Submission<Variant>) {
  const { target } = submission.variant
  const { measured, dataset } = await measure(submission, impersonate.epsilon, target)
  const name = dataset.classes[target]!
  const total = submission.task.ids.length
  const share = (100 * measured.hits) / total
  const rows = [
    atLeast(impersonate.bar, {
      id: 'impersonated',
      name: `Faces read as ${name}`,
      detail: `${measured.hits} of ${total} faces`,
      measured: share,
      unit: '%',
    }),
    linfRow(measured, impersonate.epsilon),
    rangeRow(measured),
    queriesRow(submission.ledger, total * impersonate.queries),
  ]
  const elsewhere = measured.gallery.filter(
    ({ truth, readAfter }) => readAfter !== truth && readAfter !== target,
  ).length
  const asked = askedOf(submission.ledger)
  return conclude({
    headline: `${measured.hits} of ${total} faces are read as ${name}, after ${asked} questions`,
    rows,
    gallery: measured.gallery,
    score: { value: share, unit: '%' },
    finding: isMet(rows)
      ? finding(
          'impersonated',
          `The gate says ${name}.`,
          `${measured.hits} of ${total} faces of other people are read as ${name} after ${asked} questions, ${figure(asked / total)} a face. The search is the one that dodged; only the wish is another.`,
          'take the scores away and try again with yes and no.',
        )
      : (searchFault(measured, target) ??
        firstFinding([
          elsewhere >= total / 2 &&
            finding(
              'somebody-else',
              `They are somebody else, but not ${name}.`,
              `${elsewhere} of ${total} faces are read as a third person and ${measured.hits} as ${name}. A wish that only sinks the right name is granted by any other.`,
              `let the score compare ${name} with the strongest of all others.`,
            ),
          finding(
            'below-bar',
            `Not enough of them are read as ${name}.`,
            `${measured.hits} of ${total} faces, and ${impersonate.bar} % are needed; ${asked} questions were asked.`,
            `let the score fall with every gain of ${name} on the strongest other, also where both are near 0: compare logarithms.`,
          ),
        ])),
  })
}

/** What a search by scores that failed has left in the pixels. */
function searchFault(measured: MeasuredExamples, target?: number): Finding | undefined {
  const { perturbation, originals, limit, hits, task } = measured
  const total = task.ids.length
  const outOfBounds = firstFinding(boundsRules.map((rule) => rule({ measured, direction: nothingKnown })))
  if (outOfBounds) return outOfBounds
  const moved = perturbation.moved / originals.length
  const together = coherence(measured)
  const surer = target === undefined ? surerRows(measured) : fartherFrom(measured, target)
  return firstFinding([
    perturbation.moved === 0 &&
      finding(
        'unchanged',
        'The faces came back as they were.',
        `None of ${originals.length} numbers moved.`,
        'return the changed copy, and change it before you ask.',
      ),
    perturbation.largest < 0.6 * limit &&
      finding(
        'timid',
        'Your squares are too pale.',
        `The farthest number moved by ${figure(perturbation.largest)}, and ε is ${limit}.`,
        'a budget of ε is best spent whole: every number of a square at +ε or −ε.',
      ),
    together < 0.7 &&
      finding(
        'noise',
        'This is noise, and noise cancels.',
        `Neighbouring pixels moved the same way in ${Math.round(100 * together)} of 100 pairs; half is chance. A convolution adds up its neighbourhood, and changes that disagree leave nothing.`,
        'move a whole square the same way, a way for each colour.',
      ),
    surer >= 0.6 * total &&
      finding(
        'kept-the-worse',
        'You kept what made it worse.',
        `On ${surer} of ${total} faces the gate is ${target === undefined ? 'surer of the right name' : 'farther from the name you want'} than before you began.`,
        'keep a square when the score falls, not when it rises.',
      ),
    moved < 0.6 &&
      finding(
        'no-memory',
        'Each try forgets the last.',
        `Only ${Math.round(100 * moved)} % of the numbers differ from the original: one square, not the sum of all that helped. ${counted(hits, 'face')} passed by luck.`,
        'repaint a copy of the best face so far, and keep the copy when it scores lower.',
      ),
  ])
}

// Yes and no

async function gradeYesOrNo(submission: Submission<Variant>) {
  const { task, trusted, variant, artefact } = submission
  if (artefact.kind !== 'adversarial-examples') throw new TypeError(`yes-or-no: got ${artefact.kind}`)
  const { target } = variant
  const model = await trusted.model(base.victim.model)
  const dataset = await trusted.dataset(base.dataset)
  const name = dataset.classes[target]!
  const count = hop.faces
  const own = { ...task, ids: task.ids.slice(0, count), labels: task.labels.slice(0, count) }
  const measured = await measureExamples({
    task: own,
    examples: artefact,
    model,
    dataset,
    limit: 1,
    target,
    norm: 'l2',
  })
  const wanted = dataset[base.split].pixels([task.ids[count]!])
  const straight = await straightLines(model, measured, wanted, target)
  const ratios = straight.map((line, row) =>
    measured.success[row] ? measured.perturbation.l2[row]! / line.length : 1,
  )
  const ratio = ratios.reduce((sum, one) => sum + one, 0) / count
  const rows = [
    atLeast(count, {
      id: 'let-in',
      name: `Faces still read as ${name}`,
      detail: `${measured.hits} of ${count}`,
      measured: measured.hits,
      precision: 0,
      scaleMax: count,
      hard: true,
    }),
    atMost(hop.bar, {
      id: 'ratio',
      name: 'Distance left, of the straight line’s',
      detail: `straight ${straight.map(({ length }) => length.toFixed(1)).join(' and ')}, yours ${Array.from(measured.perturbation.l2, (l2) => l2.toFixed(1)).join(' and ')} in L2`,
      measured: ratio,
      precision: 2,
      scaleMax: Math.max(1.25, ratio),
    }),
    rangeRow(measured),
    queriesRow(submission.ledger, count * hop.queries),
  ]
  const asked = askedOf(submission.ledger)
  const slack = await slackOf(model, measured, target)
  const along = alignment(measured, wanted)
  return conclude({
    headline: `${Math.round(100 * ratio)} % of the straight line’s distance is left`,
    rows,
    gallery: measured.gallery.map((item) => ({ ...item, limit: hop.bar * straight[item.row]!.length })),
    // The best attempt is the one with the largest score: what was saved of the way.
    score: { value: 100 * (1 - ratio), unit: '%' },
    finding: isMet(rows)
      ? finding(
          'hopped',
          'Yes and no were enough.',
          `The faces are read as ${name} at ${Math.round(100 * ratio)} % of the distance at which the straight line crosses the border. ${asked} questions, and not one score: a gate that hides its scores makes the attacker slower, not harmless.`,
          'look at what those questions have in common.',
        )
      : firstFinding([
          ...boundsRules
            .map((rule) => rule({ measured, direction: nothingKnown }))
            .filter((one) => one && one.id !== 'epsilon-exceeded'),
          measured.hits < count &&
            finding(
              'wrong-side',
              'You stand on the wrong side of the border.',
              `${measured.hits} of ${count} faces are read as ${name}. A bisection ends with two points: the last that was refused and the last that was let in.`,
              'return the one that was let in.',
            ),
          slack > 0.03 &&
            finding(
              'rough-border',
              'Your border is too rough to walk along.',
              `Along the straight way back to the original, your faces can still come ${Math.round(100 * slack)} % nearer and stay ${name}. Probes at 0.02 of the distance cannot feel a border that is missed by more.`,
              'halve until the stretch is below 0.0003 of the way.',
            ),
          along > 0.999 &&
            finding(
              'straight-line',
              'You never left the straight line.',
              `Your faces lie between the original and the picture of ${name}, at ${Math.round(100 * ratio)} % of the straight line’s distance. No hop has landed.`,
              'add the steps that were let in and subtract those that were not: that way leads deeper, and a hop that leads deeper lands.',
            ),
          finding(
            'no-direction',
            'Your hops lead nowhere in particular.',
            `${Math.round(100 * ratio)} % of the straight line’s distance is left, and ${Math.round(100 * hop.bar)} % may be. In ${measured.originals.length / count} dimensions a direction that knows nothing is at right angles to the one you need, and one that knows little nearly so.`,
            'let the answers weigh the steps: +1 for a step that was let in, −1 for one that was not, and take the mean vote off. Steps in patches, the same for 4 × 4 pixels, are learned sooner: 300 numbers instead of 4,800.',
          ),
        ]),
  })
}

/** For each face: where the line to the wanted picture crosses the border, and how far that is. */
async function straightLines(
  model: Model,
  { originals, shape }: MeasuredExamples,
  wanted: Float32Array,
  target: number,
) {
  const count = shape[0]!
  const size = originals.length / count
  const ends = new Float32Array(originals.length)
  for (let row = 0; row < count; row++) ends.set(wanted, row * size)
  const shares = await bisect(model, originals, ends, shape, target)
  return shares.map((share, row) => {
    let squares = 0
    for (let i = 0; i < size; i++) squares += (ends[row * size + i]! - originals[row * size + i]!) ** 2
    return { share, length: share * Math.sqrt(squares) }
  })
}

/** How much nearer the handed-in faces can come along the straight way back; the most of all. */
async function slackOf(model: Model, measured: MeasuredExamples, target: number): Promise<number> {
  const shares = await bisect(model, measured.originals, measured.pixels, measured.shape, target)
  return Math.max(...shares.map((share, row) => (measured.success[row] ? 1 - share : 0)))
}

/** The share of the way from each row to its end at which it begins to be read as the target. */
async function bisect(model: Model, from: Float32Array, to: Float32Array, shape: number[], target: number) {
  const count = shape[0]!
  const size = from.length / count
  const low = new Array<number>(count).fill(0)
  const high = new Array<number>(count).fill(1)
  for (let step = 0; step < 14; step++) {
    const points = from.map((value, i) => {
      const row = Math.floor(i / size)
      return value + ((low[row]! + high[row]!) / 2) * (to[i]! - value)
    })
    const read = topOfRows(await logitsOf(model, points, shape), count)
    for (let row = 0; row < count; row++) {
      const middle = (low[row]! + high[row]!) / 2
      if (read[row] === target) high[row] = middle
      else low[row] = middle
    }
  }
  return high
}

/** The smallest cosine between a face's change and the way to the wanted picture. */
function alignment({ originals, pixels, shape }: MeasuredExamples, wanted: Float32Array): number {
  const size = wanted.length
  return Math.min(
    ...Array.from({ length: shape[0]! }, (_, row) => {
      let [dot, own, way] = [0, 0, 0]
      for (let i = 0; i < size; i++) {
        const from = originals[row * size + i]!
        const [a, b] = [pixels[row * size + i]! - from, wanted[i]! - from]
        dot += a * b
        own += a * a
        way += b * b
      }
      return own > 0 ? dot / Math.sqrt(own * way) : 1
    }),
  )
}

// The watch

async function gradeWatched({ artefact, trusted, variant }: Submission<Variant>) {
  if (artefact.kind !== 'scores') throw new TypeError(`watched: got ${artefact.kind}`)
  const [neighbours, threshold] = ['neighbours', 'threshold'].map(
    (name) => artefact.columns.find((column) => column.name === name)!.values[0]!,
  ) as [number, number]
  const possible = Number.isInteger(neighbours) && neighbours >= 1 && neighbours <= 1000 && threshold >= 0
  const rule: WatchRule = possible ? { neighbours, threshold } : { neighbours: 1000, threshold: 0 }
  const dataset = await trusted.dataset(base.dataset)
  const model = await trusted.model(base.victim.model)
  const honest = honestStreams(dataset, variant.samples.watched)
  const attacks = await trusted.once('attacks', () => attackStreams(model, dataset, trusted, variant))
  const closed = honest.filter((stream) => alarmAt(stream, rule) !== undefined).length
  const alarms = attacks.map((stream) => alarmAt(stream, rule) ?? Infinity)
  const seen = alarms.filter((at) => at <= caught.within).length
  const last = Math.max(...alarms.filter((at) => at <= caught.within), 0)
  const rows = [
    atMost(0, {
      id: 'honest',
      name: 'Honest visitors locked out',
      detail: `of ${honest.length} accounts that were never seen before, ${honest[0]!.length} pictures and more each`,
      measured: closed,
      precision: 0,
      scaleMax: honest.length,
      hard: true,
    }),
    atLeast(caught.bar, {
      id: 'caught',
      name: `Attacks caught within ${caught.within} questions`,
      detail: seen
        ? `${seen} of ${attacks.length}, the last at question ${last}`
        : `none of ${attacks.length}`,
      measured: seen,
      precision: 0,
      scaleMax: attacks.length,
    }),
  ]
  const words = `${figure(threshold)} from the ${neighbours} nearest`
  return conclude({
    headline: `${seen} of ${attacks.length} attacks caught, ${closed} of ${honest.length} visitors locked out`,
    rows,
    score: { value: (100 * seen) / attacks.length, unit: '%' },
    finding: !possible
      ? finding(
          'no-rule',
          'This is no rule.',
          `neighbours must be a whole number from 1 and threshold at least 0; got ${neighbours} and ${figure(threshold)}.`,
          'return { neighbours, threshold } with two plain numbers.',
        )
      : isMet(rows)
        ? finding(
            'watched',
            'The watch sees attacks, and nobody else.',
            `An account is closed below ${words}: ${seen} of ${attacks.length} attacks within ${caught.within} questions, none of ${honest.length} honest visitors. Each account was looked at by itself.`,
            'attack again, knowing that.',
          )
        : firstFinding([
            closed > 0 &&
              neighbours <= 2 &&
              finding(
                'twins',
                'Two pictures of one visit are not an attack.',
                `${closed} of ${honest.length} honest visitors ${closed === 1 ? 'is' : 'are'} locked out. With ${counted(neighbours, 'neighbour')}, a second snapshot of the same visit is as near as any attack.`,
                'look at more neighbours than one visit has pictures.',
              ),
            closed > 0 &&
              finding(
                'honest-locked-out',
                'Honest visitors stand outside.',
                `${closed} of ${honest.length} accounts ${closed === 1 ? 'is' : 'are'} closed below ${words}. They are other accounts than those you measured on, so leave room.`,
                'put the threshold well below the nearest honest distance that you see, not at it or above.',
              ),
            neighbours > caught.within - 10 &&
              finding(
                'too-late',
                'The watch waits too long.',
                `It compares with ${neighbours} earlier queries, so it is silent until question ${neighbours + 1}; an attack may be over by then.`,
                'take fewer neighbours.',
              ),
            finding(
              'never-rings',
              'The watch hardly ever rings.',
              `${seen} of ${attacks.length} attacks are caught below ${words}.`,
              'raise the threshold towards the nearest honest distance, or take more neighbours: one near twin among honest pictures then no longer decides where it must lie.',
            ),
          ]),
  })
}

/** Two accounts a person on pictures that no learner's program has seen: visits of one to three pictures each. */
function honestStreams({ train, classes, shape }: DataSet, seed: number): Float32Array[][] {
  const rng = createRng(seed, 'honest')
  return Array.from({ length: caught.honest }, (_, account) => {
    const all = Array.from({ length: train.count }, (_, id) => id)
    const own = rng.shuffle(all.filter((id) => train.labels[id] === account % classes.length)).slice(0, 14)
    const pixels = train.pixels(own)
    const width = pixels.length / own.length
    return own.flatMap((_, visit) =>
      Array.from({ length: 1 + rng.below(3) }, () => {
        const light = 0.98 + 0.04 * rng.uniform()
        const picture = pixels.subarray(visit * width, (visit + 1) * width)
        return thumbnail(
          picture.map((value) => Math.min(1, value * light)),
          shape,
        )
      }),
    )
  })
}

/** What attacks on other faces ask: four searches by scores that take a while, and two by decisions. */
async function attackStreams(model: Model, dataset: DataSet, trusted: Trusted, { target, samples }: Variant) {
  const { ids } = await sample(trusted, samples.watched, 20, (label) => label !== target)
  const wanted = await sample(trusted, samples.watched, 1, (label) => label === target)
  const start = dataset[base.split].pixels(wanted.ids)
  const streams: Float32Array[][] = []
  for (const [k, id] of ids.entries()) {
    if (streams.length === caught.attacks) break
    const byScores = streams.length < caught.attacks - 2
    const asked = await askedBy(
      model,
      { pixels: dataset[base.split].pixels([id]), label: dataset[base.split].labels[id]! },
      byScores
        ? {
            attack: 'square',
            options: { epsilon: 0.05, maxQueries: 48 },
            seed: samples.watched + k,
            targets: [target],
          }
        : { attack: 'hop-skip-jump', options: { maxQueries: 48 }, seed: k, targets: [target], start },
    )
    // One that gets through at once has asked too little to be seen by anybody.
    if (asked.length > caught.within) streams.push(asked.map((picture) => thumbnail(picture, dataset.shape)))
  }
  return streams
}

// Unnoticed

async function gradeUnnoticed(submission: Submission<Variant>) {
  const { ledger, task } = submission
  const { measured } = await measure(submission, unnoticed.epsilon)
  const total = task.ids.length
  const share = (100 * measured.hits) / total
  const accounts = ledger?.accounts
  const rows = [
    atLeast(unnoticed.bar, {
      id: 'dodged',
      name: 'Faces read as somebody else',
      detail: `${measured.hits} of ${total} faces`,
      measured: share,
      unit: '%',
    }),
    linfRow(measured, unnoticed.epsilon),
    rangeRow(measured),
    queriesRow(ledger, total * unnoticed.queries),
    atMost(0, {
      id: 'closed',
      name: 'Accounts closed by the watch',
      detail: accounts ? `of ${accounts.used} that asked` : 'no ledger came with this hand-in',
      measured: accounts ? accounts.closed : Number.NaN,
      precision: 0,
      scaleMax: unnoticed.accounts,
      hard: true,
      claimed: true,
    }),
  ]
  const asked = askedOf(ledger)
  return conclude({
    headline: `${measured.hits} of ${total} faces, ${counted(accounts?.closed ?? 0, 'account')} closed`,
    rows,
    gallery: measured.gallery,
    score: { value: share, unit: '%' },
    finding: isMet(rows)
      ? finding(
          'unnoticed',
          'The watch saw nothing.',
          `${measured.hits} of ${total} faces passed with ${asked} questions from ${accounts!.used} accounts, and no account asked enough to be compared. The watch guards an account; you were many. Now the price of an account is what protects the gate.`,
          'think about what an account costs where you work, and what could be compared across accounts without reading along with everybody.',
        )
      : firstFinding([
          ...boundsRules.map((rule) => rule({ measured, direction: nothingKnown })),
          accounts !== undefined &&
            accounts.closed > 0 &&
            finding(
              'account-closed',
              accounts.used === 1 ? 'One account asked everything.' : 'Your accounts ask too much alike.',
              `${accounts.closed} of ${counted(accounts.used, 'account')} ${accounts.closed === 1 ? 'was' : 'were'} closed. The watch looks at the ${installed.neighbours} nearest earlier queries of an account, so up to ${installed.neighbours} questions of one account are compared with nothing.`,
              accounts.used === 1
                ? 'let another account ask, after so many questions.'
                : 'change the account sooner.',
            ),
          searchFault(measured),
          finding(
            'below-bar',
            'Not enough of them pass.',
            `${measured.hits} of ${total} faces are read as somebody else, and ${unnoticed.bar} % are needed; ${asked} questions were asked.`,
            'the search is the one of the first checkpoint: give it all its questions.',
          ),
        ]),
  })
}

// Measuring

async function measure({ task, artefact, trusted }: Submission<Variant>, limit: number, target?: number) {
  if (artefact.kind !== 'adversarial-examples') throw new TypeError(`evasion-black-box: got ${artefact.kind}`)
  const dataset = await trusted.dataset(task.dataset)
  const model = await trusted.model(task.victim.model)
  const goal = target === undefined ? {} : { target }
  return {
    dataset,
    measured: await measureExamples({ task, examples: artefact, model, dataset, limit, ...goal }),
  }
}

/** The bounds rules look at pixels only. */
const nothingKnown = { agreement: 0.5, compared: 0, evenness: 1 }

/** Of all pixels beside each other in a row that both moved, the share that moved the same way. */
function coherence({ originals, pixels, shape }: MeasuredExamples): number {
  const [count = 0, height = 0, width = 0, channels = 0] = shape
  let [same, compared] = [0, 0]
  for (let line = 0; line < count * height; line++)
    for (let at = line * width * channels; at < (line * width + width - 1) * channels; at++) {
      const [a, b] = [pixels[at]! - originals[at]!, pixels[at + channels]! - originals[at + channels]!]
      const down = line % height < height - 1 ? at + width * channels : at
      const c = pixels[down]! - originals[down]!
      // Stripes agree down a column, squares both ways: the better of the two neighbours counts.
      if (Math.abs(a) < 1e-6 || Math.abs(b) < 1e-6 || Math.abs(c) < 1e-6) continue
      compared++
      if (a > 0 === c > 0) same++
    }
  return compared ? same / compared : 1
}

/** Faces whose target has lost ground on the strongest other. */
const fartherFrom = ({ gallery }: MeasuredExamples, target: number): number => {
  const lead = (logits: number[]) =>
    logits[target]! - Math.max(...logits.filter((_, name) => name !== target))
  return gallery.filter(({ logitsBefore, logitsAfter }) => lead(logitsAfter) < lead(logitsBefore)).length
}

const askedOf = (ledger: LedgerSummary | undefined) =>
  Object.values(ledger?.rows ?? {}).reduce((sum, rows) => sum + rows, 0)
const isMet = (rows: EvidenceRow[]) => rows.every((row) => row.satisfied)
