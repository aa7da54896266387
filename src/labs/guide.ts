import type { StepId } from './manifest.ts'

/**
 * A compiled guide: what the Vite plugin makes of guide.md (src/build/guide-plugin.ts), plain JSON.
 * A step begins with a level-1 heading that carries its id: `# Title {#explore}`.
 */
export interface Guide {
  steps: { id: StepId; title: string; body: GuideNode[] }[]
  /** Every quiz of the guide, with its answers, for the grader. */
  quizzes: Quiz[]
}

export interface Quiz {
  id: string
  checkpoint?: string
  question: GuideNode[]
  multiple: boolean
  options: { id: string; text: GuideNode[]; right: boolean; reply: GuideNode[] }[]
}

export type GuideNode =
  | { type: 'text'; value: string }
  | {
      type:
        'paragraph' | 'emphasis' | 'strong' | 'blockquote' | 'tableRow' | 'tableCell' | 'table' | 'listItem'
      children: GuideNode[]
    }
  | { type: 'heading'; depth: 2 | 3 | 4; children: GuideNode[] }
  | { type: 'list'; ordered: boolean; children: GuideNode[] }
  | { type: 'code'; lang: string; value: string }
  | { type: 'inlineCode'; value: string }
  /** mathml is made at build time; `text` is the source for screen readers and search. */
  | { type: 'math' | 'inlineMath'; mathml: string; text: string }
  | { type: 'link'; url: string; children: GuideNode[] }
  | { type: 'break' | 'rule' }
  /** :term[white-box]: the glossary's sentence is inlined at build time. */
  | { type: 'term'; text: string; definition: string }
  /** ::widget{kind=… …}: kind is a file in src/ui/widgets/. */
  | { type: 'widget'; kind: string; props: Record<string, string> }
  /** ::run{file=…}: a button that opens that file in the editor and runs it. */
  | { type: 'run'; file: string }
  | { type: 'checkpoint'; id: string }
  | { type: 'hint'; for: string; children: GuideNode[] }
  | { type: 'quiz'; id: string }
  | { type: 'defend'; children: GuideNode[] }
  /** :::solution{after=id}: shown once that checkpoint is passed, or on request (recorded). */
  | { type: 'solution'; after: string; children: GuideNode[] }
