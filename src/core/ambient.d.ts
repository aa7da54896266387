/**
 * The one browser type that the trusted layers name, declared because they compile without the DOM
 * library. Values that only some realms have are reached through platform.ts.
 */
interface AbortSignal {
  readonly aborted: boolean
}
