/**
 * The only door to TensorFlow.js. Functional ops only: nothing here installs chained methods, so
 * `x.add(y)` does not exist and `add(x, y)` does. Gradients are registered as a side effect.
 * Arguments are borrowed, return values are the caller's to dispose.
 */
import '@tensorflow/tfjs-core/dist/register_all_gradients.js'

export * from '@tensorflow/tfjs-core'
