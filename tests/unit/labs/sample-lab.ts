import type { Manifest } from '../../../src/labs/manifest.ts'

/** A small manifest that is right, to be spoilt one field at a time. */
export const manifestOf = (): Manifest => ({
  id: 'sample',
  version: '1.0.0',
  title: 'A sample',
  summary: 'A lab for tests.',
  track: 'evasion',
  order: 1,
  level: 'introductory',
  minutes: 10,
  objectives: ['See a test pass'],
  outOfScope: [],
  requires: [],
  papers: [{ cite: 'Goodfellow et al. 2015', title: 'Explaining', url: 'https://arxiv.org/abs/1412.6572' }],
  frameworks: { atlas: ['AML.T0015'] },
  assets: ['data/mnist10k'],
  sandbox: { access: ['victim', 'data'], maxQueries: 100, seconds: 10 },
  variant: 'Which images.',
  checkpoints: [
    {
      id: 'nudged',
      title: 'Nudge it',
      step: 'code',
      accepts: ['code', 'explore'],
      artefact: 'adversarial-examples',
      points: 1,
      program: { file: 'nudge.ts', main: 'main.ts' },
      needs: [{ name: 'Misread', value: 'at least 1' }],
      hints: [{ kind: 'nudge', text: 'Try.' }],
    },
  ],
})

/** A guide that goes with it. */
export const guideText = `# The story {#story}

A tale with $\\epsilon$ and a :term[white-box] attacker.

# Explore {#explore}

::widget{kind=fgsm-explorer place=bench}

# Code {#code}

::run{file=nudge.ts}

::checkpoint{#nudged}

:::hint{for=nudged}
Look at the **sign**.
:::

# Checkpoint {#checkpoint}

:::quiz{#why}
Why the sign?

- [x] Every pixel moves as far as it may.

  Right: that is the corner of the ball.
- [ ] It is faster.

  It costs the same.
:::

# Defend {#defend}

:::defend
Train on attacked digits.
:::

# Re-attack {#reattack}

:::solution{after=nudged}
\`\`\`ts
const x = 1
\`\`\`
:::
`
