import katex from 'katex'
import type { Heading, List, Root, RootContent } from 'mdast'
import type { ContainerDirective, LeafDirective, TextDirective } from 'mdast-util-directive'
import { toString } from 'mdast-util-to-string'
import remarkDirective from 'remark-directive'
import remarkGfm from 'remark-gfm'
import remarkMath from 'remark-math'
import remarkParse from 'remark-parse'
import { unified } from 'unified'
import { didYouMean, nearest } from '../labs/did-you-mean.ts'
import type { Guide, GuideNode, Quiz } from '../labs/guide.ts'
import { steps, stepTitles, type CheckpointSpec, type StepId } from '../labs/manifest.ts'

/** What a guide may refer to. */
export interface GuideContext {
  /** How to name the guide in messages, e.g. "labs/evasion-fgsm/guide.md". */
  file: string
  checkpoints: readonly Pick<CheckpointSpec, 'id' | 'step' | 'accepts'>[]
  /** File names in starter/. */
  files: readonly string[]
  /** Kinds of widget. */
  widgets: readonly string[]
  /** Names of the attributes of a widget; one that is not here takes any. */
  widgetAttributes?: Readonly<Record<string, readonly string[]>>
  /** Ids of the attacks. */
  attacks: readonly string[]
  /** Term → its sentence; terms are looked up without regard to case. */
  glossary: Readonly<Record<string, string>>
}

export interface CompiledGuide {
  guide: Guide
  /** Sentences with file and line; the guide may be used only when there are none. */
  problems: string[]
}

type Directive = ContainerDirective | LeafDirective | TextDirective
type Node =
  | RootContent
  | { type: 'math' | 'inlineMath'; value: string; position?: RootContent['position']; children?: undefined }

/** How each directive is written, for messages; the attributes it takes, `required` first. */
const directives: Record<
  string,
  { form: Directive['type']; write: string; required: string[]; optional: string[] }
> = {
  widget: { form: 'leafDirective', write: '::widget{kind=…}', required: ['kind'], optional: ['*'] },
  run: { form: 'leafDirective', write: '::run{file=…}', required: ['file'], optional: [] },
  checkpoint: { form: 'leafDirective', write: '::checkpoint{#id}', required: ['id'], optional: [] },
  hint: { form: 'containerDirective', write: ':::hint{for=id}', required: ['for'], optional: [] },
  quiz: { form: 'containerDirective', write: ':::quiz{#id}', required: ['id'], optional: ['checkpoint'] },
  defend: { form: 'containerDirective', write: ':::defend', required: [], optional: [] },
  solution: { form: 'containerDirective', write: ':::solution{after=id}', required: ['after'], optional: [] },
  term: { form: 'textDirective', write: ':term[words]', required: [], optional: ['of'] },
}

const parser = unified().use(remarkParse).use(remarkGfm).use(remarkMath).use(remarkDirective)

/**
 * Compiles a guide to plain JSON. Pure: everything it may refer to is in the context. Every problem is
 * collected, so that an author sees them all at once.
 */
