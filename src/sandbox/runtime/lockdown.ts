/**
 * Takes from a worker's global everything but the language itself and a few harmless helpers, before the
 * learner's program is even read. The wall is the frame (opaque origin, policy, relay); this is the fence in
 * front of it, so that a program finds nothing to knock with.
 */

/** The language, and what arithmetic needs. Whatever else a browser offers, today or next year, goes. */
const kept = new Set([
  'globalThis',
  'self',
  'undefined',
  'NaN',
  'Infinity',
  'Object',
  'Function',
  'Array',
  'Number',
  'Boolean',
  'String',
  'Symbol',
  'BigInt',
  'Date',
  'RegExp',
  'Promise',
  'Proxy',
  'Reflect',
  'Math',
  'JSON',
  'Intl',
  'Iterator',
  'Map',
  'Set',
  'WeakMap',
  'WeakSet',
  'WeakRef',
  'FinalizationRegistry',
  'ArrayBuffer',
  'DataView',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float16Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Error',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
  'AggregateError',
  'parseInt',
  'parseFloat',
  'isNaN',
  'isFinite',
  'encodeURIComponent',
  'decodeURIComponent',
  'encodeURI',
  'decodeURI',
  'escape',
  'unescape',
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'queueMicrotask',
  'performance',
  'TextEncoder',
  'TextDecoder',
  'structuredClone',
  'console',
  'WebAssembly',
  'constructor',
  // Where tfjs keeps its own engine.
  '_tfengine',
  '_tfGlobals',
])

/** @param scope the worker's global; names that cannot be taken away are returned (the tests expect none). */
export function lockDown(scope: object): string[] {
  const left: string[] = []
  for (
    let holder: object | null = scope;
    holder && holder !== Object.prototype;
    holder = Object.getPrototypeOf(holder)
  ) {
    for (const key of Reflect.ownKeys(holder)) {
      if (typeof key === 'symbol' || kept.has(key)) continue
      if (!Reflect.deleteProperty(holder, key)) left.push(key)
    }
  }
  return left
}
