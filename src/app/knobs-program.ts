import type { Options } from '../attacks/attack.ts'

export interface Knobs {
  attack: string
  options: Options
  /** The class to be read as: that of the checkpoint ('task'), one of the learner's, or any wrong one. */
  target: 'task' | number | undefined
  small: { steps: number; stepShare: number } | undefined
  /** Whom the attack asks: the victim itself, or only the oracle. */
  asks?: 'victim' | 'oracle'
}

/** The knobs as a program of the lab: what "show the code" shows, and what runs when it is opened and run. */
export function knobsProgram({ attack, options, target, small, asks = 'victim' }: Knobs): string {
  const { epsilon = 0, ...rest } = options
  const targets =
    target === undefined ? '' : `targets: y.map(() => ${target === 'task' ? 'task.target' : target})`
  const list = (first: string) =>
    [first, ...Object.entries(rest).map(([name, value]) => `${name}: ${literal(value)}`), targets]
      .filter(Boolean)
      .join(', ')
  const names = [
    ...(small ? ['progress', 'tf'] : []),
    'attacks',
    'data',
    'submit',
    ...(target === 'task' ? ['task'] : []),
    asks,
  ]
  const head = [
    `import { ${names.sort(byName).join(', ')} } from 'lab'`,
    '',
    '// The knobs of the Explore step, as a program: the library attack with your settings.',
    'const { ids, x, y } = await data.sample()',
  ]
  const body = small
    ? smallSteps(attack, Number(epsilon), list('epsilon: step'), small, options.norm === 'l2')
    : [
        `const adversarial = await attacks.${attack}(${asks}, x, y, { ${list(options.epsilon === undefined ? '' : `epsilon: ${epsilon}`)} })`,
      ]
  return [...head, ...body, 'await submit({ ids, x: adversarial })', ''].join('\n')
}

function smallSteps(
  attack: string,
  epsilon: number,
  list: string,
  { steps, stepShare }: { steps: number; stepShare: number },
  l2: boolean,
): string[] {
  return [
    `const epsilon = ${epsilon}`,
    `const step = epsilon * ${stepShare}`,
    '',
    'let adversarial = x',
    `for (let i = 0; i < ${steps}; i++) {`,
    `  const moved = await attacks.${attack}(victim, adversarial, y, { ${list} })`,
    '  // Pull the change back into the ball of epsilon around the original.',
    ...(l2
      ? [
          '  const delta = tf.sub(moved, x)',
          '  const length = tf.sqrt(tf.sum(tf.square(delta), [1, 2, 3], true))',
          '  const scale = tf.minimum(1, tf.div(epsilon, tf.maximum(length, 1e-12)))',
          '  adversarial = tf.clipByValue(tf.add(x, tf.mul(delta, scale)), 0, 1)',
        ]
      : [
          '  const delta = tf.clipByValue(tf.sub(moved, x), -epsilon, epsilon)',
          '  adversarial = tf.clipByValue(tf.add(x, delta), 0, 1)',
        ]),
    `  progress(i + 1, ${steps})`,
    '}',
    '',
  ]
}

const literal = (value: unknown) => (typeof value === 'string' ? `'${value}'` : String(value))
const byName = (a: string, b: string) => (a < b ? -1 : 1)
