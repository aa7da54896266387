import type { Artefact, LedgerSummary } from '../grading/artefact.ts'
import type { LabGrader, Task } from '../grading/grader.ts'
import {
  forgetMeasurements,
  gradeArtefact,
  taskOf,
  variantOf,
  type RefereeTools,
} from '../grading/referee.ts'
import type { Verdict } from '../grading/verdict.ts'
import { didYouMean } from './did-you-mean.ts'
import type { KnobRun, LabFolder, Mistake } from './folder.ts'
import { extremeChanges } from './extremes.ts'
import { hostileArtefacts } from './hostile.ts'
import { disagreement } from './needs.ts'
import { sandboxOf, type CheckpointSpec, type Manifest, type SandboxSpec } from './manifest.ts'

/** What a proof stands on; the command line builds it from the sandbox, the engine and the referee. */
export interface ProofBench {
  grader: LabGrader
  tools: RefereeTools
  /** Runs a program of the house with the capabilities of its task. Never throws for what the program does. */
  runProgram(run: ProgramRun): Promise<ProgramResult>
  /** Runs an engine method as the knobs would, and hands in what it makes. */
  runKnobs(
    run: KnobRun,
    task: Task,
    seed: number,
    earlier: Readonly<Record<string, Artefact>>,
  ): Promise<unknown>
  /** Tensors alive now. */
  tensors(): number
  /** Files of the manifest's assets that do not have the bytes they were shipped with. */
  assetProblems(manifest: Manifest): string[]
}

export interface ProgramRun {
  files: Record<string, string>
  main: string
  task: Task
  seed: number
  spec: SandboxSpec
  earlier: Readonly<Record<string, Artefact>>
}

export interface ProgramResult {
  artefact?: unknown
  error?: { message: string; file?: string; line?: number }
  ledger?: LedgerSummary
}

/** One thing that was shown, or not. */
export interface Check {
  checkpoint: string
  seed: number
  /** "starter", "solution", "mistake random-sign.ts", "hostile NaN", … */
  name: string
  ok: boolean
  /** When ok: the verdict's headline. When not: what, expected, got, next. */
  detail: string
  verdict?: Verdict
}

export interface Proof {
  lab: string
  version: string
  ok: boolean
  /** What is wrong with the folder itself. */
  problems: string[]
  checks: Check[]
}

export interface ProofOptions {
  seeds: readonly number[]
  onCheck?(check: Check): void
}

/**
 * A lab proves itself: the starter fails and says so, the solution passes, every mistake gets the finding
 * that it names, hostile artefacts are rejected, the grader leaks no tensor and says the same twice.
 * Everything is recomputed; nothing is taken from the folder's word.
 */
export async function proveLab(
  folder: LabFolder,
  bench: ProofBench,
  { seeds, onCheck }: ProofOptions,
): Promise<Proof> {
  const { manifest } = folder
  const problems = [...folder.problems]
  const checks: Check[] = []
  if (manifest)
    problems.push(...bench.assetProblems(manifest), ...compareIds(folder.slug, manifest, bench.grader))
  if (manifest && problems.length === 0) {
    let others: Solved = {}
    for (const seed of seeds) {
      const prover = new Prover(folder, manifest, bench, seed, others, (check) => {
        checks.push(check)
        onCheck?.(check)
      })
      others = await prover.prove({ thorough: seed === seeds[0] })
    }
  }
  const ok = problems.length === 0 && checks.length > 0 && checks.every((check) => check.ok)
  return { lab: folder.slug, version: manifest?.version ?? '', ok, problems, checks }
}

/** Checkpoints of lab.json and of grader.ts must be the same, and take the same artefacts. */
export function compareIds(slug: string, manifest: Manifest, grader: LabGrader): string[] {
  const graded = Object.keys(grader?.checkpoints ?? {})
  const named = manifest.checkpoints.map((checkpoint) => checkpoint.id)
  const problems = graded
    .filter((id) => !named.includes(id))
    .map(
      (id) => `labs/${slug}/grader.ts: grades "${id}", which lab.json does not have${didYouMean(id, named)}`,
    )
  for (const { id, artefact } of manifest.checkpoints) {
    const accepts = grader?.checkpoints?.[id]?.accepts
    if (!accepts)
      problems.push(`labs/${slug}/grader.ts: does not grade "${id}" of lab.json${didYouMean(id, graded)}`)
    else if (accepts !== artefact)
      problems.push(
        `labs/${slug}/grader.ts: checkpoint "${id}" accepts ${accepts}; lab.json says ${artefact}; make them equal`,
      )
  }
  return problems
}

