/**
 * Done when the page has drawn a frame, in a task after it; or after a moment where none is drawn, as in a tab behind
 * others. Between two pieces of work it lets the page answer, and what the first has changed is laid out apart from
 * the second.
 */
export const nextFrame = () =>
  new Promise<void>((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve))
    setTimeout(resolve, 100)
  })
