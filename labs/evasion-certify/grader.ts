import {
  abstain,
  accuracyUnderNoise,
  atLeast,
  atMost,
  attackUnderNoise,
  betaQuantile,
  binomialLowerBound,
  binomialUpperBound,
  boundsRules,
  ceiling,
  certificate,
  conclude,
  correctlyRead,
  counted,
  createRng,
  defineLab,
  diagnose,
  examineRun,
  figure,
  finding,
  firstFinding,
  firstOf,
  linfRow,
  logitsOf,
  measureExamples,
  normalQuantile,
  percent,
  quizCheckpoint,
  rangeRow,
  rejected,
  topOfRows,
  votesUnderNoise,
  winner,
  type Artefact,
  type EvidenceRow,
  type Finding,
  type MeasuredExamples,
  type Model,
  type Submission,
  type Task,
  type Trusted,
} from '../../src/lab-api/grader.ts'
import guide from './guide.md'

/** Copies that choose the class, and the chance that a certificate is wrong. */
const [n0, alpha] = [50, 0.001]

/** What a checkpoint of certificates asks for; n copies are counted. */
interface Goal {
  sigma: number
  n: number
  radius: number
  images: number
  bar: number
}

// Bars: see calibration.json, and docs/authoring.md for how they are chosen.
const first: Goal = { sigma: 0.5, n: 200, radius: 0.25, images: 20, bar: 35 }
const promise: Goal = { sigma: 0.5, n: 500, radius: 0.5, images: 50, bar: 60 }
const cleanBar = 94
const noisyBar = 88
const outside = { epsilon: 0.25, images: 40, bar: 72 }

const base = { victim: { model: 'digits-cnn' }, dataset: 'mnist10k', split: 'test' } as const

interface Variant {
  /** Seeds of the image samples. */
  samples: { certified: number; trained: number; promised: number; outside: number }
  /** Where the referee's own noise comes from. */
  noise: number
}

export default defineLab<Variant>({
  variant: (rng) => ({
    samples: {
      certified: rng.uint32(),
      trained: rng.uint32(),
      promised: rng.uint32(),
      outside: rng.uint32(),
    },
    noise: rng.uint32(),
  }),
  checkpoints: {
    certified: {
      accepts: 'scores',
      task: async ({ samples }, trusted) =>
        certificateTask(trusted, await trusted.model(base.victim.model), samples.certified, first),
      grade: async (submission) =>
        gradeCertificates(submission, await submission.trusted.model(base.victim.model), first),
    },
    'where-it-ends': quizCheckpoint('where-it-ends', guide.quizzes),
    'noise-trained': {
      accepts: 'model-weights',
      async task({ samples }, trusted) {
        const { test } = await trusted.dataset(base.dataset)
        const order = createRng(samples.trained, 'sample').shuffle(
          Array.from({ length: test.count }, (_, i) => i),
        )
        const ids = order.slice(0, 1000)
        const labels = ids.map((id) => test.labels[id]!)
        return { ...base, victim: { ...base.victim }, ids, labels, values: { sigma: promise.sigma } }
      },
      grade: gradeTraining,
    },
    promised: {
      accepts: 'scores',
      async task({ samples }, trusted) {
        const model = await trusted.modelFrom('noise-trained')
        const task = await certificateTask(trusted, model, samples.promised, promise)
        return { ...task, victim: { ...base.victim, weightsFrom: 'noise-trained' } }
      },
      grade: async (submission) =>
        gradeCertificates(submission, await submission.trusted.modelFrom('noise-trained'), promise),
    },
    outside: {
      accepts: 'adversarial-examples',
      async task({ samples }, trusted) {
        const model = await trusted.modelFrom('noise-trained')
        const dataset = await trusted.dataset(base.dataset)
        const sample = await correctlyRead({
          model,
          dataset,
          split: base.split,
          seed: samples.outside,
          count: outside.images,
        })
        return {
          ...base,
          victim: { ...base.victim, weightsFrom: 'noise-trained' },
          ...sample,
          values: { epsilon: outside.epsilon, sigma: promise.sigma },
        }
      },
      grade: gradeOutside,
    },
  },
})