/** Solutions that passed, by checkpoint. */
type Solved = Record<string, Artefact>

class Prover {
  private readonly solved: Solved = {}

  constructor(
    private readonly folder: LabFolder,
    private readonly manifest: Manifest,
    private readonly bench: ProofBench,
    private readonly seed: number,
    /** Solutions of another seed: somebody else's work. */
    private readonly foreign: Solved,
    private readonly report: (check: Check) => void,
  ) {}

  async prove({ thorough }: { thorough: boolean }): Promise<Solved> {
    await this.proveVariant()
    for (const spec of this.manifest.checkpoints) {
      const task = await this.proveTask(spec)
      if (!task) continue
      if (thorough && spec.program) await this.proveStarter(spec, spec.program, task)
      const artefact = await this.proveSolution(spec, task)
      if (!artefact) continue
      if (spec.program && this.folder.knobs[spec.id]) await this.proveKnobs(spec, task)
      if (thorough) await this.proveHostile(spec, artefact)
      if (thorough && artefact.kind === 'change-list') await this.proveExtreme(spec, task, artefact)
      await this.proveForeign(spec)
      for (const mistake of this.folder.mistakes.filter((mistake) => mistake.checkpoint === spec.id)) {
        await this.proveMistake(spec, task, mistake)
      }
      if (spec.artefact === 'answer') await this.proveWrongAnswers(spec)
    }
    return this.solved
  }

  private say(checkpoint: string, name: string, ok: boolean, detail: string, verdict?: Verdict): boolean {
    this.report({ checkpoint, seed: this.seed, name, ok, detail, ...(verdict ? { verdict } : {}) })
    return ok
  }

  private where(spec: CheckpointSpec) {
    return `labs/${this.folder.slug}, checkpoint "${spec.id}", seed ${this.seed}`
  }

  /** Same seed, same variant, and nothing that JSON would lose. */
  private async proveVariant() {
    const [first, second] = [
      await variantOf(this.bench.grader, this.seed, this.bench.tools),
      await variantOf(this.bench.grader, this.seed, this.bench.tools),
    ]
    const isPlain = same(first, JSON.parse(JSON.stringify(first ?? null)))
    if (same(first, second) && isPlain) return
    this.say(
      '',
      'variant',
      false,
      `labs/${this.folder.slug}/grader.ts: variant(seed ${this.seed}) must be plain JSON and the same each time; got ${clip(first)} and ${clip(second)}; draw only from the rng it is given`,
    )
  }

  private async proveTask(spec: CheckpointSpec): Promise<Task | undefined> {
    const request = { checkpoint: spec.id, seed: this.seed, earlier: this.solved }
    try {
      const task = await taskOf(this.bench.grader, request, this.bench.tools)
      forgetMeasurements(this.bench.tools, this.bench.grader)
      const again = await taskOf(this.bench.grader, request, this.bench.tools)
      if (!same(task, again)) {
        this.say(
          spec.id,
          'task',
          false,
          `${this.where(spec)}: the task must be the same each time; got two different ones; draw only from the variant`,
        )
        return undefined
      }
      const wrong = spec.artefact === 'answer' ? undefined : await this.wrongImage(task)
      if (wrong) {
        this.say(spec.id, 'task', false, `${this.where(spec)}: ${wrong}`)
        return undefined
      }
      return task
    } catch (error) {
      this.say(
        spec.id,
        'task',
        false,
        `${this.where(spec)}: the grader’s task() must not throw; got "${said(error)}"; correct grader.ts`,
      )
      return undefined
    }
  }

