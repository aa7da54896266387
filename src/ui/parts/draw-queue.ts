/** Longest that drawing may take of one frame, so that a click is still heard at once. */
const frameMs = 8

const waiting = new Set<() => void>()
let frame: number | undefined

/**
 * Draws at the next frame, or at a later one when a hundred pictures want to be drawn at once. Returns a function
 * that takes the wish back, e.g. because the picture has changed meanwhile.
 */
export function drawSoon(draw: () => void): () => void {
  waiting.add(draw)
  frame ??= requestAnimationFrame(drawSome)
  return () => void waiting.delete(draw)
}

function drawSome(): void {
  const started = performance.now()
  frame = undefined
  for (const draw of waiting) {
    waiting.delete(draw)
    draw()
    if (performance.now() - started > frameMs) break
  }
  if (waiting.size > 0) frame = requestAnimationFrame(drawSome)
}
