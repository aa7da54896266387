import { attacks, data, inner, submit, task, victim } from 'lab'
import { seeThrough } from './see-through'

// Digits that the vendor's product reads correctly.
const { ids, x, y } = await data.sample()

// The library's own attack, on your access: twenty steps, each pulled back into the ball.
const adversarial = await attacks.pgd(seeThrough(victim, inner), x, y, {
  epsilon: task.epsilon,
  steps: 20,
  stepSize: 0.025,
})

await submit({ ids, x: adversarial })
