/**
 * Kernels in AssemblyScript over tfjs' own WASM heap, which is this module's memory: an address is what
 * tfjs calls a memory offset. Nothing here allocates; callers hand in scratch.
 *
 * Both convolution gradients see a filter as a list of vectors of four floats. A row of the filter lies as
 * kernelWidth · inChannels floats in a row of the (padded) image, so row i's vector k is at i · imageRow + 16 k
 * bytes from the window's corner; `taps` lists these offsets, ten at a time. The last vector of a row may reach
 * into what lies behind it: weights are zero there, and sums gathered there are thrown away. Sums go through
 * the elements of dy that are not zero: after pooling and relu at most one in four is.
 */

/** Vectors that stay in registers; lists of taps are filled up to a multiple. */
const BLOCK: usize = 10

/**
 * Sums of products for the filter's gradient. image: padded, one image of imageBytes after another; dy: (n, pixels
 * of outHeight × outWidth, channels); sums: (channels, vectors) × 16 bytes, zeroed here; list: scratch of
 * outHeight · outWidth + 1 entries of 8 bytes.
 */
export function filterGradient(
  image: usize, imageBytes: usize, dy: usize, n: i32, outHeight: i32, outWidth: i32, channels: i32,
  rowStep: usize, columnStep: usize, taps: usize, vectors: usize, sums: usize, list: usize,
): void {
  memory.fill(sums, 0, <usize>channels * vectors * 16)
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < channels; c++) {
      let at = dy + <usize>c * 4
      let end = list
      for (let row = 0; row < outHeight; row++) {
        let corner = <usize>row * rowStep
        for (let column = 0; column < outWidth; column++, at += <usize>channels * 4, corner += columnStep) {
          // Every element is written and only those that are not zero stay: a branch would be guessed wrong.
          const value = load<f32>(at)
          store<u32>(end, <u32>corner)
          store<f32>(end, value, 4)
          end += <usize>(value != 0) << 3
        }
      }
      if (end == list) continue
      for (let v: usize = 0; v < vectors; v += BLOCK) {
        gather(image, list, end, taps + v * 4, sums + (<usize>c * vectors + v) * 16)
      }
    }
    dy += <usize>(outHeight * outWidth * channels) * 4
    image += imageBytes
  }
}

/** Adds to ten sums the value of each entry times the ten vectors at its corner. */
function gather(image: usize, entry: usize, end: usize, taps: usize, sums: usize): void {
  const t0 = image + load<u32>(taps), t1 = image + load<u32>(taps, 4), t2 = image + load<u32>(taps, 8)
  const t3 = image + load<u32>(taps, 12), t4 = image + load<u32>(taps, 16), t5 = image + load<u32>(taps, 20)
  const t6 = image + load<u32>(taps, 24), t7 = image + load<u32>(taps, 28), t8 = image + load<u32>(taps, 32)
  const t9 = image + load<u32>(taps, 36)
  let s0 = v128.load(sums), s1 = v128.load(sums, 16), s2 = v128.load(sums, 32), s3 = v128.load(sums, 48)
  let s4 = v128.load(sums, 64), s5 = v128.load(sums, 80), s6 = v128.load(sums, 96), s7 = v128.load(sums, 112)
  let s8 = v128.load(sums, 128), s9 = v128.load(sums, 144)
  for (; entry < end; entry += 8) {
    const corner = <usize>load<u32>(entry)
    const value = v128.load32_splat(entry, 4)
    s0 = f32x4.add(s0, f32x4.mul(value, v128.load(t0 + corner)))
    s1 = f32x4.add(s1, f32x4.mul(value, v128.load(t1 + corner)))
    s2 = f32x4.add(s2, f32x4.mul(value, v128.load(t2 + corner)))
    s3 = f32x4.add(s3, f32x4.mul(value, v128.load(t3 + corner)))
    s4 = f32x4.add(s4, f32x4.mul(value, v128.load(t4 + corner)))
    s5 = f32x4.add(s5, f32x4.mul(value, v128.load(t5 + corner)))
    s6 = f32x4.add(s6, f32x4.mul(value, v128.load(t6 + corner)))
    s7 = f32x4.add(s7, f32x4.mul(value, v128.load(t7 + corner)))
    s8 = f32x4.add(s8, f32x4.mul(value, v128.load(t8 + corner)))
    s9 = f32x4.add(s9, f32x4.mul(value, v128.load(t9 + corner)))
  }
  v128.store(sums, s0)
  v128.store(sums, s1, 16)
  v128.store(sums, s2, 32)
  v128.store(sums, s3, 48)
  v128.store(sums, s4, 64)
  v128.store(sums, s5, 80)
  v128.store(sums, s6, 96)
  v128.store(sums, s7, 112)
  v128.store(sums, s8, 128)
  v128.store(sums, s9, 144)
}

