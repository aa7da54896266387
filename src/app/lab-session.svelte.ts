import { PerturbError } from '../core/errors.ts'
import type { BackendReport } from '../core/backends.ts'
import type { ImagesResult } from '../engine/methods/images.ts'
import type { ApiLog } from '../engine/prediction-api.ts'
import type { Artefact, ArtefactSource, LedgerSummary } from '../grading/artefact.ts'
import type { Attempt, LabRecord } from '../grading/evidence.ts'
import { trainedModel, type Task } from '../grading/grader.ts'
import { bestAttempt, earlierOf, mergeRecords, passedWork } from '../grading/records.ts'
import type { Verdict } from '../grading/verdict.ts'
import type { Guide } from '../labs/guide.ts'
import {
  sandboxOf,
  steps,
  trains,
  type CheckpointSpec,
  type Manifest,
  type SandboxSpec,
  type StepId,
} from '../labs/manifest.ts'
import type { Weight } from '../models/model.ts'
import type { ConsoleLine, ProgramError, ProgramOutcome } from '../sandbox/protocol.ts'
import type { ProgramRequest } from '../sandbox/run-program.ts'
import { isPassed, newId, newRecord, withAttempt } from './lab-records.ts'
import { runInSandbox } from './run-in-sandbox.ts'
import { RunQueue, type WorkContext } from './run-queue.svelte.ts'
import { sentenceOf, unmeasured } from './sentences.ts'
import { shareVictim } from './share-victim.ts'

export type Tab = 'explore' | 'code' | 'evidence'
export const tabs: readonly Tab[] = ['explore', 'code', 'evidence']

export interface CallOptions {
  signal?: AbortSignal
  onProgress?: (done: number, total: number, values?: Record<string, number>) => void
  transfer?: Transferable[]
}

/** A worker as the session sees it: src/engine/client.ts in the app, a fake in tests. */
export interface Caller {
  call(method: string, params: unknown, options?: CallOptions): Promise<unknown>
  on?(event: string, listener: (value: unknown) => void): () => void
}

/** A lab folder as the loader gives it. */
export interface LoadedLab {
  manifest: Manifest
  guide: Guide
  starter: Record<string, string>
  solution(): Promise<Record<string, string>>
}

/** Where records live: IndexedDB in the app, a map in tests. */
export interface RecordStore {
  load(lab: string): Promise<LabRecord | undefined>
  save(record: LabRecord): Promise<void>
  /** Calls back when another tab has merged its work into this lab's record. */
  onChange?(lab: string, listener: (record: LabRecord) => void): () => void
}

export interface SessionDeps {
  engine: Caller
  referee: Caller
  store: RecordStore
  load(slug: string): Promise<LoadedLab>
  runProgram(request: ProgramRequest): Promise<ProgramOutcome>
  /** tfjs' WASM binary, handed to the sandbox because it may fetch nothing. */
  wasmBytes(): Promise<ArrayBuffer>
  /** Offers the record as an evidence file. */
  exportEvidence(record: LabRecord): Promise<void>
  /** Starts the engine for this lab's model and says which backend it chose. */
  startEngine(manifest: Manifest): Promise<BackendReport>
}

/** Something to mend, in the learner's program or around it. */
/** The pictures behind an attempt, and how they and their classes are called. */
export type Originals = Pick<ImagesResult, 'pixels' | 'classes' | 'noun'>

export interface Problem {
  severity: 'error' | 'warning' | 'note'
  message: string
  /** What to do next. */
  help?: string
  file?: string
  line?: number
  column?: number
  source: 'editor' | 'run'
}

/** What the run button does while a widget is on the bench. */
export interface BenchAction {
  label: string
  /** What it does to a model, and so its colour; neutral when it does neither. */
  role: 'attack' | 'defence' | 'neutral'
  run(): Promise<void>
  /** Why it cannot be pressed now, in a sentence. */
  blocked?: string
  /** Share of the measurement that is done, 0 to 1, while one is under way. */
  readonly busy?: number | undefined
  /** Stops the measurement that is under way. */
  cancel?(): void
}

/** A model whose training ended before its program handed it in. */
export interface Leftover {
  checkpoint: string
  steps: number
  artefact: Artefact
  files: Record<string, string>
  ledger: LedgerSummary | undefined
}

interface GradeRequest {
  checkpoint: string
  seed: number
  artefact: Artefact
  ledger: LedgerSummary | undefined
  earlier: Record<string, Artefact>
}

export interface SaveState {
  phase: 'saved' | 'saving' | 'failed' | 'never'
  at: number
  message: string
}

/** Steps whose workbench opens on another pane than Explore. */
const homeTab: Partial<Record<StepId, Tab>> = { code: 'code', checkpoint: 'evidence' }
const saveAfterMs = 400
const keptConsoleLines = 600
/** Seeds are 32 bits, as the referee takes them. */
export const maxSeed = 0xffffffff

