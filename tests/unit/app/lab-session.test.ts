import { describe, expect, test, vi } from 'vitest'
import {
  exploreFile,
  LabSession,
  type LoadedLab,
  type SessionDeps,
} from '../../../src/app/lab-session.svelte.ts'
import { newRecord } from '../../../src/app/lab-records.ts'
import { PerturbError } from '../../../src/core/errors.ts'
import type { Artefact } from '../../../src/grading/artefact.ts'
import type { LabRecord } from '../../../src/grading/evidence.ts'
import type { Verdict } from '../../../src/grading/verdict.ts'
import type { CheckpointSpec, Manifest } from '../../../src/labs/manifest.ts'
import type { ProgramOutcome } from '../../../src/sandbox/protocol.ts'
import type { ProgramRequest } from '../../../src/sandbox/run-program.ts'

const checkpoint = (part: Partial<CheckpointSpec> & { id: string }): CheckpointSpec => ({
  title: part.id,
  step: 'code',
  accepts: ['code', 'explore'],
  artefact: 'adversarial-examples',
  points: 10,
  needs: [],
  hints: [
    { kind: 'nudge', text: 'look' },
    { kind: 'pointer', text: 'there' },
  ],
  ...part,
})

const manifest: Manifest = {
  id: 'lab',
  version: '1.0.0',
  title: 'A lab',
  summary: '',
  track: 'evasion',
  order: 1,
  level: 'introductory',
  minutes: 5,
  objectives: [],
  outOfScope: [],
  requires: [],
  papers: [],
  frameworks: {},
  assets: [],
  sandbox: { access: ['victim', 'data'], maxQueries: 100, seconds: 5 },
  variant: '',
  checkpoints: [
    checkpoint({ id: 'first', program: { file: 'attack.ts', main: 'run.ts' } }),
    checkpoint({ id: 'quiz', step: 'checkpoint', accepts: ['quiz'], artefact: 'answer' }),
    checkpoint({ id: 'model', step: 'defend', accepts: ['explore'], artefact: 'model-weights' }),
    checkpoint({ id: 'again', step: 'reattack', program: { file: 'again.ts', main: 'run-again.ts' } }),
  ],
}

const loaded: LoadedLab = {
  manifest,
  guide: {
    steps: [
      { id: 'story', title: 'Story', body: [] },
      {
        id: 'explore',
        title: 'Explore',
        body: [{ type: 'widget', kind: 'knobs', props: { place: 'bench' } }],
      },
      { id: 'code', title: 'Code', body: [] },
      { id: 'checkpoint', title: 'Checkpoint', body: [] },
      {
        id: 'defend',
        title: 'Defend',
        body: [{ type: 'widget', kind: 'training', props: { place: 'bench' } }],
      },
      { id: 'reattack', title: 'Re-attack', body: [] },
    ],
    quizzes: [{ id: 'q', checkpoint: 'quiz', question: [], multiple: false, options: [] }],
  },
  starter: {
    'attack.ts': 'throw 1',
    'run.ts': "import './attack'",
    'again.ts': 'throw 2',
    'run-again.ts': '',
  },
  solution: async () => ({}),
}

const verdict = (status: Verdict['status'], value = 50): Verdict => ({
  status,
  headline: `${value} of 100`,
  rows: [],
  score: { value, unit: '%' },
})

const examples: Artefact = {
  kind: 'adversarial-examples',
  ids: [1],
  shape: [1, 1, 1, 1],
  pixels: new Float32Array([0.5]),
}
const weights: Artefact = {
  kind: 'model-weights',
  model: 'm',
  tensors: [{ name: 'w', shape: [1], values: new Float32Array([1]) }],
}

interface Call {
  method: string
  params: Record<string, unknown>
}

