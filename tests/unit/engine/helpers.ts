import type { BackendName, BackendReport } from '../../../src/core/backends.ts'
import type { DataSet, Split } from '../../../src/data/data-set.ts'
import type { Task } from '../../../src/grading/grader.ts'
import type { SandboxSpec } from '../../../src/labs/manifest.ts'
import * as tf from '../../../src/core/tf.ts'
import type { BackendDoor } from '../../../src/engine/workshop.ts'

/** A data set of `count` images of two numbers. */
export function tinyData(count = 5): DataSet {
  const pixels = (ids: ArrayLike<number>) =>
    Float32Array.from({ length: ids.length * 2 }, (_, i) => (ids[i >> 1]! + (i & 1) / 2) / count)
  const split: Split = {
    count,
    labels: Uint8Array.from({ length: count }, (_, i) => i % 2),
    pixels,
    images: (ids) => tf.tensor(pixels(ids), [ids.length, 2]),
  }
  return {
    name: 'tiny',
    noun: 'image',
    shape: [2] as unknown as DataSet['shape'],
    classes: ['0', '1'],
    train: split,
    test: split,
  }
}

export const tinyTask: Task = {
  victim: { model: 'tiny' },
  dataset: 'tiny',
  split: 'test',
  ids: [4, 0, 2],
  labels: [0, 0, 0],
  values: {},
}

export const everything: SandboxSpec = {
  access: ['victim', 'scores', 'decisions', 'trainer', 'data'],
  maxQueries: 1000,
  seconds: 10,
}

/** Backends that only pretend to start, and can be lost at will. */
export function pretendBackends(broken: BackendName[] = []) {
  const lostListeners: ((name: BackendName) => void)[] = []
  const started: BackendName[] = []
  const door: BackendDoor = {
    async start(name) {
      if (broken.includes(name)) throw new Error(`${name} is broken`)
      started.push(name)
    },
    async choose({ preference }): Promise<BackendReport> {
      const name = preference === 'auto' ? 'webgpu' : preference
      await door.start(name, async () => new Uint8Array())
      return { name, device: 'a pretence', why: 'chosen by you', probes: [{ name, available: true }] }
    },
    onLost(listener) {
      lostListeners.push(listener)
      return () => {}
    },
  }
  return { door, started, lose: (name: BackendName) => lostListeners.forEach((listener) => listener(name)) }
}
