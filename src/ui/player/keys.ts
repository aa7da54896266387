/** The key map of the player, in one place: the dialog lists it and the page obeys it. */
export type KeyAction =
  | 'run'
  | 'cancel'
  | 'back'
  | 'next'
  | 'explore'
  | 'code'
  | 'evidence'
  | 'hint'
  | 'gallery'
  | 'table'
  | 'seed'
  | 'keys'

export interface KeyLine {
  keys: string[]
  does: string
  action?: KeyAction
  /** A single letter: off inside inputs and the editor, and by setting. */
  letter?: string
}

export const keyMap: readonly KeyLine[] = [
  { keys: ['Ctrl', 'Enter'], does: 'Run (on a Mac also ⌘ Enter)', action: 'run' },
  { keys: ['Esc'], does: 'Cancel what runs; then leave the editor', action: 'cancel' },
  { keys: ['['], does: 'Step back', action: 'back', letter: '[' },
  { keys: [']'], does: 'Step forward', action: 'next', letter: ']' },
  { keys: ['1'], does: 'Explore', action: 'explore', letter: '1' },
  { keys: ['2'], does: 'Code', action: 'code', letter: '2' },
  { keys: ['3'], does: 'Evidence', action: 'evidence', letter: '3' },
  { keys: ['H'], does: 'Next hint', action: 'hint', letter: 'h' },
  { keys: ['G'], does: 'Gallery; arrows move, Enter inspects', action: 'gallery', letter: 'g' },
  { keys: ['T'], does: 'Charts as tables', action: 'table', letter: 't' },
  { keys: ['S'], does: 'Seed', action: 'seed', letter: 's' },
  { keys: ['?'], does: 'This list', action: 'keys', letter: '?' },
  { keys: ['Ctrl', 'M'], does: 'In the editor: let Tab move on (on a Mac Ctrl ⇧ M)' },
]

export interface KeyPress {
  key: string
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  /** The event stands in an input, a list box or the editor. */
  typing: boolean
}

/** What a key press asks for; undefined when it is none of ours. */
export function actionOf(press: KeyPress, lettersOn: boolean): KeyAction | undefined {
  if (press.key === 'Enter' && (press.ctrlKey || press.metaKey)) return 'run'
  if (press.key === 'Escape') return 'cancel'
  if (!lettersOn || press.typing || press.ctrlKey || press.metaKey || press.altKey) return undefined
  return keyMap.find(({ letter }) => letter === press.key.toLowerCase())?.action
}

/** Is the learner typing here? Sliders and buttons are not typing. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target.closest('.monaco-editor, [data-editor]')) return true
  if (target instanceof HTMLInputElement)
    return !['range', 'checkbox', 'radio', 'button'].includes(target.type)
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
}
