import { withArticle } from './numbers.ts'

/** What a data set's images show, in a word, and the names of its classes. */
export interface Naming {
  noun: string
  classes: readonly string[]
}

export const digitNaming: Naming = {
  noun: 'digit',
  classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
}

/** The name of a class; its number when there is none. */
export const className = ({ classes }: Naming, index: number) => classes[index] ?? String(index)

/** A class in a sentence: "a 3", "an 8", but "stop" and "Alma". */
export function classWords(naming: Naming, index: number): string {
  const name = className(naming, index)
  return /^\d+$/.test(name) ? withArticle(name) : name
}

/** "1 digit", "60 signs". */
export const countedImages = ({ noun }: Naming, count: number) => `${count} ${noun}${count === 1 ? '' : 's'}`

export const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

/** Are the names so short that ten of them fit a row of buttons? */
export const isShort = ({ classes }: Naming) => classes.every((name) => name.length <= 2)

/**
 * Names for narrow places: a beginning that several classes share is left out, as long as all stay different.
 * "speed limit 30" beside "speed limit 50" is "30".
 */
export function shortNames(classes: readonly string[]): string[] {
  let names = [...classes]
  for (;;) {
    const firsts = names.map((name) => (name.includes(' ') ? name.slice(0, name.indexOf(' ')) : undefined))
    const shorter = names.map((name, i) =>
      firsts[i] !== undefined && firsts.filter((first) => first === firsts[i]).length > 1
        ? name.slice(firsts[i].length + 1)
        : name,
    )
    if (new Set(shorter).size < names.length || shorter.every((name, i) => name === names[i])) return names
    names = shorter
  }
}
