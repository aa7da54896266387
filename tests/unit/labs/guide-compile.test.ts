import { describe, expect, test } from 'vitest'
import { compileGuide, type GuideContext } from '../../../src/build/guide-compile.ts'
import type { GuideNode } from '../../../src/labs/guide.ts'
import { guideText } from './sample-lab.ts'

const context: GuideContext = {
  file: 'labs/sample/guide.md',
  checkpoints: [{ id: 'nudged', step: 'code', accepts: ['code', 'explore'] }],
  files: ['nudge.ts', 'main.ts'],
  widgets: ['fgsm-explorer', 'training'],
  attacks: ['fgsm', 'pgd'],
  glossary: { 'white-box': 'Knows everything.', 'L∞': 'The largest change.' },
}
const compile = (text: string, more: Partial<GuideContext> = {}) =>
  compileGuide(text, { ...context, ...more })
/** The sample guide with one piece replaced: its problems. */
const spoilt = (from: string, to: string, more: Partial<GuideContext> = {}) => {
  expect(guideText).toContain(from)
  return compile(guideText.replace(from, to), more).problems
}
/** The body of the story step, from Markdown. */
const body = (markdown: string, more: Partial<GuideContext> = {}) => {
  const text = guideText.replace('A tale with $\\epsilon$ and a :term[white-box] attacker.', () => markdown)
  const { guide, problems } = compile(text, more)
  expect(problems).toEqual([])
  return guide.steps[0]!.body
}

test('a widget takes the attributes that it tells, and any when it takes knobs', () => {
  const more = { widgets: ['curve', 'fgsm-explorer'], widgetAttributes: { curve: ['model', 'compare'] } }
  const problemsOf = (directive: string) =>
    compile(guideText.replace('::widget{kind=fgsm-explorer place=bench}', directive), more).problems
  expect(problemsOf('::widget{kind=curve place=bench model=digits-cnn compare="a | b"}')).toEqual([])
  expect(problemsOf('::widget{kind=curve place=bench modell=digits-cnn}')).toEqual([
    'labs/sample/guide.md:7: the widget "curve" takes no "modell"; did you mean "model"?',
  ])
  expect(problemsOf('::widget{kind=fgsm-explorer place=bench anything=1}')).toEqual([])
})