export function compileGuide(markdown: string, context: GuideContext): CompiledGuide {
  const problems: { line: number; text: string }[] = []
  const report = (node: { position?: RootContent['position'] } | undefined, text: string) =>
    void problems.push({ line: node?.position?.start.line ?? 1, text })
  const checkpointIds = context.checkpoints.map((checkpoint) => checkpoint.id)
  const glossary = new Map(
    Object.entries(context.glossary).map(([term, sentence]) => [term.toLowerCase(), sentence]),
  )
  const quizzes: Quiz[] = []
  /** Steps in which each checkpoint stands. */
  const placed = new Map<string, Set<StepId>>()
  /** Names that a wrong one was probably meant to be: told once, where it stands. */
  const misspelt = new Set<string>()
  let step: StepId | undefined

  function compileAll(nodes: readonly Node[]): GuideNode[] {
    return nodes.flatMap((node) => compile(node) ?? [])
  }

  function compile(node: Node): GuideNode | GuideNode[] | undefined {
    switch (node.type) {
      case 'text':
        return { type: 'text', value: keptTogether(node.value.replaceAll('\n', ' ')) }
      case 'paragraph':
      case 'emphasis':
      case 'strong':
      case 'blockquote':
      case 'table':
      case 'tableRow':
      case 'tableCell':
        return { type: node.type, children: compileAll(node.children) }
      case 'heading':
        if (node.depth === 1 || node.depth > 4) {
          report(
            node,
            `a heading inside a step has two, three or four #; got ${node.depth}; a step begins with one # at the left margin`,
          )
          return undefined
        }
        return { type: 'heading', depth: node.depth as 2 | 3 | 4, children: compileAll(node.children) }
      case 'list':
        return { type: 'list', ordered: node.ordered ?? false, children: compileAll(node.children) }
      case 'listItem':
        if (node.checked !== null && node.checked !== undefined)
          report(
            node,
            'a task list ([x]) stands outside :::quiz, where nothing can be ticked; use a plain list, or put it in a quiz',
          )
        return { type: 'listItem', children: compileAll(node.children) }
      case 'code':
        return { type: 'code', lang: node.lang ?? 'text', value: node.value }
      case 'inlineCode':
        return { type: 'inlineCode', value: node.value }
      case 'math':
      case 'inlineMath':
        return compileMath(node)
      case 'link':
        if (!/^https:\/\/|^#/.test(node.url)) {
          report(
            node,
            `a link must begin with https:// or #; got "${node.url}"; write the full https address`,
          )
        }
        return { type: 'link', url: node.url, children: compileAll(node.children) }
      case 'break':
        return { type: 'break' }
      case 'thematicBreak':
        return { type: 'rule' }
      case 'textDirective':
      case 'leafDirective':
      case 'containerDirective':
        return compileDirective(node)
      case 'html':
        report(
          node,
          `HTML is not allowed in a guide; got ${node.value.split('\n')[0]!.slice(0, 40)}; use Markdown or a directive`,
        )
        return undefined
      case 'image':
      case 'imageReference':
        report(
          node,
          'pictures come from the learner’s own model, not from files; expected a widget; use ::widget{kind=…}',
        )
        return undefined
      default:
        report(
          node,
          `${node.type} is not something a guide can show; use paragraphs, lists, tables, code, math and directives`,
        )
        return undefined
    }
  }

  function compileMath(node: Extract<Node, { type: 'math' | 'inlineMath' }>): GuideNode {
    try {
      const html = katex.renderToString(node.value, {
        output: 'mathml',
        displayMode: node.type === 'math',
        throwOnError: true,
        strict: 'error',
      })
      // katex wraps the element in a span and repeats the source in an annotation; we keep it as `text`.
      const mathml = html
        .slice(html.indexOf('<math'), html.lastIndexOf('</math>') + 7)
        .replace(/<annotation[\s\S]*?<\/annotation>/, '')
        // In MathML Core the bars of a norm are a relation, with room on both sides, and only Unicode has 𝔼.
        .replace(/<mo([^>]*)>∥<\/mo>/g, '<mo$1 lspace="0em" rspace="0em">∥</mo>')
        .replace(/<mi mathvariant="double-struck">E<\/mi>/g, '<mi>𝔼</mi>')
      return { type: node.type, mathml, text: node.value }
    } catch (error) {
      report(
        node,
        `the formula ${node.value.slice(0, 40)} cannot be set: ${(error as Error).message.replace(/^KaTeX parse error: /, '')}; correct it, or write \\$ where a dollar is meant`,
      )
      return { type: node.type, mathml: '', text: node.value }
    }
  }

  function compileDirective(node: Directive): GuideNode | undefined {
    const known = Object.hasOwn(directives, node.name) ? directives[node.name] : undefined
    const colons = { textDirective: ':', leafDirective: '::', containerDirective: ':::' }[node.type]
    if (!known) {
      const literal = node.type === 'textDirective' ? `, or \\:${node.name} where a colon is meant` : ''
      report(node, `no directive "${node.name}"${didYouMean(node.name, Object.keys(directives))}${literal}`)
      return undefined
    }
    if (known.form !== node.type) {
      report(node, `"${node.name}" is written ${known.write}; got ${colons}${node.name}; change the colons`)
      return undefined
    }
    if (node.type !== 'textDirective' && labelOf(node)) {
      report(
        node,
        `${node.name} takes no label in brackets; got [${toString(labelOf(node))}]; write ${known.write}`,
      )
    }
    const attributes = readAttributes(node, known)
    if (!attributes) return undefined
    switch (node.name) {
      case 'widget': {
        const { kind, ...props } = attributes
        expectKnown(node, 'widget', kind!, context.widgets)
        const takes = context.widgetAttributes?.[kind!]
        for (const name of Object.keys(props))
          if (takes && name !== 'place' && !takes.includes(name))
            report(node, `the widget "${kind}" takes no "${name}"${didYouMean(name, takes)}`)
        const { attack, victim = 'shipped', checkpoint = '', checkpoints = '' } = props
        if (attack !== undefined) expectKnown(node, 'attack', attack, context.attacks)
        for (const id of [victim, ...`${checkpoint} ${checkpoints}`.split(/[\s,]+/)])
          if (id && id !== 'shipped') expectKnown(node, 'checkpoint', id, checkpointIds)
        return { type: 'widget', kind: kind!, props }
      }
      case 'run':
        expectKnown(node, 'file', attributes.file!, context.files, ' in starter/')
        return { type: 'run', file: attributes.file! }
      case 'checkpoint':
        if (expectKnown(node, 'checkpoint', attributes.id!, checkpointIds)) place(attributes.id!)
        return { type: 'checkpoint', id: attributes.id! }
      case 'hint':
        expectKnown(node, 'checkpoint', attributes.for!, checkpointIds)
        return { type: 'hint', for: attributes.for!, children: compileAll(childrenOf(node)) }
      case 'solution':
        expectKnown(node, 'checkpoint', attributes.after!, checkpointIds)
        return { type: 'solution', after: attributes.after!, children: compileAll(childrenOf(node)) }
      case 'defend':
        return { type: 'defend', children: compileAll(childrenOf(node)) }
      case 'quiz':
        return compileQuiz(node as ContainerDirective, attributes)
      case 'term':
        return compileTerm(node as TextDirective, attributes)
    }
  }

  function readAttributes(
    node: Directive,
    known: (typeof directives)[string],
  ): Record<string, string> | undefined {
    const attributes = Object.fromEntries(
      Object.entries(node.attributes ?? {}).map(([key, value]) => [key, value ?? '']),
    )
    const takes = [...known.required, ...known.optional]
    const missing = known.required.filter((key) => !attributes[key])
    for (const key of missing)
      report(
        node,
        `${node.name} needs ${key === 'id' ? 'an id' : `"${key}"`}; got none; write ${known.write}`,
      )
    if (!takes.includes('*')) {
      for (const key of Object.keys(attributes).filter((key) => !takes.includes(key))) {
        report(node, `${node.name} takes no "${key}"${didYouMean(key, takes)}`)
      }
    }
    return missing.length > 0 ? undefined : attributes
  }

  function expectKnown(
    node: Directive,
    what: string,
    name: string,
    known: readonly string[],
    where = '',
  ): boolean {
    if (known.includes(name)) return true
    misspelt.add(nearest(name, known) ?? '')
    report(node, `no ${what} "${name}"${where}${didYouMean(name, known)}`)
    return false
  }

  function place(checkpoint: string) {
    if (!placed.has(checkpoint)) placed.set(checkpoint, new Set())
    if (step) placed.get(checkpoint)!.add(step)
  }

  function compileTerm(node: TextDirective, attributes: Record<string, string>): GuideNode | undefined {
    const text = toString(node)
    if (!text) {
      report(node, 'term needs its words; got none; write :term[words]')
      return undefined
    }
    const definition = glossary.get((attributes.of ?? text).toLowerCase())
    if (definition) return { type: 'term', text, definition }
    report(
      node,
      `no term "${attributes.of ?? text}" in labs/glossary.json${didYouMean(attributes.of ?? text, Object.keys(context.glossary))}`,
    )
    return { type: 'text', value: text }
  }

  /** Question, then one task list; a ticked item is right, and what follows an item's first paragraph is the reply. */
  function compileQuiz(node: ContainerDirective, attributes: Record<string, string>): GuideNode | undefined {
    const id = attributes.id!
    const body = childrenOf(node)
    const lists = body.filter(
      (child): child is List =>
        child.type === 'list' && child.children.some((item) => typeof item.checked === 'boolean'),
    )
    const list = lists[0]
    if (lists.length !== 1 || !list) {
      report(
        node,
        `quiz "${id}" needs one list of options; got ${lists.length}; write "- [x] right" and "- [ ] wrong"`,
      )
      return undefined
    }
    const plain = list.children.find((item) => typeof item.checked !== 'boolean')
    if (plain) report(plain, `every option of quiz "${id}" begins with [x] or [ ]; this one does not; add it`)
    if (quizzes.some((quiz) => quiz.id === id))
      report(node, `quiz "${id}" is there twice; every quiz needs an id of its own`)
    const right = list.children.filter((item) => item.checked).length
    if (right === 0) report(node, `quiz "${id}" has no right answer; tick at least one option with [x]`)
    if (list.children.length < 2)
      report(node, `quiz "${id}" needs at least two options; got ${list.children.length}; add another`)
    if (list.children.length > 26)
      report(node, `quiz "${id}" may have 26 options at most; got ${list.children.length}; drop some`)
    const checkpoint = attributes.checkpoint ?? (checkpointIds.includes(id) ? id : undefined)
    if (checkpoint !== undefined && expectKnown(node, 'checkpoint', checkpoint, checkpointIds)) {
      place(checkpoint)
      const spec = context.checkpoints.find((spec) => spec.id === checkpoint)!
      if (!spec.accepts.includes('quiz'))
        report(
          node,
          `checkpoint "${checkpoint}" does not accept a quiz; lab.json says ${spec.accepts.join(', ')}; add "quiz" there, or rename the quiz`,
        )
    }
    const question = body.filter((child) => child !== list)
    if (question.length === 0) report(node, `quiz "${id}" has no question; write it above the options`)
    const quiz: Quiz = {
      id,
      ...(checkpoint === undefined ? {} : { checkpoint }),
      question: compileAll(question),
      multiple: right > 1,
      options: list.children.map((item, i) => {
        const [first, ...reply] = item.children
        const isText = first?.type === 'paragraph'
        if (!isText)
          report(item, `option ${i + 1} of quiz "${id}" is empty; write its text after the brackets`)
        if (isText && reply.length === 0)
          report(
            item,
            `option ${i + 1} of quiz "${id}" has no reply; add an indented paragraph that says why it is ${item.checked ? 'right' : 'wrong'}`,
          )
        return {
          id: String.fromCharCode(97 + i),
          text: isText ? compileAll(first.children) : [],
          right: item.checked === true,
          reply: compileAll(reply as Node[]),
        }
      }),
    }
    quizzes.push(quiz)
    return { type: 'quiz', id }
  }

  const guide: Guide = { steps: [], quizzes }
  for (const node of (parser.parse(markdown) as Root).children) {
    if (node.type === 'heading' && node.depth === 1) {
      const heading = readStepHeading(node)
      step = heading.id
      if (heading.id) {
        const before = guide.steps.find((other) => other.id === heading.id)
        if (before) report(node, `step "${heading.id}" is there twice; each step has one heading; merge them`)
        const last = guide.steps.at(-1)
        if (last && steps.indexOf(heading.id) < steps.indexOf(last.id))
          report(
            node,
            `step "${heading.id}" comes after "${last.id}"; the order is ${steps.join(', ')}; move it`,
          )
        guide.steps.push({ id: heading.id, title: heading.title, body: [] })
      }
      continue
    }
    const current = guide.steps.at(-1)
    if (!current) {
      if (step === undefined && guide.steps.length === 0)
        report(
          node,
          `text before the first step; expected a heading such as "# Title {#story}"; move it below one`,
        )
      compile(node as Node)
      continue
    }
    current.body.push(...[compile(node as Node) ?? []].flat())
  }

  function readStepHeading(node: Heading): { id?: StepId; title: string } {
    const match = /^(.*?)\s*\{#([^}]*)\}$/.exec(toString(node))
    if (!match) {
      report(
        node,
        `a step's heading carries its id; got "# ${toString(node)}"; write "# ${toString(node)} {#explore}" with one of ${steps.join(', ')}`,
      )
      return { title: toString(node) }
    }
    const [, title, id] = match
    if (!title) report(node, `step "${id}" has no title; write one before {#${id}}`)
    if ((steps as readonly string[]).includes(id!)) return { id: id as StepId, title: title! }
    report(node, `no step "${id}"${didYouMean(id!, steps)}`)
    return { title: title! }
  }

  for (const id of steps) {
    if (!guide.steps.some((step) => step.id === id))
      report(
        undefined,
        `step "${id}" is missing; add a heading "# ${stepTitles[id]} {#${id}}" where it belongs (order: ${steps.join(', ')})`,
      )
  }
  for (const checkpoint of context.checkpoints) {
    const where = placed.get(checkpoint.id)
    const write = checkpoint.accepts.includes('quiz')
      ? `:::quiz{#${checkpoint.id}}`
      : `::checkpoint{#${checkpoint.id}}`
    if (!where && misspelt.has(checkpoint.id)) continue
    if (!where)
      report(
        undefined,
        `checkpoint "${checkpoint.id}" of lab.json is nowhere in the guide; add ${write} to step "${checkpoint.step}"`,
      )
    else if (!where.has(checkpoint.step))
      report(
        undefined,
        `checkpoint "${checkpoint.id}" stands in step "${[...where].join('", "')}", but lab.json says "${checkpoint.step}"; move ${write} or change lab.json`,
      )
  }
  problems.sort((a, b) => a.line - b.line)
  return { guide, problems: problems.map(({ line, text }) => `${context.file}:${line}: ${text}`) }
}

/** A figure and its per cent, a Greek letter and what it equals: no line ends between them. */
const keptTogether = (text: string) =>
  text.replace(/(\d) %/g, '$1\u00a0%').replace(/([εασδ]) ([=/]) (?=\d)/g, '$1\u00a0$2\u00a0')

/** `[label]` of a block directive: its first child, marked by the parser; a leaf's only children. */
function labelOf(node: Directive): Node | Directive | undefined {
  if (node.type === 'leafDirective') return node.children.length > 0 ? node : undefined
  return (node.children as Node[]).find(
    (child) => child.type === 'paragraph' && child.data && 'directiveLabel' in child.data,
  )
}

const childrenOf = (node: Directive): Node[] =>
  (node.children as Node[]).filter((child) => child !== labelOf(node))
