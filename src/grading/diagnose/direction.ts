/** Which way the images were pushed: away from the right class, towards it, towards another, or nowhere. */
import { counted, figure, finding, percent } from '../findings.ts'
import { hardTolerance } from '../rows.ts'
import { reachOf, surerRows, type Rule } from './run.ts'

export const unchanged: Rule = ({ measured: { perturbation, noun } }) =>
  perturbation.moved === 0 &&
  finding(
    'unchanged',
    `The ${noun}s came back as they were.`,
    `Not one of ${perturbation.count} images was changed. At ε = 0 nothing moves; and in code, tensors never change in place: tf.add(x, step) leaves x alone and returns the sum.`,
    'give the step a length above 0, and in code return the result of the last operation, not x.',
  )

/**
 * The gradient itself as a step, where the budget is on the largest change. It comes before what the hard rows
 * say: the steepest pixel may well leave the ball while all others hardly move, and the missing sign is the
 * cause of both.
 */
export const noSign: Rule = (run) => {
  const { measured, direction, target } = run
  const { perturbation, limit, norm } = measured
  const { largest } = perturbation
  const rightWay = target === undefined ? direction.agreement : 1 - direction.agreement
  if (norm !== 'linf' || rightWay < 0.9 || direction.evenness >= 0.5 || largest > 2) return undefined
  const budget =
    largest > limit + hardTolerance
      ? 'The farthest has left the ball, and the others hardly use it.'
      : 'The budget counts the farthest pixel alone, so nearly all of it lies unused.'
  return finding(
    'no-sign',
    'The direction is right, the step is the slope itself.',
    `${percent(rightWay)} of the moved pixels go the way they should, but on average by only ${percent(direction.evenness)} of the farthest one, which moved by ${figure(largest)}. ${budget}`,
    'take tf.sign of the gradient: then every pixel moves by the whole ε.',
  )
}

/** Down the loss of the right class: a kindness, not an attack. */
export const descended: Rule = (run) => {
  const { measured, direction, target } = run
  const { explanation } = direction
  const { hits, task, perturbation, noun } = measured
  const surer = surerRows(measured)
  if (target !== undefined || perturbation.moved === 0) return undefined
  const signs = explanation?.kind === 'true' && explanation.direction === 'descends'
  if (!signs && (explanation || surer < 0.8 * task.ids.length)) return undefined
  return finding(
    'descended',
    'You went downhill.',
    signs
      ? `${percent(1 - direction.agreement)} of the moved pixels go against the gradient. That makes the loss smaller and the model surer: ${counted(hits, noun)} misread.`
      : `On ${surer} of ${task.ids.length} ${noun}s the model is surer of the right answer than before; ${counted(hits, noun)} misread.`,
    'training descends, an attack climbs. Add the step instead of subtracting it.',
  )
}

/** Away from one class for all, or from a neighbour of the right one. */
export const wrongClass: Rule = ({ measured, direction: { explanation, agreement }, target }) => {
  if (target !== undefined || !explanation) return undefined
  const names = measured.classes
  const way = explanation.direction === 'climbs' ? 'up' : 'down'
  if (explanation.kind === 'fixed') {
    const name = names[explanation.value]
    return finding(
      'fixed-class',
      `You climbed the loss of one class for every image: ${name}.`,
      `${percent(explanation.agreement)} of the moved pixels go ${way} the slope of class ${name}, and only ${percent(agreement)} up that of the true one. Moving away from ${name} is no reason to stop being something else.`,
      'pass y, the labels that data.sample() gave you, to victim.lossAndGradient.',
    )
  }
  return (
    explanation.kind === 'shifted' &&
    finding(
      'shifted-labels',
      'Your labels are shifted.',
      `${percent(explanation.agreement)} of the moved pixels go ${way} the slope of class y + ${explanation.value}, not of y. Moving away from a wrong answer does not move away from the right one.`,
      'pass y as it came, in the order of the images.',
    )
  )
}

/** A targeted checkpoint: away from the target, away from the truth alone, or towards another class. */
export const wrongTarget: Rule = ({ measured, direction: { explanation, agreement }, target }) => {
  if (target === undefined || !explanation) return undefined
  const { hits, task, classes, noun } = measured
  const name = classes[target]
  if (explanation.kind === 'target')
    return (
      explanation.direction === 'climbs' &&
      finding(
        'climbed-the-target',
        `You climbed away from ${name}.`,
        `${percent(agreement)} of the moved pixels raise the loss of ${name}, the answer you want: ${hits} of ${task.ids.length} ${noun}s are read as ${name}.`,
        `you want the loss of ${name} small, so subtract the step.`,
      )
    )
  if (explanation.kind === 'true')
    return (
      explanation.direction === 'climbs' &&
      finding(
        'untargeted-instead',
        'That is the untargeted step.',
        `${percent(explanation.agreement)} of the moved pixels climb away from the true class; the image then lands on whatever is nearest, which is ${name} for ${hits} of ${task.ids.length} ${noun}s.`,
        `take the gradient of the loss for ${name} and go down it.`,
      )
    )
  return (
    explanation.direction === 'descends' &&
    finding(
      'wrong-target',
      'You went towards another class.',
      `${percent(explanation.agreement)} of the moved pixels go towards ${
        explanation.kind === 'fixed'
          ? `class ${classes[explanation.value]}`
          : `the class ${explanation.value} above the true one`
      }; your variant asks for ${name}.`,
      'use task.target, the class that your own variant asks for.',
    )
  )
}

/** As good as a coin. */
export const randomDirection: Rule = (run) => {
  const { measured, direction, target } = run
  const { task, perturbation, classes } = measured
  const { agreement, explanation } = direction
  if (explanation || perturbation.moved === 0 || agreement <= 0.35 || agreement >= 0.65) return undefined
  // An attack of many steps leaves the first gradient's signs too, but not without success.
  if (reachOf(run) > 0 && measured.hits > 0.3 * task.ids.length) return undefined
  const way = target === undefined ? 'up the slope' : `towards ${classes[target]}`
  const share = target === undefined ? agreement : 1 - agreement
  const dimensions = perturbation.count ? measured.pixels.length / perturbation.count : 0
  return finding(
    'random-direction',
    'Your step has no direction.',
    `${percent(share)} of the moved pixels go ${way}; a coin would give 50 %. In ${dimensions} dimensions a random direction runs almost along the border, not across it.`,
    'follow the sign of the slope; in code, victim.lossAndGradient gives it.',
  )
}
