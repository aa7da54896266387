/** A value in a pack's file that knows where it stands, so that every complaint names file and place. */
export class Json {
  constructor(
    readonly file: string,
    readonly path: string,
    readonly value: unknown,
  ) {}

  /** A field that must be there. */
  get(key: string): Json {
    const field = this.maybe(key)
    if (!field) throw new PackError(`${this.where}: "${key}" is missing`)
    return field
  }

  maybe(key: string): Json | undefined {
    const value = this.value
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
      return undefined
    return new Json(
      this.file,
      this.path ? `${this.path}.${key}` : key,
      (value as Record<string, unknown>)[key],
    )
  }

  /** An element of a list. */
  at(index: number): Json {
    if (!Array.isArray(this.value) || !(index in this.value))
      throw this.wrong(`a list with an element ${index}`)
    return new Json(this.file, `${this.path}[${index}]`, this.value[index] as unknown)
  }

  entries(): [string, Json][] {
    const value = this.value
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.wrong('an object')
    return Object.keys(value).map((key) => [key, this.get(key)])
  }

  text(): string {
    if (typeof this.value !== 'string') throw this.wrong('text')
    return this.value
  }

  number(): number {
    if (typeof this.value !== 'number' || !Number.isFinite(this.value)) throw this.wrong('a number')
    return this.value
  }

  /** An array of numbers or flags, nested to any depth, as float32 in row-major order. */
  numbers(): { values: Float32Array; shape: number[] } {
    const shape: number[] = []
    for (let level: unknown = this.value; Array.isArray(level); level = level[0]) shape.push(level.length)
    if (shape.length === 0) throw this.wrong('an array of numbers')
    const values: number[] = []
    const walk = (level: unknown, depth: number) => {
      if (depth === shape.length) {
        if (typeof level === 'boolean') values.push(Number(level))
        else if (typeof level === 'number' && Number.isFinite(level)) values.push(level)
        else
          throw new PackError(
            `${this.where}: number ${values.length} of the array is ${JSON.stringify(level) ?? 'missing'}`,
          )
        return
      }
      if (!Array.isArray(level) || level.length !== shape[depth])
        throw new PackError(
          `${this.where}: expected an array of shape [${shape}]; it is ragged after number ${values.length}`,
        )
      for (const part of level) walk(part, depth + 1)
    }
    walk(this.value, 0)
    return { values: Float32Array.from(values), shape }
  }

  get where(): string {
    return this.path ? `${this.file}: ${this.path}` : this.file
  }

  private wrong(expected: string): PackError {
    return new PackError(
      `${this.where}: expected ${expected}; got ${JSON.stringify(this.value)?.slice(0, 60)}`,
    )
  }
}

/** The pack itself is at fault: a file is missing, cut short, or not of the format. */
export class PackError extends Error {}

/** The pack asks for something that this project does not have yet. */
export class NotImplemented extends Error {}
