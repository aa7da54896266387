/**
 * Monaco in three parts with a breath between them: its core, its features, and (the caller's next step) the editor
 * itself. In one go they keep the page from answering for hundreds of milliseconds. Nothing when nobody waits for it any more.
 */
export async function loadMonaco(isGone: () => boolean) {
  await import('monaco-editor/editor')
  await breath()
  if (isGone()) return undefined
  const { createMonaco } = await import('./monaco.ts')
  await breath()
  return isGone() ? undefined : createMonaco
}

/** Lets what waits have its turn: a key that was pressed, a frame. */
const breath = () => new Promise<void>((resolve) => setTimeout(resolve))