/** A session with everything around it faked; `calls` tells what the workers were asked. */
function setUp(
  change: Partial<SessionDeps> & {
    outcome?: ProgramOutcome
    verdict?: Verdict
    record?: LabRecord
    weightsFrom?: string
  } = {},
) {
  const calls: Call[] = []
  const requests: ProgramRequest[] = []
  let saved: LabRecord | undefined = change.record
  const answer: Record<string, (params: Record<string, unknown>) => unknown> = {
    task: () => ({
      victim: { model: 'm', weightsFrom: change.weightsFrom },
      dataset: 'd',
      split: 'test',
      ids: [1],
      labels: [3],
      values: {},
    }),
    'open-run': ({ port }) => {
      ;(port as MessagePort).close()
      return { runId: 7 }
    },
    'close-run': () => ({ rows: { gradient: 1 }, calls: 1, refused: 0, transcriptDigest: 'x' }),
    grade: () => change.verdict ?? verdict('passed'),
  }
  const caller = {
    call: vi.fn(async (method: string, params: unknown) => {
      calls.push({ method, params: params as Record<string, unknown> })
      return answer[method]!(params as Record<string, unknown>)
    }),
  }
  const deps: SessionDeps = {
    engine: caller,
    referee: caller,
    store: { load: async () => saved, save: async (record) => void (saved = record) },
    load: async () => loaded,
    runProgram: async (request) => {
      requests.push(request)
      request.enginePort.close()
      return change.outcome ?? ({ status: 'finished', artefact: examples, seconds: 1 } as ProgramOutcome)
    },
    wasmBytes: async () => new ArrayBuffer(0),
    exportEvidence: async () => {},
    startEngine: async () => ({ name: 'wasm', device: '', why: '', probes: [] }),
    ...change,
  }
  const session = new LabSession('lab', deps)
  return { session, calls, requests, saved: () => saved, answer }
}

describe('a lab session', () => {
  test('opens with a fresh record and says which backend runs', async () => {
    const { session } = setUp()
    await session.open()
    expect(session.phase).toBe('ready')
    expect(session.step).toBe('story')
    expect(session.seed).toBe(session.record.seed)
    expect(session.backend?.name).toBe('wasm')
  })

  test('resumes where the learner was, with their text', async () => {
    const record = {
      ...newRecord('lab', '1.0.0', 'code', 5),
      files: { 'attack.ts': { text: 'mine', updated: 1 } },
    }
    const { session } = setUp({ record })
    await session.open()
    expect(session.step).toBe('code')
    expect(session.tab).toBe('code')
    expect(session.fileText('attack.ts')).toBe('mine')
    expect(session.seed).toBe(5)
  })

  test('tells why a lab does not open instead of throwing', async () => {
    const { session } = setUp({
      load: async () => Promise.reject(new PerturbError('missing', 'no lab "lab"')),
    })
    await session.open()
    expect(session.phase).toBe('failed')
    expect(session.failure).toBe('no lab "lab"')
  })

  test('stays usable without an engine, and says so', async () => {
    const { session } = setUp({ startEngine: async () => Promise.reject(new Error('no backend here')) })
    await session.open()
    expect(session.phase).toBe('ready')
    expect(session.backendTrouble).toBe('no backend here')
  })

  test('a step is done when it was read, one with checkpoints when they are passed', async () => {
    const { session } = setUp()
    await session.open()
    session.next()
    expect(session.step).toBe('explore')
    expect(session.isDone('story')).toBe(true)
    session.goTo('code')
    session.next()
    expect(session.isDone('code')).toBe(false)
    await session.runProgram('first')
    expect(session.isDone('code')).toBe(true)
  })

  test('the bench of a step is its own, or the nearest before it', async () => {
    const { session } = setUp()
    await session.open()
    expect(session.bench?.kind).toBe('knobs')
    session.goTo('checkpoint')
    expect(session.bench?.kind).toBe('knobs')
    session.goTo('reattack')
    expect(session.bench?.kind).toBe('training')
  })
})