/**
 * The input's gradient. filter: (channels, vectors) × 16 bytes; image: scratch for one padded image of
 * imageBytes; dx: (n, height, width, inChannels), of which row r begins in the image at first + r · imageRow;
 * list: scratch of channels + 1 entries of 8 bytes.
 */
export function inputGradient(
  dy: usize, filter: usize, dx: usize, n: i32, outHeight: i32, outWidth: i32, channels: i32,
  rowStep: usize, columnStep: usize, taps: usize, vectors: usize, image: usize, imageBytes: usize,
  first: usize, imageRow: usize, height: i32, rowBytes: usize, list: usize,
): void {
  for (let i = 0; i < n; i++) {
    memory.fill(image, 0, imageBytes)
    for (let row = 0; row < outHeight; row++) {
      let corner = image + <usize>row * rowStep
      for (let column = 0; column < outWidth; column++) {
        let end = list
        for (let c = 0; c < channels; c++) {
          const value = load<f32>(dy)
          dy += 4
          store<u32>(end, <u32>(filter + <usize>c * vectors * 16))
          store<f32>(end, value, 4)
          end += <usize>(value != 0) << 3
        }
        if (end != list) {
          for (let v: usize = 0; v < vectors; v += BLOCK) spread(corner, list, end, taps + v * 4, v * 16)
        }
        corner += columnStep
      }
    }
    for (let row = 0, from = image + first; row < height; row++, from += imageRow, dx += rowBytes) {
      memory.copy(dx, from, rowBytes)
    }
  }
}

/** Adds to ten vectors of the window each entry's value times its filter's ten vectors. */
function spread(corner: usize, entry: usize, end: usize, taps: usize, offset: usize): void {
  const t0 = corner + load<u32>(taps), t1 = corner + load<u32>(taps, 4), t2 = corner + load<u32>(taps, 8)
  const t3 = corner + load<u32>(taps, 12), t4 = corner + load<u32>(taps, 16), t5 = corner + load<u32>(taps, 20)
  const t6 = corner + load<u32>(taps, 24), t7 = corner + load<u32>(taps, 28), t8 = corner + load<u32>(taps, 32)
  const t9 = corner + load<u32>(taps, 36)
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0, s8 = s0, s9 = s0
  for (; entry < end; entry += 8) {
    const weights = <usize>load<u32>(entry) + offset
    const value = v128.load32_splat(entry, 4)
    s0 = f32x4.add(s0, f32x4.mul(value, v128.load(weights)))
    s1 = f32x4.add(s1, f32x4.mul(value, v128.load(weights, 16)))
    s2 = f32x4.add(s2, f32x4.mul(value, v128.load(weights, 32)))
    s3 = f32x4.add(s3, f32x4.mul(value, v128.load(weights, 48)))
    s4 = f32x4.add(s4, f32x4.mul(value, v128.load(weights, 64)))
    s5 = f32x4.add(s5, f32x4.mul(value, v128.load(weights, 80)))
    s6 = f32x4.add(s6, f32x4.mul(value, v128.load(weights, 96)))
    s7 = f32x4.add(s7, f32x4.mul(value, v128.load(weights, 112)))
    s8 = f32x4.add(s8, f32x4.mul(value, v128.load(weights, 128)))
    s9 = f32x4.add(s9, f32x4.mul(value, v128.load(weights, 144)))
  }
  // In order: taps of one window may overlap where a row's last vector reaches into the next column.
  v128.store(t0, f32x4.add(v128.load(t0), s0))
  v128.store(t1, f32x4.add(v128.load(t1), s1))
  v128.store(t2, f32x4.add(v128.load(t2), s2))
  v128.store(t3, f32x4.add(v128.load(t3), s3))
  v128.store(t4, f32x4.add(v128.load(t4), s4))
  v128.store(t5, f32x4.add(v128.load(t5), s5))
  v128.store(t6, f32x4.add(v128.load(t6), s6))
  v128.store(t7, f32x4.add(v128.load(t7), s7))
  v128.store(t8, f32x4.add(v128.load(t8), s8))
  v128.store(t9, f32x4.add(v128.load(t9), s9))
}

