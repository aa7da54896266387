import { describe, expect, it } from 'vitest'
import { diagnose, reportText, rungOf, type Facts } from '../../../src/app/doctor.ts'

const facts = (change: Partial<Facts> = {}): Facts => ({
  protocol: 'https:',
  hostname: 'labs.example.org',
  framed: false,
  secure: true,
  webgpu: { api: true, adapter: 'Apple M2', fallback: false },
  webgl: { version: 2, float: true, device: 'Apple M2' },
  wasm: { available: true, simd: true },
  workers: true,
  storage: { indexedDB: true, persisted: true },
  serviceWorker: 'none',
  cores: 8,
  agent: 'test',
  ...change,
})
const finding = (name: string, change: Partial<Facts>) =>
  diagnose(facts(change)).find((one) => one.name.startsWith(name))!

describe('the doctor', () => {
  it('tells the five rungs, and a page opened from disk', () => {
    expect(rungOf(facts()).number).toBe(1)
    expect(rungOf(facts({ protocol: 'http:', hostname: 'localhost' })).number).toBe(2)
    expect(rungOf(facts({ protocol: 'http:', hostname: '127.0.0.1' })).number).toBe(2)
    for (const hostname of ['192.168.1.20', '10.0.0.4', '172.20.1.1', 'teacher.local', 'classroom'])
      expect(rungOf(facts({ hostname })).number).toBe(3)
    expect(rungOf(facts({ protocol: 'http:', hostname: '192.168.1.20', secure: false })).number).toBe(4)
    expect(rungOf(facts({ framed: true })).number).toBe(5)
    expect(rungOf(facts({ protocol: 'file:', hostname: '' })).number).toBe(0)
  })

  it('does not claim offline use that is not there', () => {
    expect(rungOf(facts()).works).toMatch(/but working offline/)
    expect(rungOf(facts({ serviceWorker: 'controls' })).works).toMatch(/without a network/)
  })

  it('blames the address and not the graphics card on plain http', () => {
    const found = finding('WebGPU', { secure: false, protocol: 'http:', webgpu: { api: false } })
    expect(found.found).toMatch(/address is not secure/)
    expect(found.next).toMatch(/https/)
    expect(finding('WebGPU', { webgpu: { api: false } }).found).toMatch(/this browser has none/)
  })

  it('calls software adapters and renderers what they are', () => {
    expect(
      finding('WebGPU', { webgpu: { api: true, adapter: 'google swiftshader', fallback: true } }).state,
    ).toBe('limited')
    expect(
      finding('WebGL', { webgl: { version: 2, float: true, device: 'ANGLE (SwiftShader)' } }).state,
    ).toBe('limited')
    expect(finding('WebGL', { webgl: { version: 2, float: false } }).state).toBe('missing')
    expect(finding('WebGL', {}).state).toBe('works')
  })

  it('says what to do about everything that is missing', () => {
    const bare = facts({
      secure: false,
      webgpu: { api: false },
      wasm: { available: false, simd: false },
      workers: false,
      storage: { indexedDB: false, problem: 'SecurityError' },
    })
    for (const one of diagnose(bare))
      if (one.state === 'missing' && !one.name.startsWith('WebGL')) expect(one.next, one.name).toBeTruthy()
    expect(reportText(bare, undefined, '1.2.3', new Date(0))).toMatch(
      /Perturb 1\.2\.3[\s\S]*Backend: not started[\s\S]*Saved work: missing/,
    )
  })
})
