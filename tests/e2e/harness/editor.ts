/** The app's editor alone on a page, so that tests can look at what it tells. */
import { mount } from 'svelte'
import '../../../src/ui/theme/tokens.css'
import type { EditorProblem } from '../../../src/ui/editor/types.ts'
import Stage from './Stage.svelte'

export interface EditorHarness {
  problems: EditorProblem[]
  runs: number
  changes: [string, string][]
}

const harness: EditorHarness = { problems: [], runs: 0, changes: [] }
const query = new URLSearchParams(location.search)
mount(Stage, {
  target: document.getElementById('app')!,
  props: {
    harness,
    mode: query.get('mode') === 'textarea' ? 'textarea' : 'monaco',
    theme: query.get('theme') === 'dark' ? 'dark' : 'light',
  },
})
Object.assign(window, { harness })