describe('a right guide', () => {
  test('becomes six steps in order', () => {
    const { guide, problems } = compile(guideText)
    expect(problems).toEqual([])
    expect(guide.steps.map(({ id, title }) => [id, title])).toEqual([
      ['story', 'The story'],
      ['explore', 'Explore'],
      ['code', 'Code'],
      ['checkpoint', 'Checkpoint'],
      ['defend', 'Defend'],
      ['reattack', 'Re-attack'],
    ])
  })

  test('is plain JSON: it survives a round trip', () => {
    const { guide } = compile(guideText)
    expect(JSON.parse(JSON.stringify(guide))).toEqual(guide)
  })

  test('keeps emphasis, lists, code, links and tables', () => {
    expect(body('A *b* **c** `d` [e](https://example.org) [f](#explore).')).toEqual<GuideNode[]>([
      {
        type: 'paragraph',
        children: [
          { type: 'text', value: 'A ' },
          { type: 'emphasis', children: [{ type: 'text', value: 'b' }] },
          { type: 'text', value: ' ' },
          { type: 'strong', children: [{ type: 'text', value: 'c' }] },
          { type: 'text', value: ' ' },
          { type: 'inlineCode', value: 'd' },
          { type: 'text', value: ' ' },
          { type: 'link', url: 'https://example.org', children: [{ type: 'text', value: 'e' }] },
          { type: 'text', value: ' ' },
          { type: 'link', url: '#explore', children: [{ type: 'text', value: 'f' }] },
          { type: 'text', value: '.' },
        ],
      },
    ])
    expect(body('1. one\n2. two')[0]).toMatchObject({
      type: 'list',
      ordered: true,
      children: [{ type: 'listItem' }, { type: 'listItem' }],
    })
    expect(body('```ts\nlet x\n```')).toEqual([{ type: 'code', lang: 'ts', value: 'let x' }])
    expect(body('| a | b |\n| - | - |\n| 1 | 2 |')[0]).toMatchObject({
      type: 'table',
      children: [
        { type: 'tableRow', children: [{ type: 'tableCell' }, { type: 'tableCell' }] },
        { type: 'tableRow' },
      ],
    })
  })

  test('sets formulas as MathML at build time and keeps their source', () => {
    const [node] = body('$$\n\\epsilon\\,\\mathrm{sign}(\\nabla_x L)\n$$')
    expect(node).toMatchObject({ type: 'math', text: '\\epsilon\\,\\mathrm{sign}(\\nabla_x L)' })
    const { mathml } = node as Extract<GuideNode, { type: 'math' }>
    expect(mathml).toMatch(/^<math [^>]*display="block".*<\/math>$/s)
    expect(mathml).toContain('ϵ')
    expect(mathml).not.toContain('annotation')
  })

  test('sets the bars of a norm close to what they hold, and the mean as its own letter', () => {
    const mathmlOf = (source: string) =>
      body(`$$\n${source}\n$$`).map((node) => (node.type === 'math' ? node.mathml : ''))[0]!
    const norm = mathmlOf('\\lVert \\delta \\rVert_2')
    expect(norm.match(/∥/g)).toHaveLength(2)
    expect(norm.match(/<mo[^>]* lspace="0em" rspace="0em">∥/g)).toHaveLength(2)
    expect(mathmlOf('\\mathbb{E}_x L')).toContain('<mi>𝔼</mi>')
  })

  test('keeps a figure and its unit on one line', () => {
    expect(body('Right about 98 % of them\nat ε = 0.2, in steps of ε / 4.')).toEqual<GuideNode[]>([
      {
        type: 'paragraph',
        children: [
          {
            type: 'text',
            value: 'Right about 98\u00a0% of them at ε\u00a0=\u00a00.2, in steps of ε\u00a0/\u00a04.',
          },
        ],
      },
    ])
  })

  test('puts the glossary’s sentence into a term, in any case, also under another wording', () => {
    expect(body(':term[White-box] :term[all-knowing]{of=white-box}')).toMatchObject([
      {
        children: [
          { type: 'term', text: 'White-box', definition: 'Knows everything.' },
          { type: 'text' },
          { type: 'term', text: 'all-knowing', definition: 'Knows everything.' },
        ],
      },
    ])
  })

  test('a widget’s attack and checkpoints exist', () => {
    const problems = (attributes: string) =>
      spoilt('kind=fgsm-explorer place=bench', `kind=fgsm-explorer ${attributes}`)
    expect(problems('attack=pgd checkpoints="nudged" victim=shipped')).toEqual([])
    expect(problems('attack=pdg')).toEqual([expect.stringMatching(/no attack "pdg"; did you mean "pgd"\?/)])
    expect(problems('checkpoint=nudge victim=nudgd')).toEqual([
      expect.stringMatching(/no checkpoint "nudgd"/),
      expect.stringMatching(/no checkpoint "nudge"/),
    ])
  })

  test('gives a widget its attributes as props', () => {
    expect(body('::widget{kind=training place=bench epochs=3}')).toEqual([
      { type: 'widget', kind: 'training', props: { place: 'bench', epochs: '3' } },
    ])
  })

  test('reads a quiz: question, options, replies, and which are right', () => {
    const { guide } = compile(guideText)
    expect(guide.quizzes).toHaveLength(1)
    expect(guide.quizzes[0]).toMatchObject({
      id: 'why',
      multiple: false,
      options: [
        { id: 'a', right: true },
        { id: 'b', right: false },
      ],
    })
    expect(guide.quizzes[0]!.options[1]!.reply).toEqual([
      { type: 'paragraph', children: [{ type: 'text', value: 'It costs the same.' }] },
    ])
    expect(guide.quizzes[0]).not.toHaveProperty('checkpoint')
  })

  test('a quiz named like a checkpoint is that checkpoint', () => {
    const { guide, problems } = compile(guideText, {
      checkpoints: [...context.checkpoints, { id: 'why', step: 'checkpoint', accepts: ['quiz'] }],
    })
    expect(problems).toEqual([])
    expect(guide.quizzes[0]!.checkpoint).toBe('why')
  })
})