  private async wrongImage({ dataset, split, ids, labels }: Task): Promise<string | undefined> {
    const images = (await this.bench.tools.dataset(dataset))[split]
    if (ids.length !== labels.length)
      return `the task has ${ids.length} ids and ${labels.length} labels; they go in pairs; correct grader.ts`
    const row = ids.findIndex((id, i) => images.labels[id] !== labels[i])
    return row < 0
      ? undefined
      : `image ${ids[row]} of ${dataset}/${split} has the label ${images.labels[ids[row]!] ?? 'of nothing'}; the task says ${labels[row]}; correct grader.ts`
  }

  private grade(spec: CheckpointSpec, artefact: unknown, ledger?: LedgerSummary): Promise<Verdict> {
    const request = {
      checkpoint: spec.id,
      seed: this.seed,
      artefact,
      earlier: this.solved,
      ...(ledger ? { ledger } : {}),
    }
    return gradeArtefact(this.bench.grader, request, this.bench.tools)
  }

  private run(spec: CheckpointSpec, main: string, task: Task, files: Record<string, string>) {
    return this.bench.runProgram({
      files,
      main,
      task,
      seed: this.seed,
      spec: sandboxOf(this.manifest, spec),
      earlier: this.solved,
    })
  }

  /** The starter must not pass, and must say "not written yet" rather than fall over. */
  private async proveStarter(
    spec: CheckpointSpec,
    { file, main }: { file: string; main: string },
    task: Task,
  ) {
    const result = await this.run(spec, main, task, this.folder.starter)
    if (result.error) {
      const ok = /not written yet/i.test(result.error.message)
      const got = `"${result.error.message}"${result.error.file ? ` at ${result.error.file}:${result.error.line ?? 1}` : ''}`
      this.say(
        spec.id,
        'starter',
        ok,
        ok
          ? `says ${got}`
          : `${this.where(spec)}: starter/${file} must fail with "not written yet" and the first thing to try; got ${got}; throw that sentence`,
      )
      return
    }
    const verdict = await this.grade(spec, result.artefact, result.ledger)
    const ok = verdict.status === 'failed' || verdict.status === 'rejected'
    this.say(
      spec.id,
      'starter',
      ok,
      ok
        ? verdict.headline
        : `${this.where(spec)}: starter/${file} must fail; got ${verdict.status}: ${verdict.headline}; leave the work to the learner`,
      verdict,
    )
  }

  /** The solution passes, twice the same, and grading it leaves no tensor behind. */
  private async proveSolution(spec: CheckpointSpec, task: Task): Promise<Artefact | undefined> {
    const made = await this.solve(spec, task)
    if (made.error) {
      this.say(
        spec.id,
        'solution',
        false,
        `${this.where(spec)}: the solution must run; got ${made.error}; correct it`,
      )
      return undefined
    }
    const verdict = await this.grade(spec, made.artefact, made.ledger)
    const failing = verdict.rows
      .filter((row) => !row.satisfied)
      .map((row) => `${row.name} ${row.measured} (needed ${row.needed.relation} ${row.needed.value})`)
    const passed = verdict.status === 'passed'
    this.say(
      spec.id,
      'solution',
      passed,
      passed
        ? verdict.headline
        : `${this.where(spec)}: the solution must pass; got ${verdict.status}: ${[verdict.headline, ...failing, verdict.finding?.cause].filter(Boolean).join('; ')}; correct it, or move the bar and calibrate again`,
      verdict,
    )
    if (!passed) return undefined
    const told = spec.artefact === 'answer' ? undefined : disagreement(spec.needs, verdict.rows)
    if (told)
      this.say(
        spec.id,
        'needs',
        false,
        `labs/${this.folder.slug}/lab.json, checkpoint "${spec.id}": ${told}; move the words with the bar`,
      )
    const before = this.bench.tensors()
    // Whatever the referee keeps between hand-ins must come out the same, and leak nothing, when it is measured anew.
    forgetMeasurements(this.bench.tools, this.bench.grader)
    const again = await this.grade(spec, made.artefact, made.ledger)
    const leaked = this.bench.tensors() - before
    if (leaked !== 0)
      this.say(
        spec.id,
        'leak',
        false,
        `${this.where(spec)}: grading must free what it makes; ${leaked} tensors were left; use tidy, or dispose in finally`,
      )
    if (!same(again, verdict))
      this.say(
        spec.id,
        'repeat',
        false,
        `${this.where(spec)}: the same artefact must get the same verdict; the second one differs; draw no fresh randomness in grade()`,
      )
    const artefact = made.artefact as Artefact
    this.solved[spec.id] = artefact
    return artefact
  }

