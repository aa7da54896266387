/** Longest that one turn of drawing may take, so that a click is still heard at once. */
const turnMs = 8

const waiting = new Set<() => void>()
let turn: ReturnType<typeof setTimeout> | undefined

/**
 * Draws in a task of its own, or in several when a hundred pictures want to be drawn at once; not in a frame's task,
 * which has the page to lay out. Returns a function that takes the wish back, e.g. because the picture has changed
 * meanwhile.
 */
export function drawSoon(draw: () => void): () => void {
  waiting.add(draw)
  turn ??= setTimeout(drawSome)
  return () => void waiting.delete(draw)
}

function drawSome(): void {
  const started = performance.now()
  turn = undefined
  for (const draw of waiting) {
    waiting.delete(draw)
    draw()
    if (performance.now() - started > turnMs) break
  }
  if (waiting.size > 0) turn = setTimeout(drawSome)
}
