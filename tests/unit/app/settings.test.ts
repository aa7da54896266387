import { describe, expect, it } from 'vitest'
import {
  defaultSettings,
  readSettings,
  Settings,
  type SettingsPlace,
} from '../../../src/app/settings.svelte.ts'

function place(stored: string | null = null, denied = false) {
  const kept = { value: stored }
  const root = { dataset: {} as Record<string, string | undefined> }
  let tell: (dark: boolean) => void = () => undefined
  const here: SettingsPlace = {
    storage: () => {
      if (denied) throw new DOMException('denied', 'SecurityError')
      return { getItem: () => kept.value, setItem: (_, value) => void (kept.value = value) }
    },
    prefersDark: false,
    onPrefersDark: (listener) => (tell = listener),
    root,
  }
  return { here, kept, root, turn: (dark: boolean) => tell(dark) }
}

describe('settings', () => {
  it('take what was stored and drop what cannot be', () => {
    expect(readSettings(null)).toEqual(defaultSettings)
    expect(readSettings('{not json')).toEqual(defaultSettings)
    expect(readSettings('[1]')).toEqual(defaultSettings)
    expect(readSettings('null')).toEqual(defaultSettings)
    expect(readSettings('{"theme":"dark","backend":"abacus","shortcuts":"no","evil":1}')).toEqual({
      ...defaultSettings,
      theme: 'dark',
    })
    expect(readSettings('{"__proto__":{"theme":"dark"}}').theme).toBe('auto')
    expect(readSettings(JSON.stringify({ learner: 'x'.repeat(500) })).learner).toHaveLength(80)
  })

  it('are kept for the next visit', () => {
    const { here, kept } = place()
    new Settings(here).set({ backend: 'wasm', editor: 'plain', learner: 'Ada' })
    const later = new Settings(place(kept.value).here)
    expect([later.backend, later.editor, later.learner]).toEqual(['wasm', 'plain', 'Ada'])
  })

  it('last for the visit where storage is denied, and say so', () => {
    const { here, root } = place(null, true)
    const settings = new Settings(here)
    settings.set({ theme: 'dark' })
    expect(settings.theme).toBe('dark')
    expect(root.dataset.theme).toBe('dark')
    expect(settings.kept).toBe(false)
  })

  it('follow the system only while nothing else was chosen', () => {
    const { here, root, turn } = place()
    const settings = new Settings(here)
    expect(root.dataset.theme).toBe('light')
    turn(true)
    expect(root.dataset.theme).toBe('dark')
    settings.toggleTheme()
    expect(settings.theme).toBe('light')
    turn(true)
    expect(root.dataset.theme).toBe('light')
  })
})