async function certificateTask(
  trusted: Trusted,
  model: Model,
  seed: number,
  { sigma, n, radius, images }: Goal,
): Promise<Task> {
  const dataset = await trusted.dataset(base.dataset)
  const sample = await correctlyRead({ model, dataset, split: base.split, seed, count: images })
  return {
    ...base,
    victim: { ...base.victim },
    ...sample,
    values: { sigma, radius, n0, n, alpha },
    columns: ['class', 'votes', 'radius'],
  }
}

// Certificates

/** One certificate as it was handed in, and what its own votes prove. */
interface Claim {
  class: number
  votes: number
  radius: number
  /** The lower bound on the class's share, and the radius that follows; 0 below a half. */
  lower: number
  proven: number
}

/** Radii are handed in as 32-bit floats, and a quantile of one's own may be a little off. */
const tolerance = 2e-3

async function gradeCertificates(
  { task, artefact, variant, ledger, trusted }: Submission<Variant>,
  model: Model,
  goal: Goal,
) {
  const { sigma, n, radius, bar } = goal
  const claims = readClaims(artefact, goal)
  if (typeof claims === 'string')
    return rejected(
      claims,
      `Next: hand in for each image the class (${abstain} when you abstain), its votes out of ${n}, and the radius.`,
    )
  const images = claims.length
  const top = ceiling({ sigma, n, alpha })
  const largest = Math.max(0, ...claims.map((claim) => claim.radius))
  const over = claims.filter((claim) => claim.radius > claim.proven + tolerance || lacksMajority(claim))
  const under = claims.filter((claim) => !lacksMajority(claim) && claim.radius < claim.proven - tolerance)
  const certified = claims.filter(
    (claim, i) => claim.class === task.labels[i] && claim.radius >= radius,
  ).length
  const pixels = (await trusted.dataset(task.dataset))[task.split].pixels(task.ids)
  const looks = await trusted.once(`looks at ${task.ids.join()}`, () =>
    votesUnderNoise(model, pixels, { sigma, n: firstLook }, variant.noise),
  )
  const contradicted = await contradictions(claims, looks, pixels, model, goal, variant.noise)
  const counterexample = await counterexamples(claims, pixels, model, goal, variant.noise)
  const copies = ledger?.rows.logits
  const rows = [
    atLeast(bar, {
      id: 'certified',
      name: `Certified at radius ${radius}`,
      detail: `${certified} of ${images} digits, with the right class`,
      measured: (100 * certified) / images,
      unit: '%',
    }),
    // In whole ten-thousandths, as it is reported: radii come as 32-bit floats.
    atMost(Math.ceil(1e4 * top) / 1e4, {
      id: 'ceiling',
      name: 'Longest radius promised',
      detail: `${n} of ${n} votes prove ${top.toFixed(3)}, and no vote proves more`,
      measured: largest,
      scaleMax: Math.max(1.5 * top, 1.1 * largest),
      hard: true,
    }),
    none('over', 'Promises longer than their votes prove', over.length, images),
    none('under', 'Promises shorter than their votes prove', under.length, images),
    none('contradicted', 'Votes that the referee’s own copies contradict', contradicted.length, images),
    none(
      'broken',
      'Promises broken by an attack inside the radius',
      counterexample.broken.length,
      counterexample.tried,
    ),
    ...(copies === undefined
      ? []
      : [
          atLeast(images * (n0 + n), {
            id: 'copies',
            name: 'Noisy copies asked for',
            detail: `${n0} to choose and ${n} to count, for each of ${images} digits`,
            measured: copies,
            precision: 0,
            hard: true,
            claimed: true,
          }),
        ]),
  ]
  const known = {
    task,
    claims,
    over,
    under,
    contradicted,
    counterexample,
    certified,
    top,
    goal,
    copies,
  }
  return conclude({
    headline: `${certified} of ${images} digits certified at radius ${radius}`,
    rows,
    score: { value: (100 * certified) / images, unit: '%' },
    finding: isMet(rows) ? keptFinding(known) : certificateFinding(known),
  })
}

