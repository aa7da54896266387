import type { GrowthLine } from './page.ts'

/** The straight line of least relative error through the points, and the worst point's distance from it. */
export function straightLine(points: [number, number][]): { base: number; slope: number; off: number } {
  // Weighted by 1/y², so that the small sizes count as much as the large ones.
  let [w, wx, wy, wxx, wxy] = [0, 0, 0, 0, 0]
  for (const [x, y] of points) {
    const weight = 1 / (y * y)
    w += weight
    wx += weight * x
    wy += weight * y
    wxx += weight * x * x
    wxy += weight * x * y
  }
  const slope = (w * wxy - wx * wy) / (w * wxx - wx * wx)
  const base = (wy - slope * wx) / w
  const off = Math.max(...points.map(([x, y]) => Math.abs(base + slope * x - y) / y))
  return { base, slope, off }
}

const [width, height] = [360, 210]
const frame = { left: 52, right: 14, top: 34, bottom: 36 }

/** Four small plots, points over the straight line through them; readable on light and dark paper. */
export function growthPlot(lines: GrowthLine[]): string {
  const columns = 2
  const rows = Math.ceil(lines.length / columns)
  const panels = lines.map((line, i) => {
    const [x, y] = [(i % columns) * width, Math.floor(i / columns) * height]
    return `<g transform="translate(${x} ${y})">${panel(line)}</g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${columns * width} ${rows * height}" width="${columns * width}" height="${rows * height}" font-family="system-ui, sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
${panels.join('\n')}
</svg>
`
}

function panel({ title, unit, points }: GrowthLine): string {
  const { base, slope, off } = straightLine(points)
  const xMax = Math.max(...points.map(([size]) => size))
  const yMax = Math.max(...points.map(([, ms]) => ms)) * 1.08
  const x = (size: number) => round(frame.left + (size / xMax) * (width - frame.left - frame.right))
  const y = (ms: number) => round(height - frame.bottom - (ms / yMax) * (height - frame.top - frame.bottom))
  const foot = height - frame.bottom
  const ticks = [0, yMax / 2.16, yMax / 1.08]
  return [
    `<text x="${frame.left}" y="16" font-weight="600" fill="#1b1d22">${title}</text>`,
    `<text x="${frame.left}" y="29" fill="#5b606b">at most ${(off * 100).toFixed(0)} % off the line</text>`,
    ...ticks.map(
      (ms) =>
        `<path d="M${frame.left} ${y(ms)}H${width - frame.right}" stroke="#e3e5ea"/><text x="${frame.left - 6}" y="${y(ms) + 4}" text-anchor="end" fill="#5b606b">${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)}</text>`,
    ),
    `<text x="8" y="${(frame.top + foot) / 2}" fill="#5b606b" transform="rotate(-90 12 ${(frame.top + foot) / 2})" text-anchor="middle">ms</text>`,
    `<path d="M${x(0)} ${y(Math.max(0, base))}L${x(xMax)} ${y(base + slope * xMax)}" stroke="#9aa0ac" stroke-dasharray="4 3" fill="none"/>`,
    ...points.map(([size, ms]) => `<circle cx="${x(size)}" cy="${y(ms)}" r="3.5" fill="#b4461f"/>`),
    ...points
      .filter(([size], i) => i === points.length - 1 || size / xMax > 0.12)
      .map(
        ([size]) =>
          `<text x="${x(size)}" y="${foot + 14}" text-anchor="middle" fill="#5b606b">${size}</text>`,
      ),
    `<text x="${(frame.left + width - frame.right) / 2}" y="${foot + 29}" text-anchor="middle" fill="#5b606b">${unit}</text>`,
  ].join('\n')
}

const round = (value: number) => Math.round(value * 10) / 10