describe('running a program', () => {
  test('Cancel stops what is measured on the bench, when no program runs', async () => {
    const { session } = setUp({})
    await session.open()
    let stopped = 0
    session.benchAction = {
      label: 'Steal',
      role: 'attack',
      run: async () => {},
      busy: 0.4,
      cancel: () => stopped++,
    }
    session.cancel()
    expect(stopped).toBe(1)
    expect(session.queue.running).toBe(false)
  })

  test('opens a ledger, runs the files as edited, closes the ledger, is graded and kept', async () => {
    const { session, calls, requests, saved } = setUp({ verdict: verdict('passed', 93) })
    await session.open()
    session.goTo('code')
    session.setFile('attack.ts', 'better')
    await session.runProgram()
    expect(calls.map(({ method }) => method)).toEqual(['task', 'open-run', 'close-run', 'grade'])
    expect(requests[0]!.files['attack.ts']).toBe('better')
    expect(requests[0]!.main).toBe('run.ts')
    const [attempt] = session.record.attempts
    expect(attempt).toMatchObject({
      checkpoint: 'first',
      source: 'code',
      backend: 'wasm',
      seed: session.seed,
      ledger: { calls: 1 },
    })
    expect(attempt!.files).toEqual({ 'attack.ts': 'better', 'run.ts': "import './attack'" })
    expect(session.tab).toBe('evidence')
    expect(session.announcement).toBe('Passed: 93 of 100')
    expect(saved()!.attempts).toHaveLength(1)
  })

  test.each<[ProgramOutcome, RegExp]>([
    [
      { status: 'failed', error: { message: 'x is not defined', file: 'attack.ts', line: 3 }, seconds: 1 },
      /x is not defined/,
    ],
    [{ status: 'deadline', seconds: 5 }, /Stopped after 5 s/],
    [{ status: 'flood', message: 'too many messages', seconds: 1 }, /too many messages/],
    [{ status: 'crashed', message: 'the sandbox died', seconds: 1 }, /the sandbox died/],
    [{ status: 'finished', seconds: 1 }, /without handing anything in/],
  ])('a program that ended as %o is a problem with a sentence, and no attempt', async (outcome, sentence) => {
    const { session, calls } = setUp({ outcome })
    await session.open()
    await session.runProgram('first')
    expect(session.problems[0]!.message).toMatch(sentence)
    expect(session.queue.phase).toBe('failed')
    expect(session.record.attempts).toEqual([])
    expect(calls.map(({ method }) => method)).toEqual(['task', 'open-run', 'close-run'])
  })

  test('what keeps a program from running at all is told among the problems', async () => {
    const { session, answer } = setUp()
    answer.task = () => {
      throw new PerturbError('bad-input', 'Repair the model first.')
    }
    await session.open()
    await session.runProgram('first')
    expect(session.problems.map(({ message }) => message)).toEqual(['Repair the model first.'])
    expect(session.record.attempts).toEqual([])
  })

  const handsInAModel = {
    ...loaded,
    manifest: {
      ...loaded.manifest,
      checkpoints: loaded.manifest.checkpoints.map((spec) =>
        spec.id === 'first' ? { ...spec, artefact: 'model-weights' as const } : spec,
      ),
    },
  }
  const training = {
    ...handsInAModel,
    manifest: {
      ...handsInAModel.manifest,
      sandbox: { ...manifest.sandbox, access: ['victim', 'data', 'trainer'] },
    },
  }
  const trained = { weights: weights.tensors, steps: 12 }

  test('a model of the program’s own making is handed in as it is, and the provider’s log is kept', async () => {
    const tensors = [{ name: 'bias', shape: [1], values: Float32Array.of(2) }]
    const own: Artefact = { kind: 'model-weights', model: 'surrogate', tensors }
    const outcome = { status: 'finished', artefact: own, seconds: 1 } as const
    const { session, calls, answer } = setUp({ outcome, load: async () => handsInAModel })
    const plain = answer.task!
    answer.task = (params) => ({ ...(plain(params) as object), api: { cents: 5 } })
    answer['run-log'] = () => ({ requests: [], dropped: 0, cents: 155 })
    await session.open()
    session.goTo('code')
    expect([session.primary.label, session.primary.role]).toEqual(['Run theft', 'attack'])
    await session.runProgram('first')
    expect(calls.map(({ method }) => method)).toEqual(['task', 'open-run', 'run-log', 'close-run', 'grade'])
    expect(session.record.attempts[0]!.artefact).toEqual(own)
    expect(session.apiLog).toEqual({
      requests: [],
      dropped: 0,
      cents: 155,
      checkpoint: 'first',
      maxQueries: 100,
    })
  })

  test('a copy that learned in the engine is read from there, under the name of its own layers; its victim is shared first', async () => {
    const lab = {
      ...handsInAModel,
      manifest: {
        ...handsInAModel.manifest,
        sandbox: { ...manifest.sandbox, access: ['scores', 'surrogate'] },
      },
    }
    const outcome = { status: 'finished', artefact: { kind: 'trained-model' }, seconds: 1 } as const
    const { session, calls, answer } = setUp({ outcome, load: async () => lab })
    const plain = answer.task!
    answer.task = (params) => ({
      ...(plain(params) as object),
      victim: { model: 'sold', seed: 3 },
      copy: { model: 'own', seed: 4 },
    })
    answer['adopt-seeded'] = () => false
    answer['seeded-weights'] = () => weights.tensors
    answer['trained-weights'] = () => trained
    await session.open()
    session.goTo('code')
    expect([session.primary.label, session.primary.role]).toEqual(['Run theft', 'attack'])
    await session.runProgram('first')
    expect(calls.map(({ method }) => method)).toEqual([
      'task',
      'adopt-seeded',
      'seeded-weights',
      'adopt-seeded',
      'open-run',
      'trained-weights',
      'close-run',
      'grade',
    ])
    expect(session.record.attempts[0]!.artefact).toEqual({
      kind: 'model-weights',
      model: 'own',
      tensors: weights.tensors,
    })
  })

  test('the run button has the colour of what its program does to a model', async () => {
    const looksOf = async (artefact: 'scores' | 'adversarial-examples', step: 'code' | 'defend') => {
      const checkpoints = loaded.manifest.checkpoints.map((spec) =>
        spec.id === 'first' ? { ...spec, artefact, step } : spec,
      )
      const lab = { ...loaded, manifest: { ...loaded.manifest, checkpoints } }
      const { session } = setUp({ load: async () => lab })
      await session.open()
      session.toCode('first')
      return [session.primary.label, session.primary.role]
    }
    expect(await looksOf('adversarial-examples', 'code')).toEqual(['Run attack', 'attack'])
    expect(await looksOf('scores', 'code')).toEqual(['Run program', 'neutral'])
    expect(await looksOf('scores', 'defend')).toEqual(['Run program', 'defence'])
  })

  test('what is asked to be seen on the workbench is counted, a change of step is not', async () => {
    const { session } = setUp()
    await session.open()
    session.goTo('code')
    expect(session.workbenchCalls).toBe(0)
    session.toCode('first')
    session.toEvidence('first')
    expect([session.workbenchCalls, session.tab]).toEqual([2, 'evidence'])
  })

  test('a model that a program trained is taken from the engine, never from the program', async () => {
    const outcome = { status: 'finished', artefact: { kind: 'trained-model' }, seconds: 1 } as const
    const { session, calls, answer } = setUp({ outcome, load: async () => training })
    answer['trained-weights'] = () => trained
    await session.open()
    session.goTo('code')
    expect(session.primary.label).toBe('Run training')
    await session.runProgram('first')
    const asked = ['task', 'open-run', 'trained-weights', 'close-run', 'grade']
    expect(calls.map(({ method }) => method)).toEqual(asked)
    expect(session.record.attempts[0]!.artefact).toEqual({
      kind: 'model-weights',
      model: 'm',
      tensors: trained.weights,
    })
    expect(session.leftover).toBeUndefined()
  })

  test.each<ProgramOutcome>([
    { status: 'cancelled', seconds: 1 },
    { status: 'deadline', seconds: 5 },
    { status: 'failed', error: { message: 'no' }, seconds: 1 },
    { status: 'finished', seconds: 1 },
  ])('a training that ended as %o leaves its model, to be handed in on demand', async (outcome) => {
    const { session, answer } = setUp({ outcome, load: async () => training })
    answer['trained-weights'] = () => trained
    await session.open()
    await session.runProgram('first')
    expect(session.record.attempts).toEqual([])
    expect(session.leftover).toMatchObject({ checkpoint: 'first', steps: 12 })
    await session.handInLeftover()
    expect(session.record.attempts[0]).toMatchObject({ source: 'code', artefact: { kind: 'model-weights' } })
    expect(session.leftover).toBeUndefined()
  })

  test('a trained model that cannot be read, or is not asked for, is a problem with a sentence', async () => {
    const outcome = { status: 'finished', artefact: { kind: 'trained-model' }, seconds: 1 } as const
    const lost = setUp({ outcome, load: async () => training })
    lost.answer['trained-weights'] = () => {
      throw new Error('gone')
    }
    await lost.session.open()
    await lost.session.runProgram('first')
    expect(lost.session.problems[0]!.message).toBe('The trained model could not be read from the engine.')
    const strange = setUp({ outcome })
    await strange.session.open()
    await strange.session.runProgram('first')
    expect(strange.session.problems[0]!.message).toBe('This checkpoint takes no trained model.')
  })

  test('a step that asks for code alone and has no bench of its own begins at its program', async () => {
    const checkpoints = manifest.checkpoints.map((spec) =>
      spec.id === 'again' ? { ...spec, accepts: ['code' as const] } : spec,
    )
    const lab = { ...loaded, manifest: { ...manifest, checkpoints } }
    const { session } = setUp({ load: async () => lab })
    await session.open()
    session.goTo('defend')
    expect(session.tab).toBe('explore')
    session.goTo('reattack')
    expect([session.tab, session.openFile]).toEqual(['code', 'again.ts'])
  })

  test('a tensor freed with its batch is named', async () => {
    const error = { message: 'Tensor is disposed.' }
    const { session } = setUp({ outcome: { status: 'failed', error, seconds: 1 } })
    await session.open()
    await session.runProgram('first')
    expect(session.problems[0]!.help).toMatch(/tf\.keep/)
  })

  test('a forgotten await is named: a promise where a tensor belongs', async () => {
    const message = "Argument 'x' passed to 'sign' must be a Tensor or TensorLike, but got 'null'"
    const { session } = setUp({ outcome: { status: 'failed', error: { message }, seconds: 1 } })
    await session.open()
    await session.runProgram('first')
    expect(session.problems[0]!.help).toMatch(/await victim\.lossAndGradient/)
  })

  test.each([
    ['submit: x must have one row for each of the 100 ids; got shape (10, 28, 28, 1)', /every image/],
    ['fgsm.ts does not export "fgsm"; it has fgms', /by that name/],
    ['ReferenceError: fetch is not defined', /no network/],
    ['TypeError: adversarial.mul is not a function', /tf\.mul\(a, b\)/],
  ])('%s: what to do next is told', async (message, next) => {
    const { session } = setUp({ outcome: { status: 'failed', error: { message }, seconds: 1 } })
    await session.open()
    await session.runProgram('first')
    expect(session.problems[0]!.help).toMatch(next)
  })

  test('an error that says itself what to do next is not told twice', async () => {
    const message = 'query budget spent: 100 rows were asked for and 0 of 200 are left; ask for fewer rows.'
    const error = { message, code: 'budget-spent' as const }
    const { session } = setUp({ outcome: { status: 'failed', error, seconds: 1 } })
    await session.open()
    await session.runProgram('first')
    expect(session.problems[0]!.help).toBeUndefined()
  })

  test('a problem leads to its line', async () => {
    const { session } = setUp({
      outcome: {
        status: 'failed',
        error: { message: 'no', file: 'attack.ts', line: 3, column: 2 },
        seconds: 1,
      },
    })
    await session.open()
    await session.runProgram('first')
    session.jumpTo(session.problems[0]!)
    expect(session.reveal).toEqual({ file: 'attack.ts', line: 3, column: 2 })
    expect(session.tab).toBe('code')
  })

  test('closes the ledger when the run throws, and tells the sentence', async () => {
    const { session, calls } = setUp({ runProgram: async () => Promise.reject(new Error('no frame')) })
    await session.open()
    await session.runProgram('first')
    expect(calls.map(({ method }) => method)).toEqual(['task', 'open-run', 'close-run'])
    expect(session.queue.phase).toBe('failed')
    expect(session.queue.message).toBe('no frame')
  })

  test('cancel stops the program, keeps no attempt and frees the queue', async () => {
    const { session } = setUp({
      runProgram: ({ signal }) =>
        new Promise((resolve) =>
          signal!.addEventListener('abort', () => resolve({ status: 'cancelled', seconds: 1 })),
        ),
    })
    await session.open()
    const run = session.runProgram('first')
    await vi.waitFor(() => expect(session.queue.running).toBe(true))
    await new Promise((resolve) => setTimeout(resolve, 0))
    session.cancel()
    await run
    expect(session.queue.phase).toBe('cancelled')
    expect(session.record.attempts).toEqual([])
  })

  test('one run at a time: a second is ignored while the first is under way', async () => {
    let finish!: (outcome: ProgramOutcome) => void
    const started: unknown[] = []
    const { session } = setUp({
      runProgram: (request) => {
        started.push(request)
        return new Promise((resolve) => (finish = resolve))
      },
    })
    await session.open()
    const run = session.runProgram('first')
    await vi.waitFor(() => expect(started).toHaveLength(1))
    await session.runProgram('first')
    expect(started).toHaveLength(1)
    finish({ status: 'cancelled', seconds: 1 })
    await run
  })

  test('an attempt that the referee could not measure is kept, does not count against anyone, and can be measured again', async () => {
    const { session, answer } = setUp()
    await session.open()
    answer.grade = () => Promise.reject(new PerturbError('unavailable', 'The referee stopped.'))
    await session.runProgram('first')
    const [attempt] = session.record.attempts
    expect(attempt!.verdict.status).toBe('unavailable')
    expect(attempt!.verdict.finding!.cause).toContain('The referee stopped.')
    expect(attempt!.artefact).toBe(examples)
    answer.grade = () => verdict('passed')
    await session.measureAgain(attempt!.id)
    expect(session.record.attempts[0]!.verdict.status).toBe('passed')
    expect(session.record.attempts).toHaveLength(1)
  })
})