/** A hard row of things that must not be. */
const none = (id: string, name: string, measured: number, of: number) =>
  atMost(0, {
    id,
    name,
    detail: `${measured} of ${of}`,
    measured,
    precision: 0,
    scaleMax: Math.max(1, of),
    hard: true,
  })

/** A class and no proof that it has the majority. */
const lacksMajority = (claim: Claim) => claim.class !== abstain && claim.lower < 0.5

function readClaims(artefact: Artefact, { sigma, n }: Goal): Claim[] | string {
  if (artefact.kind !== 'scores') throw new TypeError(`evasion-certify: got ${artefact.kind}`)
  const column = (name: string) => artefact.columns.find((one) => one.name === name)!.values
  const [classes, votes, radii] = ['class', 'votes', 'radius'].map(column) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  const wrongClass = classes.findIndex((value) => !Number.isInteger(value) || value < abstain || value > 9)
  if (wrongClass >= 0)
    return `The class of image ${wrongClass + 1} must be a digit, or ${abstain} for abstaining; got ${figure(classes[wrongClass]!)}.`
  const wrongVotes = votes.findIndex((value) => !Number.isInteger(value) || value < 0 || value > n)
  if (wrongVotes >= 0)
    return `The votes of image ${wrongVotes + 1} must be a whole number from 0 to ${n}; got ${figure(votes[wrongVotes]!)}.`
  return Array.from(classes, (answer, i) => {
    const lower = binomialLowerBound(votes[i]!, n, alpha)
    const proven = certificate(answer, votes[i]!, { sigma, n, alpha }).radius
    return { class: answer, votes: votes[i]!, radius: radii[i]!, lower, proven }
  })
}

/** Copies behind the referee's first look, and behind the second at what looked wrong. */
const [firstLook, secondLook] = [100, 2000]

/** Claims whose votes the referee cannot find: its own copies prove a smaller share than theirs do. */
async function contradictions(
  claims: readonly Claim[],
  looks: Awaited<ReturnType<typeof votesUnderNoise>>,
  pixels: Float32Array,
  model: Model,
  { sigma, n }: Goal,
  seed: number,
): Promise<{ row: number; votes: number; of: number }[]> {
  const size = pixels.length / claims.length
  const differs = (claim: Claim, votes: number, of: number) =>
    claim.class !== abstain && binomialUpperBound(votes, of, 1e-6) < binomialLowerBound(claim.votes, n, 1e-6)
  const suspicious = claims
    .map((_, row) => row)
    .filter((row) => differs(claims[row]!, looks[row]![claims[row]!.class]!, firstLook))
  const found = []
  for (const row of suspicious) {
    const image = pixels.subarray(row * size, (row + 1) * size)
    const [again] = await votesUnderNoise(model, image, { sigma, n: secondLook }, seed + 1)
    const votes = again![claims[row]!.class]!
    if (differs(claims[row]!, votes, secondLook)) found.push({ row, votes, of: secondLook })
  }
  return found
}

/** The most daring promises are attacked, each inside its own radius. */
const attackedAtMost = 4

interface Counterexample {
  row: number
  length: number
  read: number
  votes: number
  of: number
}

async function counterexamples(
  claims: readonly Claim[],
  pixels: Float32Array,
  model: Model,
  { sigma }: Goal,
  seed: number,
): Promise<{ tried: number; broken: Counterexample[] }> {
  const size = pixels.length / claims.length
  const daring = claims
    .map((claim, row) => ({ ...claim, row }))
    .filter((claim) => claim.class !== abstain && claim.radius > 0.02)
    .sort((a, b) => b.radius - b.proven - (a.radius - a.proven) || b.radius - a.radius)
    .slice(0, attackedAtMost)
  const broken: Counterexample[] = []
  for (const { row, class: answer, radius } of daring) {
    const image = pixels.slice(row * size, (row + 1) * size)
    // A promise beyond 4 moves a digit into any other: no need to go farther.
    const epsilon = Math.min(0.99 * radius, 4)
    const moved = await attackUnderNoise(model, image, answer, { sigma, epsilon, steps: 10 }, seed + row)
    const [votes] = await votesUnderNoise(model, moved, { sigma, n: 200 }, seed + row + 1)
    const read = winner(votes!, alpha)
    if (read === abstain || read === answer) continue
    const length = Math.sqrt(moved.reduce((sum, value, i) => sum + (value - image[i]!) ** 2, 0))
    broken.push({ row, length, read, votes: votes![read]!, of: 200 })
  }
  return { tried: daring.length, broken }
}