/** Copies (n, height, width · channels) into the middle of zeroed images. */
export function padImages(
  from: usize, to: usize, n: i32, height: i32, rowBytes: usize, imageRow: usize, imageBytes: usize, first: usize,
): void {
  memory.fill(to, 0, <usize>n * imageBytes)
  for (let i = 0; i < n; i++, to += imageBytes) {
    for (let row = 0, at = to + first; row < height; row++, at += imageRow, from += rowBytes) {
      memory.copy(at, from, rowBytes)
    }
  }
}

/**
 * A convolution of few input channels: out (n, outHeight, outWidth, 4 · groups) gets its bias and the products,
 * and is cut at zero when `relu` is 1. filter: for each group of four output channels the taps' vectors;
 * offsets: where each tap lies from the window's corner.
 */
export function convolve(
  image: usize, imageBytes: usize, filter: usize, bias: usize, out: usize, n: i32, outHeight: i32, outWidth: i32,
  groups: i32, rowStep: usize, columnStep: usize, offsets: usize, taps: i32, relu: i32,
): void {
  const pixel = <usize>groups * 16
  const floor = relu ? f32x4.splat(0) : f32x4.splat(-Infinity)
  for (let i = 0; i < n; i++, image += imageBytes) {
    for (let row = 0; row < outHeight; row++, out += <usize>outWidth * pixel) {
      const line = image + <usize>row * rowStep
      let g = 0
      for (; g + 1 < groups; g += 2) {
        let column = 0
        for (; column + 4 <= outWidth; column += 4) {
          pair4(line + <usize>column * columnStep, columnStep, filter + <usize>(g * taps) * 16, bias + <usize>g * 16,
            out + <usize>column * pixel + <usize>g * 16, pixel, offsets, taps, floor)
        }
        for (; column < outWidth; column++) {
          for (let h = g; h < g + 2; h++) {
            single(line + <usize>column * columnStep, filter + <usize>(h * taps) * 16, bias + <usize>h * 16,
              out + <usize>column * pixel + <usize>h * 16, offsets, taps, floor)
          }
        }
      }
      for (; g < groups; g++) {
        for (let column = 0; column < outWidth; column++) {
          single(line + <usize>column * columnStep, filter + <usize>(g * taps) * 16, bias + <usize>g * 16,
            out + <usize>column * pixel + <usize>g * 16, offsets, taps, floor)
        }
      }
    }
  }
}

/** Eight channels of four pixels. */
function pair4(
  corner: usize, step: usize, filter: usize, bias: usize, out: usize, pixel: usize, offsets: usize, taps: i32,
  floor: v128,
): void {
  const other = filter + <usize>taps * 16
  let a0 = v128.load(bias), b0 = v128.load(bias, 16)
  let a1 = a0, a2 = a0, a3 = a0, b1 = b0, b2 = b0, b3 = b0
  const c1 = corner + step, c2 = c1 + step, c3 = c2 + step
  for (let tap: usize = 0; tap < <usize>taps; tap++) {
    const at = <usize>load<u32>(offsets + tap * 4)
    const wa = v128.load(filter + tap * 16)
    const wb = v128.load(other + tap * 16)
    const x0 = v128.load32_splat(corner + at)
    const x1 = v128.load32_splat(c1 + at)
    const x2 = v128.load32_splat(c2 + at)
    const x3 = v128.load32_splat(c3 + at)
    a0 = f32x4.add(a0, f32x4.mul(x0, wa))
    b0 = f32x4.add(b0, f32x4.mul(x0, wb))
    a1 = f32x4.add(a1, f32x4.mul(x1, wa))
    b1 = f32x4.add(b1, f32x4.mul(x1, wb))
    a2 = f32x4.add(a2, f32x4.mul(x2, wa))
    b2 = f32x4.add(b2, f32x4.mul(x2, wb))
    a3 = f32x4.add(a3, f32x4.mul(x3, wa))
    b3 = f32x4.add(b3, f32x4.mul(x3, wb))
  }
  v128.store(out, f32x4.max(a0, floor))
  v128.store(out, f32x4.max(b0, floor), 16)
  out += pixel
  v128.store(out, f32x4.max(a1, floor))
  v128.store(out, f32x4.max(b1, floor), 16)
  out += pixel
  v128.store(out, f32x4.max(a2, floor))
  v128.store(out, f32x4.max(b2, floor), 16)
  out += pixel
  v128.store(out, f32x4.max(a3, floor))
  v128.store(out, f32x4.max(b3, floor), 16)
}

