/**
 * Monaco in parts with a breath between them: what it is built of, its features, its services, and (the caller's next
 * step) the editor itself. In one go they keep the page from answering for hundreds of milliseconds. Nothing when
 * nobody waits for it any more.
 */
export async function loadMonaco(isGone: () => boolean) {
  for (const part of parts) {
    await part()
    await breath()
    if (isGone()) return undefined
  }
  const { createMonaco, warmUp } = await import('./monaco.ts')
  for (const step of warmUp) {
    await breath()
    if (isGone()) return undefined
    step()
  }
  await breath()
  return isGone() ? undefined : createMonaco
}

/** Each needs those before it, so that it brings only what they have not: inner modules of the pinned Monaco. */
const parts = [
  () => import('monaco-editor/editor/common/config/editorOptions'),
  () => import('monaco-editor/editor/common/model/textModel'),
  () => import('monaco-editor/editor/browser/view'),
  () => import('monaco-editor/editor/browser/widget/codeEditor/codeEditorWidget'),
  () => import('monaco-editor/editor/standalone/browser/standaloneServices'),
  () => import('monaco-editor/editor'),
]

/** Lets what waits have its turn: a key that was pressed, a frame. */
export const breath = () => new Promise<void>((resolve) => setTimeout(resolve))