interface Known {
  task: Task
  claims: readonly Claim[]
  over: readonly Claim[]
  under: readonly Claim[]
  contradicted: { row: number; votes: number; of: number }[]
  counterexample: { tried: number; broken: Counterexample[] }
  certified: number
  top: number
  goal: Goal
  copies: number | undefined
}

function keptFinding({ claims, certified, goal: { radius }, counterexample, task }: Known): Finding {
  const isOwn = task.victim.weightsFrom !== undefined
  const abstained = claims.filter((claim) => claim.class === abstain).length
  const attacked = `The referee attacked the ${counterexample.tried} longest promises inside their radius and broke none.`
  return isOwn
    ? finding(
        'promise-kept',
        'A promise that holds whatever the attack.',
        `${certified} of ${claims.length} digits keep their class under every change shorter than ${radius}, with a chance of error of ${alpha} each. ${attacked}`,
        'look for what the promise does not say: it speaks of L2 and of nothing else.',
      )
    : finding(
        'proved',
        'The proof is right, and the news is bad.',
        `${certified} of ${claims.length} digits are certified at ${radius}, and ${abstained} not at all: this reader was never shown noise, so it is not sure under it. ${attacked}`,
        'answer the question on the limits of a proof; then teach the reader to see through the noise.',
      )
}

/** Wrong ways from votes to a radius, each with the one line that is wrong. */
const formulas: {
  id: string
  title: string
  cause: string
  next: string
  radius(votes: number, goal: Goal): number
}[] = [
  {
    id: 'plug-in',
    title: 'A share of the votes is not a proof.',
    cause:
      'Your radii are σ·Φ⁻¹(votes / n): the share that n copies happened to give, as if it were the true one. The next n copies give another.',
    next: 'put a lower bound in its place, one that the true share stays above with confidence 1 − α: stats.betaQuantile(alpha, votes, n - votes + 1).',
    radius: (votes, { sigma, n }) => sigma * normalQuantile(votes / n),
  },
  {
    id: 'sigma-forgotten',
    title: 'The radius is measured in units of σ.',
    cause: 'Your radii are Φ⁻¹(p) without σ: right for noise of deviation 1, and this noise is another.',
    next: 'multiply by sigma.',
    radius: (votes, { n }) => normalQuantile(binomialLowerBound(votes, n, alpha)),
  },
  {
    id: 'no-quantile',
    title: 'A probability is not a distance.',
    cause:
      'Your radii are σ·p. A probability of 0.9 is 1.28 deviations away from a half, and one of 0.99 is 2.33: the way from a probability to a distance is Φ⁻¹.',
    next: 'take sigma * stats.normalQuantile(p).',
    radius: (votes, { sigma, n }) => sigma * binomialLowerBound(votes, n, alpha),
  },
  {
    id: 'upper-bound',
    title: 'That is the upper end of the interval.',
    cause:
      'Your bound on the share lies above the votes you counted, not below: the confidence stands where the error should, or the other way round.',
    next: 'the lower end is stats.betaQuantile(alpha, votes, n - votes + 1): alpha itself, not 1 − alpha.',
    radius: (votes, { sigma, n }) =>
      sigma * normalQuantile(votes === n ? 1 : betaQuantile(1 - alpha, votes + 1, n - votes)),
  },
  {
    id: 'upper-bound',
    title: 'That is the upper end of the interval.',
    cause:
      'Your bound on the share lies above the votes you counted, not below: 1 − α stands where α should.',
    next: 'the lower end is stats.betaQuantile(alpha, votes, n - votes + 1): alpha itself, not 1 − alpha.',
    radius: (votes, { sigma, n }) => sigma * normalQuantile(betaQuantile(1 - alpha, votes, n - votes + 1)),
  },
  {
    id: 'two-sided',
    title: 'Half of your error goes to a side that nobody asked about.',
    cause:
      'Your bound uses α / 2, as an interval with two ends does. A certificate is only ever wrong at the lower end.',
    next: 'spend all of alpha on the lower bound.',
    radius: (votes, { sigma, n }) => sigma * normalQuantile(binomialLowerBound(votes, n, alpha / 2)),
  },
]