  /** A checkpoint of code that the knobs can pass too. */
  private async proveKnobs(spec: CheckpointSpec, task: Task) {
    const name = 'solution by knobs'
    try {
      const artefact = await this.bench.runKnobs(this.folder.knobs[spec.id]!, task, this.seed, this.solved)
      const verdict = await this.grade(spec, artefact)
      const ok = verdict.status === 'passed'
      this.say(
        spec.id,
        name,
        ok,
        ok
          ? verdict.headline
          : `${this.where(spec)}: solution/knobs.json must pass; got ${verdict.status}: ${verdict.headline}; turn them further`,
        verdict,
      )
    } catch (error) {
      this.say(
        spec.id,
        name,
        false,
        `${this.where(spec)}: solution/knobs.json must run; got "${said(error)}"; correct it`,
      )
    }
  }

  private async solve(
    spec: CheckpointSpec,
    task: Task,
  ): Promise<{ artefact?: unknown; ledger?: LedgerSummary; error?: string }> {
    if (spec.artefact === 'answer') return { artefact: this.answers(spec) }
    if (spec.program) {
      const { error, artefact, ledger } = await this.run(spec, spec.program.main, task, {
        ...this.folder.starter,
        ...this.folder.solution,
      })
      if (error)
        return { error: `"${error.message}"${error.file ? ` at ${error.file}:${error.line ?? 1}` : ''}` }
      return artefact === undefined
        ? { error: 'a run that handed nothing in' }
        : { artefact, ...(ledger ? { ledger } : {}) }
    }
    try {
      return {
        artefact: await this.bench.runKnobs(this.folder.knobs[spec.id]!, task, this.seed, this.solved),
      }
    } catch (error) {
      return { error: `"${said(error)}"` }
    }
  }

  private quizzes(spec: CheckpointSpec) {
    return this.folder.guide!.quizzes.filter((quiz) => quiz.checkpoint === spec.id)
  }

  private answers(spec: CheckpointSpec): Artefact {
    const choices = this.quizzes(spec).map((quiz) => [
      quiz.id,
      quiz.options.filter((option) => option.right).map((option) => option.id),
    ])
    return { kind: 'answer', choices: Object.fromEntries(choices) as Record<string, string[]> }
  }

  /** Each wrong option, and leaving the question open, must not pass. */
  private async proveWrongAnswers(spec: CheckpointSpec) {
    const right = this.answers(spec) as Extract<Artefact, { kind: 'answer' }>
    for (const quiz of this.quizzes(spec)) {
      const wrong = [
        [],
        ...quiz.options.filter((option) => !option.right).map((option) => [option.id]),
        ...(quiz.multiple ? [] : [quiz.options.map((option) => option.id)]),
      ]
      for (const chosen of wrong) {
        const verdict = await this.grade(spec, {
          kind: 'answer',
          choices: { ...right.choices, [quiz.id]: chosen },
        })
        const ok = verdict.status === 'failed' || verdict.status === 'rejected'
        this.say(
          spec.id,
          `answer ${quiz.id}=${chosen.join('+') || 'none'}`,
          ok,
          ok
            ? verdict.headline
            : `${this.where(spec)}: answering "${quiz.id}" with [${chosen}] must fail; got ${verdict.status}; correct grader.ts`,
          verdict,
        )
      }
    }
  }

  private async proveHostile(spec: CheckpointSpec, artefact: Artefact) {
    for (const { name, make } of hostileArtefacts(artefact)) {
      const before = this.bench.tensors()
      const verdict = await this.grade(spec, make())
      const leaked = this.bench.tensors() - before
      const isPolluted = 'polluted' in {}
      const ok = verdict.status === 'rejected' && leaked === 0 && !isPolluted
      const got = isPolluted
        ? 'a polluted Object.prototype'
        : leaked !== 0
          ? `${leaked} leaked tensors`
          : `${verdict.status}: ${verdict.headline}`
      this.say(
        spec.id,
        `hostile ${name}`,
        ok,
        ok
          ? verdict.headline
          : `${this.where(spec)}: a hand-in with ${name} must be rejected; got ${got}; correct grader.ts`,
      )
    }
  }