/** Four channels of one pixel. */
function single(corner: usize, filter: usize, bias: usize, out: usize, offsets: usize, taps: i32, floor: v128): void {
  let a = v128.load(bias)
  for (let tap: usize = 0; tap < <usize>taps; tap++) {
    const x = v128.load32_splat(corner + <usize>load<u32>(offsets + tap * 4))
    a = f32x4.add(a, f32x4.mul(x, v128.load(filter + tap * 16)))
  }
  v128.store(out, f32x4.max(a, floor))
}

/**
 * Gradient of a 2 × 2 max pool of step 2, channels in fours: dy goes to the first largest of each window. dx is
 * zeroed here; rows and columns without a window stay zero.
 */
export function maxPool2Gradient(
  x: usize, dy: usize, dx: usize, n: i32, height: i32, width: i32, outHeight: i32, outWidth: i32, channels: i32,
): void {
  const pixel = <usize>channels * 4
  const line = <usize>width * pixel
  const picture = <usize>height * line
  if ((outHeight * 2 != height) || (outWidth * 2 != width)) memory.fill(dx, 0, <usize>n * picture)
  for (let i = 0; i < n; i++, x += picture, dx += picture) {
    for (let row = 0; row < outHeight; row++) {
      let at = <usize>row * 2 * line
      for (let column = 0; column < outWidth; column++, at += pixel) {
        for (let end = at + pixel; at < end; at += 16, dy += 16) {
          const corner = x + at, below = corner + line
          const a = v128.load(corner), b = v128.load(corner + pixel)
          const c = v128.load(below), d = v128.load(below + pixel)
          const g = v128.load(dy)
          const top = f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d))
          const isA = f32x4.eq(a, top)
          const isB = v128.andnot(f32x4.eq(b, top), isA)
          const upper = v128.or(isA, isB)
          const isC = v128.andnot(f32x4.eq(c, top), upper)
          const isD = v128.andnot(f32x4.eq(d, top), v128.or(upper, isC))
          const to = dx + at, under = to + line
          v128.store(to, v128.and(g, isA))
          v128.store(to + pixel, v128.and(g, isB))
          v128.store(under, v128.and(g, isC))
          v128.store(under + pixel, v128.and(g, isD))
        }
      }
    }
  }
}

/**
 * Sums of n rows of `size` floats, a multiple of four. In stretches of 256 rows, whose sums are then added: the
 * rounding error grows with the length of a stretch, not with n.
 */
export function sumRows(x: usize, out: usize, n: i32, size: i32): void {
  const row = <usize>size * 4
  const end = x + <usize>n * row
  for (let group: usize = 0; group < row; group += 16) {
    let total = f32x4.splat(0)
    for (let start = x; start < end; start += 256 * row) {
      let sum = f32x4.splat(0)
      const stop = min(end, start + 256 * row)
      for (let at = start + group; at < stop; at += row) sum = f32x4.add(sum, v128.load(at))
      total = f32x4.add(total, sum)
    }
    v128.store(out + group, total)
  }
}

/** 1, -1 or 0, and NaN for NaN. */
export function signs(x: usize, out: usize, count: i32): void {
  const end = out + <usize>count * 4
  const one = f32x4.splat(1), zero = f32x4.splat(0), minus = f32x4.splat(-1)
  for (; out + 16 <= end; out += 16, x += 16) {
    const value = v128.load(x)
    const known = v128.or(v128.and(f32x4.gt(value, zero), one), v128.and(f32x4.lt(value, zero), minus))
    v128.store(out, v128.bitselect(value, known, f32x4.ne(value, value)))
  }
  for (; out < end; out += 4, x += 4) {
    const value = load<f32>(x)
    store<f32>(out, value > 0 ? 1 : value < 0 ? -1 : value == 0 ? 0 : value)
  }
}

