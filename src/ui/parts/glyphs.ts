/** One stroke or fill of a glyph, on a 16 × 16 grid. */
interface Shape {
  d: string
  evenOdd?: boolean
  /** Drawn as a line of this width instead of filled. */
  stroke?: number
  dash?: string
}

/** Verdict glyphs differ in silhouette, not only in colour: disc, square, half disc, octagon, dashed ring. */
export const glyphs = {
  passed: [
    {
      d: 'M8 0a8 8 0 110 16A8 8 0 018 0zm4.3 5.2L10.9 4 6.9 8.9 5 7.1 3.8 8.5l3.3 3.2z',
      evenOdd: true,
    },
  ],
  failed: [
    {
      d: 'M1 1h14v14H1zm3 4l3 3-3 3 1.1 1.1 3-3 3 3 1.1-1.1-3-3 3-3-1.1-1.1-3 3-3-3z',
      evenOdd: true,
    },
  ],
  undecided: [{ d: 'M8 .5A7.5 7.5 0 108 15.5 7.5 7.5 0 008 .5zm0 1.6v11.8A5.9 5.9 0 018 2.1z' }],
  rejected: [{ d: 'M4.7 0h6.6L16 4.7v6.6L11.3 16H4.7L0 11.3V4.7zM3 6.8v2.4h10V6.8z', evenOdd: true }],
  unavailable: [
    { d: 'M8 1.2a6.8 6.8 0 110 13.6A6.8 6.8 0 018 1.2z', stroke: 1.6, dash: '3 2.2' },
    { d: 'M4.5 7.2h7v1.6h-7z' },
  ],
  play: [{ d: 'M3 1.5v13l11-6.5z' }],
  stop: [{ d: 'M3 3h10v10H3z' }],
  moon: [{ d: 'M6 1a7 7 0 109 9A6 6 0 016 1z' }],
  sun: [
    { d: 'M8 4.6a3.4 3.4 0 110 6.8 3.4 3.4 0 010-6.8z' },
    {
      d: 'M8 .8v2M8 13.2v2M.8 8h2M13.2 8h2M2.9 2.9l1.4 1.4M11.7 11.7l1.4 1.4M2.9 13.1l1.4-1.4M11.7 4.3l1.4-1.4',
      stroke: 1.6,
    },
  ],
  lock: [
    {
      d: 'M4 7V5a4 4 0 018 0v2h1v8H3V7zm1.8 0h4.4V5a2.2 2.2 0 00-4.4 0z',
      evenOdd: true,
    },
  ],
  close: [{ d: 'M3.5 3.5l9 9M12.5 3.5l-9 9', stroke: 1.8 }],
  back: [{ d: 'M10.5 2.5L5 8l5.5 5.5', stroke: 1.8 }],
  next: [{ d: 'M5.5 2.5L11 8l-5.5 5.5', stroke: 1.8 }],
  download: [{ d: 'M8 1.5v8.5M4.2 6.6L8 10.4l3.8-3.8M2 14h12', stroke: 1.8 }],
  upload: [{ d: 'M8 11V2.4M4.2 5.6L8 1.8l3.8 3.8M2 14h12', stroke: 1.8 }],
  copy: [{ d: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3', stroke: 1.5 }],
  reset: [{ d: 'M3 8a5 5 0 105-5H4.5M7 .6L4.4 3 7 5.5', stroke: 1.6 }],
  warning: [{ d: 'M8 .8L15.6 15H.4zM7.2 6v4.4h1.6V6zm0 5.6v1.7h1.6v-1.7z', evenOdd: true }],
  info: [{ d: 'M8 0a8 8 0 110 16A8 8 0 018 0zM7.1 3.4v1.9h1.8V3.4zm0 3.2v6h1.8v-6z', evenOdd: true }],
  menu: [{ d: 'M2 4h12M2 8h12M2 12h12', stroke: 1.8 }],
} satisfies Record<string, readonly Shape[]>

export type GlyphName = keyof typeof glyphs
export const shapesOf = (name: GlyphName): readonly Shape[] => glyphs[name]