  /** Well formed, and all or nothing: told in words, whatever is left to train on. */
  private async proveExtreme(
    spec: CheckpointSpec,
    task: Task,
    artefact: Extract<Artefact, { kind: 'change-list' }>,
  ) {
    const dataset = await this.bench.tools.dataset(task.dataset)
    for (const { name, artefact: extreme } of extremeChanges(task, artefact, dataset)) {
      const before = this.bench.tensors()
      const verdict = await this.grade(spec, extreme)
      const leaked = this.bench.tensors() - before
      const isTold = verdict.status === 'rejected' || (verdict.status === 'failed' && !!verdict.finding)
      const got =
        leaked !== 0
          ? `${leaked} leaked tensors`
          : `${verdict.status}${verdict.status === 'failed' ? ' without a finding' : ''}: ${verdict.headline}`
      this.say(
        spec.id,
        `extreme ${name}`,
        isTold && leaked === 0,
        isTold && leaked === 0
          ? `${verdict.finding?.id ?? 'rejected'}: ${verdict.headline}`
          : `${this.where(spec)}: a hand-in with ${name} must fail with a finding; got ${got}; correct grader.ts`,
        verdict,
      )
    }
  }

  /** Somebody else's work must not pass; answers and models are not bound to a variant's images. */
  private async proveForeign(spec: CheckpointSpec) {
    const foreign = this.foreign[spec.id]
    if (foreign?.kind !== 'adversarial-examples' && foreign?.kind !== 'change-list') return
    const verdict = await this.grade(spec, foreign)
    const ok = verdict.status === 'rejected' || verdict.status === 'failed'
    this.say(
      spec.id,
      'another learner’s artefact',
      ok,
      ok
        ? verdict.headline
        : `${this.where(spec)}: another variant’s artefact must not pass; got ${verdict.status}: ${verdict.headline}; let the variant change the task`,
      verdict,
    )
  }

  private async proveMistake(spec: CheckpointSpec, task: Task, mistake: Mistake) {
    const name = `mistake ${mistake.file.slice(mistake.file.lastIndexOf('/') + 1)}`
    let artefact: unknown
    let ledger: LedgerSummary | undefined
    try {
      if ('knobs' in mistake)
        artefact = await this.bench.runKnobs(mistake.knobs, task, this.seed, this.solved)
      else {
        const { file, main } = spec.program!
        const result = await this.run(spec, main, task, {
          ...this.folder.starter,
          ...this.folder.solution,
          [file]: mistake.text,
        })
        if (result.error)
          throw new Error(`${result.error.message}${result.error.line ? ` (line ${result.error.line})` : ''}`)
        ;({ artefact, ledger } = result)
      }
    } catch (error) {
      this.say(
        spec.id,
        name,
        false,
        `${mistake.file}, seed ${this.seed}: must run and fail by its verdict; got "${said(error)}"; correct it`,
      )
      return
    }
    const verdict = await this.grade(spec, artefact, ledger)
    const ok =
      verdict.status !== 'passed' &&
      verdict.status !== 'unavailable' &&
      verdict.finding?.id === mistake.finding
    this.say(
      spec.id,
      name,
      ok,
      ok
        ? `${mistake.finding}: ${verdict.headline}`
        : `${mistake.file}, seed ${this.seed}: must fail with finding "${mistake.finding}"; got ${verdict.status} with finding "${verdict.finding?.id ?? 'none'}" (${verdict.headline}); correct the grader’s diagnosis, or the first line`,
      verdict,
    )
  }
}

const said = (error: unknown) => (error instanceof Error ? error.message : String(error))
const clip = (value: unknown) => (JSON.stringify(value) ?? String(value)).slice(0, 80)

/** Deep equality of plain data and typed arrays; −0 and 0 are one, NaN equals NaN. */
function same(a: unknown, b: unknown): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  )
}