/** The formula that gives the radii of nearly all promises where it says something else than the right one. */
function explain({ claims, goal }: Known) {
  const telling = claims.filter(
    (claim) => claim.class !== abstain && claim.votes < goal.n && claim.lower >= 0.5,
  )
  return formulas.find(({ radius }) => {
    const told = telling.filter((claim) => Math.abs(radius(claim.votes, goal) - claim.proven) > tolerance)
    const agree = told.filter((claim) => Math.abs(radius(claim.votes, goal) - claim.radius) <= tolerance)
    return told.length > 0 && agree.length >= 0.9 * told.length
  })
}

function certificateFinding(known: Known): Finding {
  const { task, claims, over, under, contradicted, counterexample, certified, top, copies } = known
  const { sigma, n, radius, bar } = known.goal
  const beyond = claims.filter((claim) => claim.radius > top + 1e-6).length
  const wrong = explain(known)
  const proof = broken(known)
  const overshoot = Math.max(...claims.map((claim) => claim.radius - claim.proven))
  const far = beyond
    ? ` ${counted(beyond, 'radius lies', 'radii lie')} above ${top.toFixed(2)}, which not even ${n} of ${n} votes prove.`
    : ''
  const lacking = claims.filter(lacksMajority)
  const otherwiseRight = claims.every(
    (claim) => lacksMajority(claim) || Math.abs(claim.radius - claim.proven) <= tolerance,
  )
  return (
    firstFinding([
      claims.every((claim) => claim.class === abstain) &&
        finding(
          'all-abstain',
          'You promise nothing.',
          `All ${claims.length} digits are abstained on. That is never wrong, and never of use.`,
          'name the class where the lower bound is at least a half.',
        ),
      contradicted.length > 0 &&
        finding(
          'votes-contradicted',
          'The referee counts other votes.',
          `For digit number ${contradicted[0]!.row + 1} you report ${claims[contradicted[0]!.row]!.votes} of ${n} votes for ${claims[contradicted[0]!.row]!.class}; on ${contradicted[0]!.of} copies of its own the referee counts ${contradicted[0]!.votes}. That is no accident of the draw.`,
          'count the votes of the class that you name, on n copies with noise of task.sigma.',
        ),
      (over.length > 0 || under.length > 0) &&
        wrong &&
        finding(wrong.id, wrong.title, `${wrong.cause}${far}${proof}`, wrong.next),
      lacking.length > 0 &&
        otherwiseRight &&
        finding(
          'no-abstention',
          'You answer where the votes prove nothing.',
          `For ${counted(lacking.length, 'digit')} the lower bound is below a half, so another class may well have the majority, and you name a class all the same.${proof}`,
          `abstain there: class ${abstain}, radius 0. Saying "I do not know" is part of the promise.`,
        ),
      over.length > 0 &&
        finding(
          'too-long',
          'You promise more than your votes prove.',
          `${counted(over.length, 'promise')} of ${claims.length} too long, the worst by ${figure(overshoot)}.${far}${proof}`,
          'radius = sigma · Φ⁻¹(lower bound of the share), and the bound is stats.betaQuantile(alpha, votes, n - votes + 1).',
        ),
      under.length > 0 &&
        finding(
          'gives-away',
          'Right, and less than you could promise.',
          `${counted(under.length, 'radius is', 'radii are')} shorter than the votes prove, the worst by ${figure(Math.max(...under.map((claim) => claim.proven - claim.radius)))}. Nobody is deceived; somebody is sold too little.`,
          'stats.betaQuantile(alpha, votes, n - votes + 1) is the best bound that holds for every share.',
        ),
      copies !== undefined &&
        copies < claims.length * (n0 + n) &&
        finding(
          'same-copies',
          'You chose the class on the copies that you then counted.',
          `Your run asked for ${copies.toLocaleString('en')} noisy copies; ${n0} to choose and ${n} fresh ones to count make ${(claims.length * (n0 + n)).toLocaleString('en')}. A class that was lucky in a draw wins it, and the same luck is then counted as proof.`,
          'call victim.sampleUnderNoise twice: the first n0 choose the class, the next n count its votes.',
        ),
      counterexample.broken.length > 0 &&
        finding('broken', 'A promise was broken.', proof.trim(), 'check the class that you certify.'),
    ]) ??
    finding(
      'below-bar',
      `Too few digits can be promised ${radius}.`,
      `${certified} of ${claims.length} (${percent(certified / claims.length)}) are certified at ${radius}, and ${bar} % are needed. Every one of your certificates is right; what is missing is a reader that is surer under noise of ${sigma}.`,
      task.victim.weightsFrom === undefined
        ? 'check that every digit with a bound above a half is answered.'
        : 'train it on noise of that deviation for more epochs, hand it in, and certify again.',
    )
  )
}

