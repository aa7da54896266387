/**
 * Losses an attack may climb. Data, so that the same request crosses the sandbox port.
 * - cross-entropy: −log softmax(z)[y].
 * - margin: max_{i≠y} z_i − z_y (positive once misread); Carlini & Wagner 2017, §V.A, f6 without the hinge.
 * - dlr: difference of logits ratio, Croce & Hein 2020, eq. 6 (targeted: eq. 7).
 */
export type LossSpec =
  | { readonly kind: 'cross-entropy' }
  | { readonly kind: 'margin' }
  | { readonly kind: 'dlr'; readonly targets?: ArrayLike<number> }

export const crossEntropy: LossSpec = { kind: 'cross-entropy' }
