import { nextFrame } from '../parts/next-frame.ts'

/**
 * Monaco's modules in parts with a breath between them. In one go they keep the page from answering for hundreds of
 * milliseconds; `inFrames` does the same for what is done with them. Nothing when nobody waits for it any more.
 */
export async function loadMonaco(isGone: () => boolean) {
  for (const part of parts) {
    await part()
    await breath()
    if (isGone()) return undefined
  }
  return import('./monaco.ts')
}

/** One step after the other, a frame before each and after the last; false when nobody waits for it any more. */
export async function inFrames(steps: Iterable<() => void>, isGone: () => boolean): Promise<boolean> {
  for (const step of steps) {
    await nextFrame()
    if (isGone()) return false
    step()
  }
  await nextFrame()
  return !isGone()
}

/** Inner modules of the pinned Monaco, each after those it builds on, so that it brings only what they have not. */
const parts = [
  () => import('monaco-editor/editor/common/config/editorOptions'),
  () => import('monaco-editor/editor/common/core/editorColorRegistry'),
  () => import('monaco-editor/platform/contextkey/common/contextkey'),
  () => import('monaco-editor/editor/common/model/textModel'),
  () => import('monaco-editor/editor/browser/coreCommands'),
  () => import('monaco-editor/editor/browser/view'),
  () => import('monaco-editor/editor/browser/widget/codeEditor/codeEditorWidget'),
  () => import('monaco-editor/platform/hover/browser/hoverService'),
  () => import('monaco-editor/platform/list/browser/listService'),
  () => import('monaco-editor/editor/standalone/browser/standaloneServices'),
  () => import('monaco-editor/editor'),
  () => import('monaco-editor/features/hover/register'),
  () => import('monaco-editor/features/find/register'),
  () => import('monaco-editor/editor/contrib/suggest/browser/suggestController'),
  () => import('monaco-editor/languages/features/typescript/register'),
]

/** Lets what waits have its turn: a key that was pressed, a frame. */
const breath = () => new Promise<void>((resolve) => setTimeout(resolve))