/** Matrices (n, rows, columns) turned to (n, columns, rows). */
export function transpose(from: usize, to: usize, n: i32, rows: i32, columns: i32): void {
  const line = <usize>columns * 4, turned = <usize>rows * 4
  const evenRows = rows & ~3, evenColumns = columns & ~3
  for (let i = 0; i < n; i++) {
    for (let row = 0; row < evenRows; row += 4) {
      let at = from + <usize>row * line
      let out = to + <usize>row * 4
      for (let column = 0; column < evenColumns; column += 4, at += 16, out += 4 * turned) {
        const a = v128.load(at), b = v128.load(at + line)
        const c = v128.load(at + 2 * line), d = v128.load(at + 3 * line)
        const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5), ba = v128.shuffle<f32>(a, b, 2, 6, 3, 7)
        const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5), dc = v128.shuffle<f32>(c, d, 2, 6, 3, 7)
        v128.store(out, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5))
        v128.store(out + turned, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7))
        v128.store(out + 2 * turned, v128.shuffle<f32>(ba, dc, 0, 1, 4, 5))
        v128.store(out + 3 * turned, v128.shuffle<f32>(ba, dc, 2, 3, 6, 7))
      }
    }
    for (let row = 0; row < rows; row++) {
      for (let column = row < evenRows ? evenColumns : 0; column < columns; column++) {
        store<f32>(to + <usize>column * turned + <usize>row * 4, load<f32>(from + <usize>row * line + <usize>column * 4))
      }
    }
    from += <usize>rows * line
    to += <usize>rows * line
  }
}

/** dy where y is above zero, else 0. */
export function reluGradient(dy: usize, y: usize, out: usize, count: i32): void {
  const end = out + <usize>count * 4
  const zero = f32x4.splat(0)
  for (; out + 16 <= end; out += 16, dy += 16, y += 16) {
    v128.store(out, v128.and(v128.load(dy), f32x4.gt(v128.load(y), zero)))
  }
  for (; out < end; out += 4, dy += 4, y += 4) store<f32>(out, load<f32>(y) > 0 ? load<f32>(dy) : 0)
}

/** One Adam step over packed state: weights, means and variances, each of `size` floats, one behind the other. */
export function adamStep(
  state: usize, gradient: usize, next: usize, size: i32, beta1: f32, beta2: f32, keep1: f32, keep2: f32, rate: f32,
  epsilon: f32,
): void {
  const bytes = <usize>size * 4
  const b1 = f32x4.splat(beta1), b2 = f32x4.splat(beta2), k1 = f32x4.splat(keep1), k2 = f32x4.splat(keep2)
  const r = f32x4.splat(rate), e = f32x4.splat(epsilon)
  let at: usize = 0
  for (; at + 16 <= bytes; at += 16) {
    const g = v128.load(gradient + at)
    const mean = f32x4.add(f32x4.mul(v128.load(state + bytes + at), b1), f32x4.mul(g, k1))
    const variance = f32x4.add(f32x4.mul(v128.load(state + 2 * bytes + at), b2), f32x4.mul(f32x4.mul(g, g), k2))
    v128.store(next + bytes + at, mean)
    v128.store(next + 2 * bytes + at, variance)
    const step = f32x4.div(f32x4.mul(mean, r), f32x4.add(f32x4.sqrt(variance), e))
    v128.store(next + at, f32x4.sub(v128.load(state + at), step))
  }
  for (; at < bytes; at += 4) {
    const g = load<f32>(gradient + at)
    const mean = load<f32>(state + bytes + at) * beta1 + g * keep1
    const variance = load<f32>(state + 2 * bytes + at) * beta2 + g * g * keep2
    store<f32>(next + bytes + at, mean)
    store<f32>(next + 2 * bytes + at, variance)
    store<f32>(next + at, load<f32>(state + at) - (mean * rate) / (sqrt<f32>(variance) + epsilon))
  }
}