/** The path of an import from a file of the lab. */
const importPath = /\bfrom\s*['"]\.\/([\w.-]+)['"]/g

/**
 * Everything the lab page knows about one lab: the learner's record, where they are, what runs, and what
 * came of it. Components draw it and call its methods; every failure ends as a state with a sentence.
 */
export class LabSession {
  phase: 'loading' | 'ready' | 'failed' = $state('loading')
  /** Why the lab could not be opened. */
  failure = $state('')
  lab: LoadedLab | undefined = $state.raw()
  record: LabRecord = $state.raw(newRecord('', '0.0.0', 'story', 0))
  /** The variant in use: the learner's own, or one they try for this visit. */
  seed = $state(0)

  tab: Tab = $state('explore')
  checkpointId = $state('')
  /** Attempt on view in Evidence; the checkpoint's latest when unset. */
  attemptId: string | undefined = $state()
  openFile = $state('')

  readonly queue = new RunQueue()
  backend: BackendReport | undefined = $state.raw()
  /** What a stopped or failed program had trained by then, until the next run. */
  leftover: Leftover | undefined = $state.raw()
  /** Set when the engine could not start or lost its device. */
  backendTrouble = $state('')
  ledger: { used: number; max: number } | undefined = $state.raw()
  /** What the provider of the last run's prediction API has in its log. */
  apiLog: (ApiLog & { checkpoint: string; maxQueries: number }) | undefined = $state.raw()
  console: ConsoleLine[] = $state.raw([])
  droppedLines = $state(0)
  editorProblems: Problem[] = $state.raw([])
  runProblems: Problem[] = $state.raw([])
  /** Where the editor should put its caret; a new object each time. */
  reveal: { file: string; line: number; column: number } | undefined = $state.raw()
  /** The last reset file, for its undo. */
  undoable: { name: string; text: string } | undefined = $state.raw()
  benchAction: BenchAction | undefined = $state.raw()
  saved: SaveState = $state.raw({ phase: 'never', at: 0, message: '' })
  /** A sentence about something that did not work and has no better place. */
  notice = $state('')
  /** Counts what the learner asked to see on the workbench: on a phone that lies below the guide. */
  workbenchCalls = $state(0)
  /** Read once to screen readers when a run ends. */
  announcement = $state('')

  /** Results kept across tabs and steps, by a key of their own; gone with the page. */
  readonly memory = new Map<string, unknown>()

  #saveTimer: ReturnType<typeof setTimeout> | undefined
  #cleanups: (() => void)[] = []
  #closed = false

  readonly manifest = $derived(this.lab?.manifest)
  readonly step = $derived(this.record.step as StepId)
  readonly stepIds = $derived(this.lab ? this.lab.guide.steps.map(({ id }) => id) : [...steps])
  readonly guideStep = $derived(this.lab?.guide.steps.find(({ id }) => id === this.step))
  readonly checkpoints = $derived(this.manifest?.checkpoints ?? [])
  readonly stepCheckpoints = $derived(this.checkpoints.filter(({ step }) => step === this.step))
  readonly checkpoint: CheckpointSpec | undefined = $derived(
    this.checkpoints.find(({ id }) => id === this.checkpointId) ?? this.checkpoints[0],
  )
  readonly attempts = $derived(
    this.record.attempts.filter(({ checkpoint }) => checkpoint === this.checkpoint?.id),
  )
  readonly best = $derived(
    this.checkpoint ? bestAttempt(this.record.attempts, this.checkpoint.id) : undefined,
  )
  readonly shown: Attempt | undefined = $derived(
    this.attempts.find(({ id }) => id === this.attemptId) ?? this.attempts.at(-1),
  )
  readonly problems = $derived([...this.runProblems, ...this.editorProblems])
  /** The program behind the run button: `explore.ts` when it is open, else the checkpoint's own. */
  readonly program = $derived.by(() => {
    const own = this.codeCheckpoint?.program
    return this.openFile === exploreFile && this.fileText(exploreFile)
      ? { file: exploreFile, main: exploreFile }
      : own
  })
  readonly files = $derived.by(() => {
    const names = new Set<string>()
    const own = this.codeCheckpoint?.program
    if (own) names.add(own.file).add(own.main)
    if (this.record.files[exploreFile]) names.add(exploreFile)
    return [...names].map((name) => ({ name, readOnly: this.isReadOnly(name) }))
  })
  /** Names of the lab's other files that those import, directly or by way of each other: a type checker must know them. */
  readonly importedFiles = $derived.by((): string[] => {
    const own = this.files.map(({ name }) => name)
    const names = new Set(own)
    // What is added while the set is walked through is walked through as well.
    for (const name of names)
      for (const [, path] of this.fileText(name).matchAll(importPath)) {
        const found = `${path!.replace(/\.[jt]s$/, '')}.ts`
        if (this.fileText(found)) names.add(found)
      }
    return [...names].slice(own.length)
  })

  /** The widget on the bench: that of this step, else of the nearest step before it. */
  readonly bench = $derived.by(
    (): { kind: string; props: Record<string, string>; key: string } | undefined => {
      const all = this.lab?.guide.steps ?? []
      const at = all.findIndex(({ id }) => id === this.step)
      const order = [...all.slice(0, at + 1).reverse(), ...all.slice(at + 1)]
      for (const { body } of order) {
        const found = body.find((node) => node.type === 'widget' && node.props.place === 'bench')
        if (found?.type === 'widget')
          return { kind: found.kind, props: found.props, key: JSON.stringify([found.kind, found.props]) }
      }
      return undefined
    },
  )
  /** Attributes of every bench of this guide. */
  readonly benches = $derived(
    (this.lab?.guide.steps ?? []).flatMap(({ body }) =>
      body.flatMap((node) => (node.type === 'widget' && node.props.place === 'bench' ? [node.props] : [])),
    ),
  )
  /** The checkpoint whose program the Code pane is about. */
  readonly codeCheckpoint = $derived(
    this.checkpoint?.program ? this.checkpoint : this.checkpoints.find(({ program }) => program),
  )
  /** What the run button does here and now. */
  readonly primary: BenchAction = $derived.by(() => {
    const code = this.codeCheckpoint
    const program: BenchAction = code
      ? {
          ...programLooks(code, sandboxOf(this.lab!.manifest, code)),
          run: () => this.runProgram(code.id),
        }
      : { label: 'Run', role: 'neutral', run: async () => {}, blocked: 'Nothing to run in this lab.' }
    if (this.tab === 'code') return program
    if (this.tab === 'explore' || !this.checkpoint?.program) {
      if (this.tab === 'evidence' && this.checkpoint && isQuiz(this.checkpoint))
        return this.#answerAction(this.checkpoint.id)
      return this.benchAction ?? program
    }
    return program
  })

  constructor(
    readonly slug: string,
    private readonly deps: SessionDeps,
  ) {}

  /** Whether a checkpoint's program trains in the engine, rather than hands in a model of its own making. */
  #trains(spec: CheckpointSpec): boolean {
    return spec.artefact === 'model-weights' && trains(sandboxOf(this.lab!.manifest, spec))
  }

  get engine(): Caller {
    return this.deps.engine
  }

  get referee(): Caller {
    return this.deps.referee
  }

  /** Loads the lab and the learner's record, then starts the engine behind them. Never throws. */
  async open(): Promise<void> {
    this.phase = 'loading'
    try {
      this.lab = await this.deps.load(this.slug)
    } catch (error) {
      this.failure = sentenceOf(error)
      this.phase = 'failed'
      return
    }
    const { manifest, guide } = this.lab
    const first = guide.steps[0]?.id ?? 'story'
    try {
      this.record =
        (await this.deps.store.load(manifest.id)) ?? newRecord(manifest.id, manifest.version, first)
    } catch (error) {
      this.record = newRecord(manifest.id, manifest.version, first)
      this.saved = { phase: 'failed', at: 0, message: sentenceOf(error) }
    }
    if (!guide.steps.some(({ id }) => id === this.record.step)) this.record = { ...this.record, step: first }
    this.seed = this.record.seed
    this.#arrive()
    this.phase = 'ready'
    const stop = this.deps.store.onChange?.(manifest.id, (record) => {
      const { step, knobs } = this.record
      this.record = { ...mergeRecords(record, this.record), step, knobs }
    })
    if (stop) this.#cleanups.push(stop)
    this.#listen('backend', (value) => {
      this.backend = value as BackendReport
      this.backendTrouble = ''
    })
    this.#listen('device-lost', (value) => {
      this.backendTrouble =
        typeof value === 'string'
          ? value
          : 'The graphics device went away; carrying on with the next backend.'
    })
    await this.startEngine()
  }

  /** Also the "try again" of a backend that would not start. */
  async startEngine(): Promise<void> {
    if (!this.manifest) return
    this.backendTrouble = ''
    try {
      this.backend = await this.deps.startEngine(this.manifest)
    } catch (error) {
      this.backendTrouble = sentenceOf(error)
    }
  }

  close(): void {
    this.#closed = true
    this.queue.cancel()
    for (const cleanup of this.#cleanups.splice(0)) cleanup()
    if (this.#saveTimer) void this.flush()
  }

  #listen(event: string, listener: (value: unknown) => void): void {
    const stop = this.deps.engine.on?.(event, listener)
    if (stop) this.#cleanups.push(stop)
  }

  /**
   * A widget's own state, made once and kept for the visit: a curve outlives the tab it was drawn in. It
   * gets a root of its own, because what it derives must not end with the component that asked first.
   */
  keep<T>(key: string, make: () => T): T {
    if (!this.memory.has(key)) {
      this.#cleanups.push($effect.root(() => void this.memory.set(key, make())))
    }
    return this.memory.get(key) as T
  }

  // Where the learner is

  goTo(step: StepId): void {
    if (!this.stepIds.includes(step) || step === this.step) return
    this.#change({ step })
    this.queue.clear()
    this.#arrive()
  }

  /** Marks the step as read and opens the one after it. */
  next(): void {
    const at = this.stepIds.indexOf(this.step)
    if (!this.record.stepsDone.includes(this.step)) {
      this.#change({ stepsDone: [...this.record.stepsDone, this.step] })
    }
    const following = this.stepIds[at + 1]
    if (following) this.goTo(following)
  }

  back(): void {
    const before = this.stepIds[this.stepIds.indexOf(this.step) - 1]
    if (before) this.goTo(before)
  }

  /** A step with checkpoints is done when they are passed; any other when it has been read. */
  isDone(step: StepId): boolean {
    const own = this.checkpoints.filter((checkpoint) => checkpoint.step === step)
    return own.length > 0 ? own.every(({ id }) => this.isPassed(id)) : this.record.stepsDone.includes(step)
  }

  isPassed(checkpoint: string): boolean {
    return isPassed(this.record, checkpoint)
  }

  choose(checkpoint: string): void {
    this.checkpointId = checkpoint
    this.attemptId = undefined
    const own = this.checkpoint?.program
    if (own && this.openFile !== exploreFile) this.openFile = own.file
  }

  /** Opens a pane of the workbench and brings it into sight. */
  show(tab: Tab): void {
    this.tab = tab
    this.workbenchCalls++
  }

  /** Opens the editor on a checkpoint's own file. */
  toCode(checkpoint: string): void {
    this.choose(checkpoint)
    const own = this.checkpoint?.program
    if (own) this.openFile = own.file
    this.show('code')
  }

  /** Opens what came of a checkpoint so far. */
  toEvidence(checkpoint: string): void {
    this.choose(checkpoint)
    this.show('evidence')
  }

  /** Opens the bench with a checkpoint chosen, in a step whose knobs can hand it in. */
  toBench(checkpoint: string): void {
    const step = this.checkpoints.find(({ id }) => id === checkpoint)?.step
    if (step && this.#hasBench(step)) this.goTo(step)
    this.choose(checkpoint)
    this.show('explore')
  }

  /** The step where a checkpoint is worked on. */
  toCheckpoint(checkpoint: string): void {
    const step = this.checkpoints.find(({ id }) => id === checkpoint)?.step
    if (step) this.goTo(step)
    this.choose(checkpoint)
    if (this.tab === 'evidence') this.tab = this.checkpoint?.program ? 'code' : 'explore'
  }

  /** Opens the editor on the checkpoint's own file, or on another of the learner's. */
  openProgram(file?: string): void {
    if (!this.checkpoint) return
    this.toCode(this.checkpoint.id)
    if (file && this.files.some(({ name }) => name === file)) this.openFile = file
  }

  #arrive(): void {
    const own = this.stepCheckpoints
    const next = own.find(({ id }) => !this.isPassed(id)) ?? own[0]
    if (next) this.choose(next.id)
    else if (!this.checkpointId && this.checkpoints[0]) this.choose(this.checkpoints[0].id)
    if (!this.openFile && this.program) this.openFile = this.program.file
    this.tab = homeTab[this.step] ?? 'explore'
    const hasBench = this.#hasBench(this.step)
    if (this.tab === 'evidence' && own.length > 0 && (hasBench || own.every(isQuiz))) this.tab = 'explore'
    // The bench that stays from a step before has nothing to do with what only a program can hand in.
    const needsCode = own.length > 0 && own.every(({ accepts }) => accepts.every((from) => from === 'code'))
    if (this.tab === 'explore' && !hasBench && needsCode) this.tab = 'code'
  }

  /** Whether this step of the guide brings a bench of its own. */
  #hasBench(step: StepId): boolean {
    const guide = this.lab?.guide.steps.find(({ id }) => id === step)
    return guide?.body.some((node) => node.type === 'widget' && node.props.place === 'bench') ?? false
  }

  // The learner's files

  isReadOnly(name: string): boolean {
    return name !== exploreFile && !this.checkpoints.some(({ program }) => program?.file === name)
  }

  fileText(name: string): string {
    return this.record.files[name]?.text ?? this.lab?.starter[name] ?? ''
  }

  isEdited(name: string): boolean {
    const starter = this.lab?.starter[name]
    return starter !== undefined && this.fileText(name) !== starter
  }

  setFile(name: string, text: string): void {
    if (this.isReadOnly(name) || text === this.fileText(name)) return
    this.undoable = undefined
    this.#writeFile(name, text)
  }

  resetFile(name: string): void {
    const starter = this.lab?.starter[name]
    if (starter === undefined || !this.isEdited(name)) return
    this.undoable = { name, text: this.fileText(name) }
    this.#writeFile(name, starter)
  }

  undoReset(): void {
    const undo = this.undoable
    if (!undo) return
    this.undoable = undefined
    this.#writeFile(undo.name, undo.text)
  }

  /** Puts the knobs' program into the editor as explore.ts. */
  openExplore(code: string): void {
    this.#writeFile(exploreFile, code)
    this.openFile = exploreFile
    this.show('code')
  }

  #writeFile(name: string, text: string): void {
    this.#change({ files: { ...this.record.files, [name]: { text, updated: Date.now() } } })
  }

  // Knobs, hints, quiz

  knob<T extends number | string | boolean>(key: string, fallback: T): T {
    const value = this.record.knobs[key]
    return typeof value === typeof fallback ? (value as T) : fallback
  }

  setKnob(key: string, value: number | string | boolean): void {
    if (this.record.knobs[key] === value) return
    this.#change({ knobs: { ...this.record.knobs, [key]: value } })
  }

  hintsOpened(checkpoint: string): number {
    return this.record.hints[checkpoint] ?? 0
  }

  openHint(checkpoint: string): void {
    const spec = this.checkpoints.find(({ id }) => id === checkpoint)
    const opened = this.hintsOpened(checkpoint)
    if (spec && opened < spec.hints.length)
      this.#change({ hints: { ...this.record.hints, [checkpoint]: opened + 1 } })
  }

  solutionShown(checkpoint: string): boolean {
    return this.isPassed(checkpoint) || (this.record.hints[solutionKey(checkpoint)] ?? 0) > 0
  }

  /** Before the checkpoint is passed, showing its solution is noted with later attempts. */
  showSolution(checkpoint: string): void {
    this.#change({ hints: { ...this.record.hints, [solutionKey(checkpoint)]: 1 } })
  }

  answer(quiz: string, options: string[]): void {
    this.#change({ quiz: { ...this.record.quiz, [quiz]: options } })
  }

  /**
   * Another variant for this visit: other digits, another target. Attempts keep the seed they were made
   * with; the learner's own stays in the record.
   */
  setSeed(seed: number): void {
    if (!Number.isInteger(seed) || seed < 0 || seed > maxSeed || seed === this.seed) return
    this.seed = seed
    this.ledger = undefined
  }

  // Running

  /** Long work of a widget (a sweep, a training): shown in the run bar, one at a time. */
  async work<T>(label: string, body: (context: WorkContext) => Promise<T>): Promise<T | undefined> {
    try {
      return await this.queue.run(label, body)
    } catch (error) {
      this.queue.fail(sentenceOf(error))
      return undefined
    }
  }

  /** Stops the run, or what is measured on the bench. */
  cancel(): void {
    if (!this.queue.running) this.benchAction?.cancel?.()
    this.queue.cancel()
  }

  /** The images and figures of a checkpoint for this learner's seed. */
  async task(checkpoint: string, signal?: AbortSignal): Promise<Task> {
    const params = {
      lab: this.slug,
      checkpoint,
      seed: this.seed,
      earlier: this.#earlier(checkpoint).artefacts,
    }
    const task = (await this.deps.referee.call('task', params, { signal })) as Task
    await shareVictim(task.victim, this.deps, signal)
    return task
  }

  /** The learner's own weights from an earlier checkpoint they passed, for the model they attack next. */
  weightsOf(checkpoint: string): Weight[] | undefined {
    const artefact = passedWork(this.record.attempts).artefacts[checkpoint]
    return artefact?.kind === 'model-weights' ? artefact.tensors : undefined
  }

  /** What a checkpoint may build on: models handed in for the others. Pictures and answers stay here. */
  #earlier(checkpoint: string): { ids: Record<string, string>; artefacts: Record<string, Artefact> } {
    const { ids, artefacts } = passedWork(this.record.attempts)
    const models = Object.keys(artefacts).filter(
      (id) => id !== checkpoint && artefacts[id]!.kind === 'model-weights',
    )
    return { ids: pick(ids, models), artefacts: pick(artefacts, models) }
  }

  /** Runs the learner's program in the sandbox and hands in what it submits. */
  async runProgram(checkpointId = this.checkpoint?.id): Promise<void> {
    const spec = this.checkpoints.find(({ id }) => id === checkpointId)
    const program = this.program
    if (!this.lab || !spec || !program || this.queue.running) return
    this.choose(spec.id)
    this.console = []
    this.droppedLines = 0
    this.runProblems = []
    this.leftover = undefined
    this.ledger = { used: 0, max: sandboxOf(this.lab.manifest, spec).maxQueries }
    const files = Object.fromEntries(
      [...Object.keys(this.lab.starter), ...(this.record.files[exploreFile] ? [exploreFile] : [])].map(
        (name) => [name, this.fileText(name)],
      ),
    )
    const done = await this.work('Your program', async (context) => {
      const ran = await this.#inSandbox(spec, program.main, files, context)
      return this.#afterProgram(spec, ran, pick(files, [program.file, program.main]), context)
    })
    if (done !== undefined) return
    if (this.queue.phase === 'cancelled') {
      const { done: at, total } = this.queue
      if (!this.leftover)
        this.queue.message = `Stopped${at > 0 && total > 0 ? ` at ${at} of ${total}` : ''}. Nothing was handed in; your code is kept.`
      this.#announce(this.queue.message)
    }
    // What kept it from running at all has more to say than the run bar has room for.
    else if (this.runProblems.length === 0) this.runProblems = [{ ...runError, message: this.queue.message }]
  }

  async #inSandbox(spec: CheckpointSpec, main: string, files: Record<string, string>, context: WorkContext) {
    const sandbox = sandboxOf(this.lab!.manifest, spec)
    const task = await this.task(spec.id, context.signal)
    const weights = task.victim.weightsFrom ? this.weightsOf(task.victim.weightsFrom) : undefined
    const copyWeights = task.copy?.weightsFrom ? this.weightsOf(task.copy.weightsFrom) : undefined
    const { outcome, trained, ledger, log } = await runInSandbox(this.deps, {
      files,
      main,
      task,
      spec: sandbox,
      seed: this.seed,
      weights,
      copyWeights,
      trains: this.#trains(spec),
      hear: {
        onConsole: (lines: ConsoleLine[], dropped = 0) => this.#print(lines, dropped),
        onProgress: context.progress,
        onLedger: (figures) => {
          this.ledger = figures
        },
        signal: context.signal,
      },
      onTrouble: (text) => this.#print([{ level: 'warn', text }], 0),
    })
    if (log) this.apiLog = { ...log, checkpoint: spec.id, maxQueries: sandbox.maxQueries }
    const model = trained && {
      steps: trained.steps,
      artefact: { kind: 'model-weights' as const, model: trainedModel(task), tensors: trained.weights },
    }
    return { outcome, model, ledger }
  }

  async #afterProgram(
    spec: CheckpointSpec,
    { outcome, model, ledger }: Ran,
    files: Record<string, string>,
    context: WorkContext,
  ): Promise<Attempt | undefined> {
    const handIn = outcome.status === 'finished' ? outcome.artefact : undefined
    if (model && !handIn) this.leftover = { checkpoint: spec.id, ...model, files, ledger }
    if (outcome.status === 'cancelled') throw new PerturbError('cancelled', 'Stopped.')
    const problem =
      handIn?.kind === 'trained-model' && !model
        ? spec.artefact === 'model-weights'
          ? {
              ...runError,
              message: 'The trained model could not be read from the engine.',
              help: 'Run it again.',
            }
          : {
              ...runError,
              message: 'This checkpoint takes no trained model.',
              help: 'Call submit({ ids, x }).',
            }
        : problemOf(outcome, spec, sandboxOf(this.lab!.manifest, spec))
    if (problem) {
      this.runProblems = [problem]
      this.#announce(problem.message)
      throw new PerturbError('learner-error', problem.message)
    }
    const artefact = handIn?.kind === 'trained-model' ? model!.artefact : (handIn as Artefact)
    return this.#grade(spec, artefact, 'code', files, ledger, context)
  }

  /** Hands in what a stopped training had come to. */
  async handInLeftover(): Promise<void> {
    const { leftover } = this
    const spec = this.checkpoints.find(({ id }) => id === leftover?.checkpoint)
    if (!leftover || !spec) return
    const { artefact, files, ledger } = leftover
    this.choose(spec.id)
    await this.work('Grading', (context) => this.#grade(spec, artefact, 'code', files, ledger, context))
    this.leftover = undefined
  }

  /** Hands in what the knobs made: the program that made it goes along. */
  async handIn(checkpointId: string, artefact: Artefact, files: Record<string, string>): Promise<void> {
    const spec = this.checkpoints.find(({ id }) => id === checkpointId)
    if (!spec) return
    // An answer is given in the guide; the bench keeps the checkpoint it is about.
    if (!isQuiz(spec)) this.choose(checkpointId)
    await this.work('Grading', (context) => this.#grade(spec, artefact, 'explore', files, undefined, context))
  }

  /** As `handIn`, with the artefact made inside the run, so that its progress and cancel are one. */
  async makeAndHandIn(
    checkpointId: string,
    label: string,
    make: (
      context: WorkContext,
    ) => Promise<{ artefact: Artefact; files: Record<string, string> } | undefined>,
  ): Promise<void> {
    const spec = this.checkpoints.find(({ id }) => id === checkpointId)
    if (!spec) return
    this.choose(checkpointId)
    await this.work(label, async (context) => {
      const made = await make(context)
      if (made) await this.#grade(spec, made.artefact, 'explore', made.files, undefined, context)
      return true
    })
  }

  #answerAction(checkpoint: string): BenchAction {
    const quizzes = this.lab?.guide.quizzes.filter((quiz) => quiz.checkpoint === checkpoint) ?? []
    const open = quizzes.filter(({ id }) => (this.record.quiz[id] ?? []).length === 0).length
    return {
      label: 'Hand in the answer',
      role: 'neutral',
      run: () => this.handInAnswers(checkpoint),
      blocked: open > 0 ? 'Choose an answer in the guide first.' : undefined,
    }
  }

  /** Hands in the answers of every quiz that belongs to a checkpoint. */
  async handInAnswers(checkpointId: string): Promise<void> {
    const quizzes = this.lab?.guide.quizzes.filter(({ checkpoint }) => checkpoint === checkpointId) ?? []
    const choices = Object.fromEntries(quizzes.map(({ id }) => [id, this.record.quiz[id] ?? []]))
    await this.handIn(checkpointId, { kind: 'answer', choices }, {})
  }

  async #grade(
    spec: CheckpointSpec,
    artefact: Artefact,
    source: ArtefactSource,
    files: Record<string, string>,
    ledger: LedgerSummary | undefined,
    context: WorkContext,
  ): Promise<Attempt> {
    context.say('Measuring on the referee')
    const seed = this.seed
    const earlier = this.#earlier(spec.id)
    const verdict = await this.#verdict(
      { checkpoint: spec.id, seed, artefact, ledger, earlier: earlier.artefacts },
      context,
    )
    const attempt: Attempt = {
      id: newId(),
      checkpoint: spec.id,
      time: new Date().toISOString(),
      source,
      backend: this.backend?.name ?? 'unknown',
      seed,
      artefact,
      files,
      ...(ledger ? { ledger } : {}),
      ...(Object.keys(earlier.ids).length > 0 ? { earlier: earlier.ids } : {}),
      verdict,
      hintsOpened: this.hintsOpened(spec.id) + (this.record.hints[solutionKey(spec.id)] ?? 0),
    }
    this.#change(withAttempt(this.record, attempt))
    if (!isQuiz(spec)) {
      this.attemptId = attempt.id
      this.show('evidence')
    }
    this.#announce(`${verdictWord(verdict)}: ${verdict.headline}`)
    await this.flush()
    return attempt
  }

  async #verdict(request: GradeRequest, context: WorkContext): Promise<Verdict> {
    try {
      const params = { lab: this.slug, ...request }
      const options = { signal: context.signal, onProgress: context.progress }
      return (await this.deps.referee.call('grade', params, options)) as Verdict
    } catch (error) {
      if (context.signal.aborted) throw error
      return unmeasured(error)
    }
  }

  /** Measures a kept attempt again, after an `unavailable`. */
  async measureAgain(id: string): Promise<void> {
    const attempt = this.record.attempts.find((kept) => kept.id === id)
    if (!attempt) return
    await this.work('Measuring on the referee', async (context) => {
      const { checkpoint, seed, artefact, ledger } = attempt
      const earlier = earlierOf(attempt, this.record.attempts)
      const verdict = await this.#verdict({ checkpoint, seed, artefact, ledger, earlier }, context)
      const attempts = this.record.attempts.map((kept) => (kept.id === id ? { ...kept, verdict } : kept))
      this.#change({ attempts })
      this.#announce(`${verdictWord(verdict)}: ${verdict.headline}`)
      return true
    })
  }

  /** Pixels of the pictures that an attempt changed, in its own order. Kept for the visit. */
  async originalsOf(attempt: Attempt): Promise<Originals> {
    const key = `originals:${attempt.id}`
    const known = this.memory.get(key)
    if (known) return known as Originals
    if (attempt.artefact.kind !== 'adversarial-examples')
      return { pixels: new Float32Array(), classes: [], noun: 'image' }
    const earlier = earlierOf(attempt, this.record.attempts)
    const { checkpoint, seed, artefact } = attempt
    const task = (await this.deps.referee.call('task', { lab: this.slug, checkpoint, seed, earlier })) as Task
    const wanted = { dataset: task.dataset, split: task.split, ids: artefact.ids }
    const { pixels, classes, noun } = (await this.deps.referee.call('images', wanted)) as ImagesResult
    const originals = { pixels, classes, noun }
    this.memory.set(key, originals)
    return originals
  }

  async saveEvidenceFile(): Promise<void> {
    try {
      await this.flush()
      await this.deps.exportEvidence(this.record)
    } catch (error) {
      this.notice = sentenceOf(error)
    }
  }

  #print(lines: ConsoleLine[], dropped: number): void {
    this.console = [...this.console, ...lines].slice(-keptConsoleLines)
    this.droppedLines += dropped
  }

  #announce(message: string): void {
    this.announcement = message
  }

  /** What the editor's type checker says, of the learner's own files. */
  setDiagnostics(found: readonly Omit<Problem, 'source'>[]): void {
    const problems = found.map((problem): Problem => ({ ...problem, source: 'editor' }))
    // An editor may say the same again when it is shown our own marks: only news is taken.
    if (JSON.stringify(problems) !== JSON.stringify(this.editorProblems)) this.editorProblems = problems
  }

  /** Opens a problem's file at its line. */
  jumpTo(problem: Problem): void {
    if (!problem.file || !problem.line) return
    this.openFile = problem.file
    this.show('code')
    this.reveal = { file: problem.file, line: problem.line, column: problem.column ?? 1 }
  }

  // Saving

  #change(part: Partial<LabRecord>): void {
    const version = this.manifest?.version ?? this.record.labVersion
    this.record = { ...this.record, ...part, labVersion: version, updated: Date.now() }
    clearTimeout(this.#saveTimer)
    this.#saveTimer = setTimeout(() => void this.flush(), saveAfterMs)
  }

  /** Saves now. A store that refuses keeps the work in memory and says so. */
  async flush(): Promise<void> {
    clearTimeout(this.#saveTimer)
    this.#saveTimer = undefined
    const record = this.record
    if (!this.#closed) this.saved = { ...this.saved, phase: 'saving' }
    try {
      await this.deps.store.save(record)
      this.saved = { phase: 'saved', at: Date.now(), message: '' }
    } catch (error) {
      this.saved = { phase: 'failed', at: Date.now(), message: sentenceOf(error) }
    }
  }
}

/** How the run button of a checkpoint's program looks. */
function programLooks(
  { artefact, step }: CheckpointSpec,
  { access }: SandboxSpec,
): Pick<BenchAction, 'label' | 'role'> {
  if (artefact === 'model-weights')
    return access.includes('trainer')
      ? { label: 'Run training', role: 'defence' }
      : { label: 'Run theft', role: 'attack' }
  if (artefact === 'change-list')
    return step === 'defend'
      ? { label: 'Run repair', role: 'defence' }
      : { label: 'Run attack', role: 'attack' }
  if (artefact === 'adversarial-examples') return { label: 'Run attack', role: 'attack' }
  return { label: 'Run program', role: step === 'defend' ? 'defence' : 'neutral' }
}

/** The file that holds the program of the knobs. */
export const exploreFile = 'explore.ts'
const solutionKey = (checkpoint: string) => `solution:${checkpoint}`
export const isQuiz = (spec: CheckpointSpec) => spec.artefact === 'answer'

const words: Record<Verdict['status'], string> = {
  passed: 'Passed',
  failed: 'Not yet',
  rejected: 'Rejected',
  undecided: 'Undecided',
  unavailable: 'Unavailable',
}
export const verdictWord = (verdict: Verdict): string => words[verdict.status]

const pick = <T>(from: Record<string, T>, names: readonly string[]): Record<string, T> =>
  Object.fromEntries(names.flatMap((name) => (name in from ? [[name, from[name]!] as const] : [])))

/** How a program ended, what it had trained by then, and what it asked. */
interface Ran {
  outcome: ProgramOutcome
  model: { steps: number; artefact: Artefact } | undefined
  ledger: LedgerSummary | undefined
}

const runError = { severity: 'error', source: 'run' } as const

function problemOf(
  outcome: ProgramOutcome,
  { artefact }: CheckpointSpec,
  { access, seconds }: SandboxSpec,
): Problem | undefined {
  const run = runError
  switch (outcome.status) {
    case 'finished':
      if (outcome.artefact !== undefined) return undefined
      return {
        ...run,
        message: 'Your program finished without handing anything in.',
        help:
          artefact === 'model-weights'
            ? access.includes('surrogate')
              ? 'Call submit(surrogate) once, when it has learned what it can.'
              : access.includes('trainer')
                ? 'Call submit(trainer) once, when the training is done.'
                : 'Call submit({ weights }) once, with the tensors that the checkpoint asks for.'
            : artefact === 'change-list'
              ? 'Call submit({ changes }) once, with the ids that data.sample() gave.'
              : 'Call submit({ ids, x }) once, with the ids that data.sample() gave.',
      }
    case 'failed':
      return { ...run, ...located(outcome.error) }
    case 'deadline':
      return {
        ...run,
        message: `Stopped after ${seconds} s of its own, the time one run may take; waiting for a model does not count.`,
        help: trains({ access })
          ? 'Train for fewer epochs, or with fewer attack steps a batch.'
          : 'Look for a loop that never ends, or work on all images in one batch.',
      }
    case 'flood':
      return {
        ...run,
        message: outcome.message,
        help: 'Print once a step at most; progress(done, total) draws the bar.',
      }
    case 'crashed':
      return {
        ...run,
        message: outcome.message,
        help: 'Usually memory: free tensors with tf.tidy(), then run again. Your code is kept.',
      }
    case 'cancelled':
      return undefined
  }
}

/** What to do about an error of a program, by its words, where the message itself does not say so. */
const nextSteps: readonly (readonly [words: RegExp, help: string])[] = [
  [
    /must be a Tensor.* but got '(null|undefined|Promise|object)'/,
    'What victim and attacks answer has to be awaited: const { gradient } = await victim.lossAndGradient(x, y).',
  ],
  [
    /disposed/,
    'Tensors made with a training batch are freed when the next batch comes. Keep numbers, or tf.keep the tensor.',
  ],
  [
    /\.(add|sub|mul|div|neg|abs|sign|sqrt|square|exp|log|pow|mean|sum|max|min|reshape|slice|tile|cast|argMax|clipByValue|transpose) is not a function/,
    'A tensor has no operations of its own here: write tf.mul(a, b), not a.mul(b).',
  ],
  [
    /^submit: x must have one row for each/,
    'Hand in every image, in the order they came; one that you did not work on goes back as it was.',
  ],
  [
    /does not export "/,
    'The program that was run imports your function by that name: call it so, and write export in front.',
  ],
  [
    /^(ReferenceError: )?(fetch|XMLHttpRequest|WebSocket|document|window|localStorage|indexedDB|process|require) is not defined/,
    'A program here has no page, no files and no network: what it may use comes from lab.',
  ],
]

function located(error: ProgramError): Pick<Problem, 'message' | 'file' | 'line' | 'column' | 'help'> {
  const help = nextSteps.find(([words]) => words.test(error.message))?.[1]
  return { message: error.message, file: error.file, line: error.line, column: error.column, help }
}