describe('a wrong guide is refused with file and line', () => {
  test.each<[string, string, string, string]>([
    [
      'an unknown checkpoint',
      '::checkpoint{#nudged}',
      '::checkpoint{#nudgd}',
      'labs/sample/guide.md:13: no checkpoint "nudgd"; did you mean "nudged"?',
    ],
    [
      'an unknown directive',
      '::run{file=nudge.ts}',
      '::rum{file=nudge.ts}',
      'labs/sample/guide.md:11: no directive "rum"; did you mean "run"?',
    ],
    [
      'a stray colon',
      'A tale',
      'A ratio 1:n tale',
      'labs/sample/guide.md:3: no directive "n"; known: widget, run, checkpoint, hint, quiz, defend, solution, term, or \\:n where a colon is meant',
    ],
    [
      'a directive with the wrong colons',
      '::run{file=nudge.ts}',
      ':run{file=nudge.ts}',
      'labs/sample/guide.md:11: "run" is written ::run{file=…}; got :run; change the colons',
    ],
    [
      'an unknown widget',
      'kind=fgsm-explorer',
      'kind=fgsm-explorr',
      'labs/sample/guide.md:7: no widget "fgsm-explorr"; did you mean "fgsm-explorer"?',
    ],
    [
      'a widget without a kind',
      '{kind=fgsm-explorer place=bench}',
      '',
      'labs/sample/guide.md:7: widget needs "kind"; got none; write ::widget{kind=…}',
    ],
    [
      'a file that is not in starter/',
      'file=nudge.ts',
      'file=nudg.ts',
      'labs/sample/guide.md:11: no file "nudg.ts" in starter/; did you mean "nudge.ts"?',
    ],
    [
      'a term without a sentence',
      ':term[white-box]',
      ':term[white-bix]',
      'labs/sample/guide.md:3: no term "white-bix" in labs/glossary.json; did you mean "white-box"?',
    ],
    [
      'an attribute nobody reads',
      ':::hint{for=nudged}',
      ':::hint{for=nudged level=2}',
      'labs/sample/guide.md:15: hint takes no "level"; known: for',
    ],
    [
      'a label nobody reads',
      ':::hint{for=nudged}',
      ':::hint[Look]{for=nudged}',
      'labs/sample/guide.md:15: hint takes no label in brackets; got [Look]; write :::hint{for=id}',
    ],
    [
      'a hint for nothing',
      ':::hint{for=nudged}',
      ':::hint{for=nugded}',
      'labs/sample/guide.md:15: no checkpoint "nugded"; did you mean "nudged"?',
    ],
    [
      'a step with a wrong id',
      '# Explore {#explore}',
      '# Explore {#explor}',
      'labs/sample/guide.md:5: no step "explor"; did you mean "explore"?',
    ],
    [
      'a step without an id',
      '# Explore {#explore}',
      '# Explore',
      'labs/sample/guide.md:5: a step\'s heading carries its id; got "# Explore"; write "# Explore {#explore}" with one of story, explore, code, checkpoint, defend, reattack',
    ],
    [
      'raw HTML',
      'A tale',
      '<b>A</b> tale',
      'labs/sample/guide.md:3: HTML is not allowed in a guide; got <b>; use Markdown or a directive',
    ],
    [
      'a picture',
      'A tale',
      '![x](y.png)',
      'labs/sample/guide.md:3: pictures come from the learner’s own model, not from files; expected a widget; use ::widget{kind=…}',
    ],
    [
      'a link by http',
      'A tale',
      '[x](http://example.org)',
      'labs/sample/guide.md:3: a link must begin with https:// or #; got "http://example.org"; write the full https address',
    ],
    [
      'a script link',
      'A tale',
      '[x](javascript:alert)',
      'labs/sample/guide.md:3: a link must begin with https:// or #; got "javascript:alert"; write the full https address',
    ],
    [
      'a task list outside a quiz',
      'A tale',
      '- [ ] tick\n\nA tale',
      'labs/sample/guide.md:3: a task list ([x]) stands outside :::quiz, where nothing can be ticked; use a plain list, or put it in a quiz',
    ],
    [
      'a quiz without a right answer',
      '- [x] Every',
      '- [ ] Every',
      'labs/sample/guide.md:21: quiz "why" has no right answer; tick at least one option with [x]',
    ],
    [
      'an option without a reply',
      '\n\n  It costs the same.',
      '',
      'labs/sample/guide.md:27: option 2 of quiz "why" has no reply; add an indented paragraph that says why it is wrong',
    ],
    [
      'a quiz without a question',
      'Why the sign?',
      '',
      'labs/sample/guide.md:21: quiz "why" has no question; write it above the options',
    ],
    [
      'a solution after nothing',
      'after=nudged',
      'after=nowhere',
      'labs/sample/guide.md:40: no checkpoint "nowhere"; known: nudged',
    ],
    [
      'a checkpoint in the wrong step',
      '# Code {#code}',
      '# Code {#code}\n\n# Checkpoint {#checkpoint}',
      'labs/sample/guide.md:1: checkpoint "nudged" stands in step "checkpoint", but lab.json says "code"; move ::checkpoint{#nudged} or change lab.json',
    ],
  ])('%s', (_, from, to, sentence) => {
    expect(spoilt(from, to)).toContain(sentence)
  })

  test('a formula that cannot be set', () => {
    expect(spoilt('$\\epsilon$', '$\\frac{1$')[0]).toMatch(
      /^labs\/sample\/guide\.md:3: the formula \\frac\{1 cannot be set: .*; correct it, or write \\\$ where a dollar is meant$/,
    )
  })

  test('a step that is missing, and the checkpoint that went with it', () => {
    const problems = compile(guideText.replace('# Defend {#defend}', '## Defend')).problems
    expect(problems).toEqual([
      'labs/sample/guide.md:1: step "defend" is missing; add a heading "# Defend {#defend}" where it belongs (order: story, explore, code, checkpoint, defend, reattack)',
    ])
    expect(spoilt('::checkpoint{#nudged}', '')).toEqual([
      'labs/sample/guide.md:1: checkpoint "nudged" of lab.json is nowhere in the guide; add ::checkpoint{#nudged} to step "code"',
    ])
  })

  test('a misspelt checkpoint is told once, where it stands', () => {
    expect(spoilt('::checkpoint{#nudged}', '::checkpoint{#nudgd}')).toHaveLength(1)
  })

  test('text before the first step, once', () => {
    expect(
      compile(`Hello.\n\nMore.\n\n${guideText}`).problems.filter((problem) =>
        problem.includes('before the first step'),
      ),
    ).toHaveLength(2)
  })

  test('steps out of order', () => {
    const problems = compile(
      guideText
        .replace('{#story}', '{#tmp}')
        .replace('{#explore}', '{#story}')
        .replace('{#tmp}', '{#explore}'),
    ).problems
    expect(problems).toEqual([
      'labs/sample/guide.md:5: step "story" comes after "explore"; the order is story, explore, code, checkpoint, defend, reattack; move it',
    ])
  })

  test('all problems are told at once, in the order of lines', () => {
    const problems = compile(
      guideText
        .replace('white-box', 'whitebox')
        .replace('kind=fgsm-explorer', 'kind=nothing')
        .replace('file=nudge.ts', 'file=no.ts'),
    ).problems
    expect(problems.map((problem) => problem.split(':')[1])).toEqual(['3', '7', '11'])
  })

  test('a quiz for a checkpoint that takes no quiz', () => {
    expect(spoilt(':::quiz{#why}', ':::quiz{#nudged}')[0]).toBe(
      'labs/sample/guide.md:21: checkpoint "nudged" does not accept a quiz; lab.json says code, explore; add "quiz" there, or rename the quiz',
    )
  })
})
