import { createHash } from 'node:crypto'
import { Script } from 'node:vm'
import { expect, it } from 'vitest'
import text, { frameScript, frameScriptHash } from 'virtual:perturb/sandbox-runtime'
import types from 'virtual:perturb/learner-types'

it('builds the runtime as two classic scripts that need nothing else', () => {
  for (const script of [text, frameScript]) {
    expect(() => new Script(script)).not.toThrow()
    expect(script).not.toMatch(/<\/script|\bimport\s*\(|sourceMappingURL/i)
  }
  expect(text).toContain('use strict')
  expect(frameScriptHash).toBe(`sha256-${createHash('sha256').update(frameScript).digest('base64')}`)
})

it('stays small: the runtime is fetched before the first run', () => {
  expect(text.length).toBeLessThan(700_000)
  expect(frameScript.length).toBeLessThan(20_000)
})

it('declares the lab module for the editor, with its doc comments', () => {
  expect(types).toContain("declare module 'lab' {")
  expect(types).toContain('export const tf: TensorMath;')
  expect(types).toContain('Every element pulled into [low, high].')
  expect(types).not.toMatch(/export declare|^import /m)
})