describe('handing in from the bench', () => {
  test('is marked as explore and keeps the program of the knobs', async () => {
    const { session } = setUp()
    await session.open()
    await session.makeAndHandIn('first', 'Attacking', async () => ({
      artefact: examples,
      files: { [exploreFile]: 'code' },
    }))
    expect(session.record.attempts[0]).toMatchObject({ source: 'explore', files: { [exploreFile]: 'code' } })
  })

  test('a model that passed is what later checkpoints build on, by name in the attempt', async () => {
    const { session, calls } = setUp({ weightsFrom: 'model' })
    await session.open()
    await session.handIn('model', weights, {})
    await session.runProgram('again')
    // Two attempts of one millisecond have no order.
    const attempt = (id: string) => session.record.attempts.find(({ checkpoint }) => checkpoint === id)!
    expect(attempt('again').earlier).toEqual({ model: attempt('model').id })
    const opened = calls.find(({ method }) => method === 'open-run')!
    expect(opened.params.weights).toBe((weights as Extract<Artefact, { kind: 'model-weights' }>).tensors)
    expect(calls.at(-1)!.params.earlier).toEqual({ model: weights })
  })

  test('a model that did not pass is not built on', async () => {
    const { session, calls } = setUp({ verdict: verdict('failed') })
    await session.open()
    await session.handIn('model', weights, {})
    await session.runProgram('again')
    expect(calls.at(-1)!.params.earlier).toEqual({})
    expect(session.weightsOf('model')).toBeUndefined()
  })

  test('a step opens on its own bench, or on the editor where only a program can be handed in', async () => {
    const [first, ...others] = manifest.checkpoints
    const [story, explore, code, , defend, reattack] = loaded.guide.steps
    const { session } = setUp({
      load: async () => ({
        ...loaded,
        manifest: {
          ...manifest,
          checkpoints: [
            first!,
            ...others.map((spec) => (spec.id === 'again' ? { ...spec, accepts: ['code' as const] } : spec)),
            checkpoint({ id: 'second', step: 'checkpoint' }),
          ],
        },
        guide: {
          ...loaded.guide,
          steps: [story!, explore!, code!, { ...explore!, id: 'checkpoint' as const }, defend!, reattack!],
        },
      }),
    })
    await session.open()
    const opens = ['explore', 'code', 'checkpoint', 'defend', 'reattack'] as const
    const tabs = opens.map((step) => {
      session.goTo(step)
      return session.tab
    })
    expect(tabs).toEqual(['explore', 'code', 'explore', 'explore', 'code'])

    const usual = setUp().session
    await usual.open()
    expect(
      (['checkpoint', 'reattack'] as const).map((step) => {
        usual.goTo(step)
        return usual.tab
      }),
    ).toEqual(['explore', 'explore'])
  })

  test('answers go the same way, and the bench stays where it was', async () => {
    const { session, calls } = setUp()
    await session.open()
    session.answer('q', ['b'])
    await session.handInAnswers('quiz')
    expect(calls.at(-1)!.params.artefact).toEqual({ kind: 'answer', choices: { q: ['b'] } })
    expect(session.isPassed('quiz')).toBe(true)
    expect(session.tab).toBe('explore')
    expect(session.checkpoint!.id).toBe('first')
  })
})