/** A counterexample in one sentence, when there is one. */
function broken({ task, claims, counterexample }: Known): string {
  const [one] = counterexample.broken
  if (!one) return ''
  return ` The referee broke one: it moved the ${task.labels[one.row]} at position ${one.row + 1} by ${figure(one.length)}, inside the ${figure(claims[one.row]!.radius)} that you promise, and ${one.votes} of ${one.of} votes now say ${one.read}.`
}

// The reader trained on noise

async function gradeTraining({ task, artefact, variant, trusted }: Submission<Variant>) {
  if (artefact.kind !== 'model-weights') throw new TypeError(`noise-trained: got ${artefact.kind}`)
  const { test } = await trusted.dataset(task.dataset)
  const shipped = await trusted.model(task.victim.model)
  const trained = await trusted.modelWithWeights(task.victim.model, artefact.tensors)
  try {
    const all = Array.from({ length: test.count }, (_, i) => i)
    const read = topOfRows(
      await logitsOf(trained, test.pixels(all), [test.count, ...shipped.inputShape]),
      test.count,
    )
    const right = read.reduce((sum, digit, i) => sum + (digit === test.labels[i] ? 1 : 0), 0)
    const clean = (100 * right) / test.count
    const under = (model: Model) => accuracyUnderNoise(model, test, task.ids, promise.sigma, variant.noise)
    const noisy = 100 * (await under(trained))
    const before = 100 * (await trusted.once('before', () => under(shipped)))
    const rows = [
      atLeast(cleanBar, {
        id: 'clean',
        name: 'Read rightly, without noise',
        detail: `${right} of ${test.count} test digits`,
        measured: clean,
        unit: '%',
        precision: 1,
      }),
      atLeast(noisyBar, {
        id: 'noisy',
        name: `Read rightly under noise of ${promise.sigma}`,
        detail: `of ${task.ids.length} digits, one noisy copy each; ${figure(before)} % before the training`,
        measured: noisy,
        unit: '%',
        precision: 1,
      }),
    ]
    const [cleanRow, noisyRow] = rows
    return conclude({
      headline: `${figure(noisy)} % read rightly under noise`,
      rows,
      score: { value: noisy, unit: '%' },
      finding: isMet(rows)
        ? finding(
            'sees-through',
            'It sees through the noise.',
            `${figure(noisy)} % of the noisy digits are read rightly, against ${figure(before)} % before, and ${figure(clean)} % of the clean ones. No attack was shown in the training: this buys votes, and votes buy radius.`,
            'certify it with the program you wrote.',
          )
        : firstFinding([
            noisy < before + 10 &&
              finding(
                'untrained',
                'It still stumbles over the noise.',
                `${figure(noisy)} % of the digits are read rightly under noise of ${promise.sigma}, and the reader as it was shipped reads ${figure(before)} %.`,
                `train on noise of the deviation that you certify with: σ = ${promise.sigma}.`,
              ),
            !cleanRow!.satisfied &&
              finding(
                'clean-lost',
                'It reads noisy digits and no longer clean ones.',
                `${figure(clean)} % of the clean digits are read rightly, and ${cleanBar} % are needed.`,
                'train longer, or on less noise.',
              ),
            !noisyRow!.satisfied &&
              finding(
                'half-trained',
                'It sees through some of the noise.',
                `${figure(noisy)} % of the digits are read rightly under noise of ${promise.sigma}, up from ${figure(before)} %; ${noisyBar} % are needed.`,
                `train an epoch or two longer, on noise of σ = ${promise.sigma} itself.`,
              ),
          ]),
    })
  } finally {
    trained.dispose()
  }
}

