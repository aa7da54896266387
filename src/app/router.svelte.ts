/** Where the learner is. Hash routes work on any static host, in any folder, and inside an LMS frame. */
export type Route =
  | { page: 'home' }
  | { page: 'lab'; slug: string; step?: string }
  | { page: 'settings' }
  | { page: 'doctor' }
  | { page: 'licences' }
  | { page: 'unknown'; asked: string }

export type PageName = Route['page']

/** `#/lab/evasion-fgsm?step=explore` and its like. Never throws: what it does not know is `unknown`. */
export function parseRoute(hash: string): Route {
  const text = hash.replace(/^#/, '')
  const [path = '', query = ''] = text.split('?', 2)
  const parts = path.split('/').filter(Boolean).map(decode)
  const [page, slug] = parts
  if (page === undefined) return { page: 'home' }
  if (page === 'lab' && slug !== undefined && parts.length === 2) {
    const step = new URLSearchParams(query).get('step') ?? undefined
    return step ? { page: 'lab', slug, step } : { page: 'lab', slug }
  }
  if ((page === 'settings' || page === 'doctor' || page === 'licences') && parts.length === 1) return { page }
  return { page: 'unknown', asked: text }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** The address of a lab, at a step of it. */
export function labHref(slug: string, step?: string): string {
  const query = step ? `?step=${encodeURIComponent(step)}` : ''
  return `#/lab/${encodeURIComponent(slug)}${query}`
}

/** Two routes are one page when only the step differs: focus and scroll then stay where they are. */
export function pageKey(route: Route): string {
  return route.page === 'lab'
    ? `lab/${route.slug}`
    : route.page === 'unknown'
      ? `unknown/${route.asked}`
      : route.page
}

/** Follows the address bar. */
export class Router {
  route = $state.raw<Route>({ page: 'home' })
  readonly key = $derived(pageKey(this.route))

  constructor() {
    this.route = parseRoute(location.hash)
  }

  /** Starts listening; returns the clean-up. */
  listen(): () => void {
    const follow = () => {
      // `#map` and the like are places on the page, not pages.
      if (location.hash === '' || location.hash.startsWith('#/')) this.route = parseRoute(location.hash)
    }
    addEventListener('hashchange', follow)
    follow()
    return () => removeEventListener('hashchange', follow)
  }
}