describe('what is kept', () => {
  test('hints open one rung at a time and are noted with the next attempt', async () => {
    const { session } = setUp()
    await session.open()
    session.openHint('first')
    session.openHint('first')
    session.openHint('first')
    expect(session.hintsOpened('first')).toBe(2)
    session.showSolution('first')
    await session.runProgram('first')
    expect(session.record.attempts[0]!.hintsOpened).toBe(3)
  })

  test('start over brings the starter back, and undo the learner’s text', async () => {
    const { session } = setUp()
    await session.open()
    session.setFile('attack.ts', 'mine')
    session.resetFile('attack.ts')
    expect(session.fileText('attack.ts')).toBe('throw 1')
    session.undoReset()
    expect(session.fileText('attack.ts')).toBe('mine')
  })

  test('files that a program imports from other steps are known, by whatever way, and none that is not there', async () => {
    const { session } = setUp()
    await session.open()
    session.goTo('reattack')
    expect(session.importedFiles).toEqual([])
    session.setFile('again.ts', "import { a } from './attack'\nimport type { B } from './nowhere'")
    expect(session.importedFiles).toEqual(['attack.ts'])
    // In a circle, and with an ending.
    session.setFile('attack.ts', 'import { run } from "./run.ts"\nimport "./again"\nexport const a = 1')
    expect(session.importedFiles).toEqual(['attack.ts', 'run.ts'])
    session.goTo('code')
    expect(session.importedFiles).toEqual([])
  })

  test('read-only programs cannot be edited', async () => {
    const { session } = setUp()
    await session.open()
    session.setFile('run.ts', 'cheat')
    expect(session.fileText('run.ts')).toBe("import './attack'")
  })

  test('a store that refuses is told, and the work stays', async () => {
    const { session } = setUp({
      store: {
        load: async () => undefined,
        save: async () => Promise.reject(new Error('The storage is full.')),
      },
    })
    await session.open()
    session.setFile('attack.ts', 'mine')
    await session.flush()
    expect(session.saved).toMatchObject({ phase: 'failed', message: 'The storage is full.' })
    expect(session.fileText('attack.ts')).toBe('mine')
  })

  test('another seed is for this visit; the learner’s own stays in the record', async () => {
    const { session, calls } = setUp({ record: newRecord('lab', '1.0.0', 'story', 5) })
    await session.open()
    session.setSeed(9)
    await session.runProgram('first')
    expect(calls[0]!.params.seed).toBe(9)
    expect(session.record.attempts[0]!.seed).toBe(9)
    expect(session.record.seed).toBe(5)
    session.setSeed(-1)
    session.setSeed(1.5)
    session.setSeed(2 ** 32)
    expect(session.seed).toBe(9)
  })

  test('work of another tab is united with what is being typed here', async () => {
    let tell!: (record: LabRecord) => void
    const { session } = setUp({
      store: {
        load: async () => newRecord('lab', '1.0.0', 'story', 5),
        save: async () => {},
        onChange: (_, listener) => ((tell = listener), () => {}),
      },
    })
    await session.open()
    session.goTo('code')
    session.setFile('attack.ts', 'typed here')
    const there = {
      ...newRecord('lab', '1.0.0', 'defend', 5),
      files: { 'again.ts': { text: 'typed there', updated: 1 } },
    }
    tell(there)
    expect(session.fileText('attack.ts')).toBe('typed here')
    expect(session.fileText('again.ts')).toBe('typed there')
    expect(session.step).toBe('code')
  })
})
