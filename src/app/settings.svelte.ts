import type { BackendName } from '../core/backends.ts'

export interface SettingsData {
  theme: 'auto' | 'light' | 'dark'
  backend: BackendName | 'auto'
  motion: 'auto' | 'less'
  /** Single letters as shortcuts ([ ] H G T S ?); always off inside inputs and the editor. */
  shortcuts: boolean
  /** `auto`: the full editor on wide screens, a plain text area on narrow ones. */
  editor: 'auto' | 'full' | 'plain'
  /** Tab moves focus out of the full editor instead of indenting. */
  tabLeavesEditor: boolean
  /** Name or number written into exported evidence; may be empty. */
  learner: string
}

export const defaultSettings: SettingsData = {
  theme: 'auto',
  backend: 'auto',
  motion: 'auto',
  shortcuts: true,
  editor: 'auto',
  tabLeavesEditor: false,
  learner: '',
}

type Choices = Omit<SettingsData, 'learner'>
const allowed: { [K in keyof Choices]: readonly Choices[K][] } = {
  theme: ['auto', 'light', 'dark'],
  backend: ['auto', 'webgpu', 'webgl', 'wasm', 'cpu'],
  motion: ['auto', 'less'],
  shortcuts: [true, false],
  editor: ['auto', 'full', 'plain'],
  tabLeavesEditor: [true, false],
}

/** Also read by static/theme.js before the first paint. */
const key = 'perturb.settings'

/** Whatever was stored, as settings: unknown keys are dropped, values that are not allowed fall back. */
export function readSettings(stored: string | null): SettingsData {
  const settings = { ...defaultSettings }
  let found: unknown
  try {
    found = JSON.parse(stored ?? '{}')
  } catch {
    return settings
  }
  if (typeof found !== 'object' || found === null) return settings
  const own = (name: string): unknown =>
    Object.hasOwn(found, name) ? (found as Record<string, unknown>)[name] : undefined
  const learner = own('learner')
  if (typeof learner === 'string') settings.learner = learner.slice(0, 80)
  for (const name of Object.keys(allowed) as (keyof Choices)[]) {
    const value = own(name)
    if ((allowed[name] as readonly unknown[]).includes(value)) Object.assign(settings, { [name]: value })
  }
  return settings
}

type Box = Pick<Storage, 'getItem' | 'setItem'>

/** What the settings need of the page; a test hands in its own. */
export interface SettingsPlace {
  storage: () => Box
  prefersDark: boolean
  onPrefersDark: (tell: (dark: boolean) => void) => void
  root: { dataset: Record<string, string | undefined> } | undefined
}

/** The learner's choices on this machine. Kept in localStorage; where that is denied, for this visit. */
export class Settings {
  #data = $state<SettingsData>({ ...defaultSettings })
  #prefersDark = $state(false)
  /** False when the browser denies storage: choices then last until the page closes. */
  kept = $state(true)
  readonly dark = $derived(this.#data.theme === 'auto' ? this.#prefersDark : this.#data.theme === 'dark')
  readonly #place: SettingsPlace

  constructor(place: SettingsPlace) {
    this.#place = place
    this.#prefersDark = place.prefersDark
    place.onPrefersDark((dark) => {
      this.#prefersDark = dark
      this.#apply()
    })
    try {
      this.#data = readSettings(place.storage().getItem(key))
    } catch {
      this.kept = false
    }
    this.#apply()
  }

  get theme() {
    return this.#data.theme
  }
  get backend() {
    return this.#data.backend
  }
  get motion() {
    return this.#data.motion
  }
  get shortcuts() {
    return this.#data.shortcuts
  }
  get editor() {
    return this.#data.editor
  }
  get tabLeavesEditor() {
    return this.#data.tabLeavesEditor
  }
  get learner() {
    return this.#data.learner
  }

  set(change: Partial<SettingsData>): void {
    this.#data = readSettings(JSON.stringify({ ...this.#data, ...change }))
    try {
      this.#place.storage().setItem(key, JSON.stringify(this.#data))
      this.kept = true
    } catch {
      this.kept = false
    }
    this.#apply()
  }

  toggleTheme(): void {
    this.set({ theme: this.dark ? 'light' : 'dark' })
  }

  #apply() {
    const root = this.#place.root
    if (!root) return
    root.dataset.theme = this.dark ? 'dark' : 'light'
    root.dataset.motion = this.#data.motion
  }
}

function thisPage(): SettingsPlace {
  const query = typeof matchMedia === 'function' ? matchMedia('(prefers-color-scheme: dark)') : undefined
  return {
    storage: () => localStorage,
    prefersDark: query?.matches ?? false,
    onPrefersDark: (tell) => query?.addEventListener('change', (event) => tell(event.matches)),
    root: typeof document === 'undefined' ? undefined : document.documentElement,
  }
}

export const settings = new Settings(thisPage())
