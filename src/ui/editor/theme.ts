/**
 * The editor's colours, made of the design tokens that are on the page now. Monaco wants six-digit hex and
 * knows no custom properties.
 */
export type ReadToken = (name: string) => string

export interface EditorTheme {
  base: 'vs' | 'vs-dark'
  inherit: true
  rules: { token: string; foreground: string; fontStyle?: string }[]
  colors: Record<string, string>
}

export function editorTheme(read: ReadToken, dark: boolean): EditorTheme {
  const hex = (name: string) => sixDigits(read(`--${name}`))
  const rule = (token: string, name: string, fontStyle?: string) => ({
    token,
    foreground: hex(name).slice(1),
    ...(fontStyle ? { fontStyle } : {}),
  })
  return {
    base: dark ? 'vs-dark' : 'vs',
    inherit: true,
    rules: [
      rule('', 'ink'),
      rule('comment', 'ink-3', 'italic'),
      rule('keyword', 'defence', 'bold'),
      rule('string', 'pass'),
      rule('string.escape', 'pass', 'bold'),
      rule('regexp', 'pass'),
      rule('number', 'fail'),
      rule('type', 'ink', 'italic'),
      rule('identifier', 'ink'),
      rule('delimiter', 'ink-2'),
    ],
    colors: {
      'editor.background': hex('sheet'),
      'editor.foreground': hex('ink'),
      'editorLineNumber.foreground': hex('ink-3'),
      'editorLineNumber.activeForeground': hex('ink'),
      'editorCursor.foreground': hex('ink'),
      'editor.lineHighlightBackground': hex('panel'),
      'editor.lineHighlightBorder': hex('panel'),
      'editor.selectionBackground': hex('defence-wash'),
      'editor.inactiveSelectionBackground': hex('neutral-wash'),
      'editor.wordHighlightBackground': hex('neutral-wash'),
      'editor.findMatchBackground': hex('undecided-wash'),
      'editor.findMatchHighlightBackground': hex('undecided-wash'),
      'editorBracketMatch.background': hex('neutral-wash'),
      'editorBracketMatch.border': hex('edge'),
      'editorIndentGuide.background1': hex('rule'),
      'editorIndentGuide.activeBackground1': hex('edge'),
      'editorWhitespace.foreground': hex('rule'),
      'editorError.foreground': hex('fail-fill'),
      'editorWarning.foreground': hex('undecided-fill'),
      'editorInfo.foreground': hex('defence-fill'),
      'editorHint.foreground': hex('edge'),
      'editorWidget.background': hex('panel'),
      'editorWidget.foreground': hex('ink'),
      'editorWidget.border': hex('edge'),
      'editorHoverWidget.background': hex('panel'),
      'editorHoverWidget.border': hex('edge'),
      'editorSuggestWidget.background': hex('panel'),
      'editorSuggestWidget.border': hex('edge'),
      'editorSuggestWidget.foreground': hex('ink'),
      'editorSuggestWidget.selectedBackground': hex('well'),
      'editorSuggestWidget.selectedForeground': hex('ink'),
      'editorSuggestWidget.highlightForeground': hex('defence'),
      'editorSuggestWidget.focusHighlightForeground': hex('defence'),
      'list.hoverBackground': hex('neutral-wash'),
      'input.background': hex('sheet'),
      'input.foreground': hex('ink'),
      'input.border': hex('edge'),
      'quickInput.background': hex('panel'),
      'quickInput.foreground': hex('ink'),
      'menu.background': hex('panel'),
      'menu.foreground': hex('ink'),
      'menu.selectionBackground': hex('well'),
      'menu.selectionForeground': hex('ink'),
      'textLink.foreground': hex('defence'),
      'widget.shadow': '#00000033',
      focusBorder: hex('focus'),
      'scrollbarSlider.background': `${hex('edge')}66`,
      'scrollbarSlider.hoverBackground': `${hex('edge')}99`,
      'scrollbarSlider.activeBackground': hex('edge'),
    },
  }
}

/** `#abc` and `#aabbcc` to `#aabbcc`. Throws when a token is no such colour: the theme would be half made. */
export function sixDigits(colour: string): string {
  const digits = colour.trim().slice(1)
  if (/^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(colour.trim())) {
    return `#${digits.length === 3 ? [...digits].map((digit) => digit + digit).join('') : digits}`
  }
  throw new Error(`the editor's theme needs its tokens as #rgb or #rrggbb; got "${colour}"`)
}
