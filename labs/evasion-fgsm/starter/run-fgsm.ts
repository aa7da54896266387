import { data, submit, task, victim } from 'lab'
import { fgsm } from './fgsm'

// The digits of your variant, all read correctly until now.
const { ids, x, y } = await data.sample()

const adversarial = await fgsm(victim, x, y, task.epsilon)

await submit({ ids, x: adversarial })