// What the promise does not cover

async function gradeOutside({ task, artefact, variant, trusted }: Submission<Variant>) {
  if (artefact.kind !== 'adversarial-examples') throw new TypeError(`outside: got ${artefact.kind}`)
  const model = await trusted.modelFrom('noise-trained')
  const dataset = await trusted.dataset(task.dataset)
  const votes = await votesUnderNoise(model, artefact.pixels, { sigma: promise.sigma, n: 200 }, variant.noise)
  const read = votes.map((counts) => winner(counts, alpha))
  const measured = await measureExamples({
    task,
    examples: artefact,
    model,
    dataset,
    limit: outside.epsilon,
    succeeds: (_, row) => read[row] !== abstain && read[row] !== task.labels[row],
  })
  const share = (100 * measured.hits) / task.ids.length
  const rows = [
    atLeast(outside.bar, {
      id: 'fooled',
      name: 'Digits misread by the vote',
      detail: `${measured.hits} of ${task.ids.length} digits; ${read.filter((one) => one === abstain).length} undecided`,
      measured: share,
      unit: '%',
    }),
    linfRow(measured, outside.epsilon),
    rangeRow(measured),
  ]
  const top = ceiling({ sigma: promise.sigma, n: promise.n, alpha })
  const lengths = measured.success.flatMap((hit, row) => (hit ? [measured.perturbation.l2[row]!] : []))
  return conclude({
    headline: `${measured.hits} of ${task.ids.length} digits misread by the vote`,
    rows,
    gallery: measured.gallery,
    score: { value: share, unit: '%' },
    finding: isMet(rows)
      ? finding(
          'other-ruler',
          'No promise was broken.',
          `${measured.hits} of ${task.ids.length} digits are misread by the vote, and no pixel moved by more than ${outside.epsilon}. In L2 the shortest of these changes is ${figure(Math.min(...lengths))} long; the longest promise that your votes could ever prove is ${top.toFixed(2)}. A certificate speaks of one ruler, and the attacker chose another.`,
          'say in your report which norm and which radius you promise, and what you do not.',
        )
      : await outsideFinding(measured, model, share),
  })
}

async function outsideFinding(measured: MeasuredExamples, model: Model, share: number): Promise<Finding> {
  return (
    firstOf(boundsRules, await examineRun(measured, model)) ??
    (share < outside.bar ? await diagnose(measured, model) : undefined) ??
    finding(
      'vote-holds',
      'The vote holds.',
      `${measured.hits} of ${measured.task.ids.length} digits are misread by the vote, and ${outside.bar} % are needed. The one reader behind it may be fooled on more: what counts is what it says on most noisy copies.`,
      'climb the loss of noisy copies: average the gradient over several draws of noise before each step, and take many small steps.',
    )
  )
}

const isMet = (rows: EvidenceRow[]) => rows.every((row) => row.satisfied)
