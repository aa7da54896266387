import { data, submit, task, victim } from 'lab'
import { certify } from './certify'

// Digits of your variant that the reader reads rightly.
const { ids, x, y } = await data.sample()

const settings = {
  sigma: Number(task.sigma),
  n0: Number(task.n0),
  n: Number(task.n),
  alpha: Number(task.alpha),
}
const certificates = await certify(victim, x, settings)

const proved = certificates.filter((one, i) => one.class === y[i] && one.radius >= Number(task.radius))
console.log(`${proved.length} of ${ids.length} certified at ${task.radius}`)

await submit({
  ids,
  scores: {
    class: certificates.map((one) => one.class),
    votes: certificates.map((one) => one.votes),
    radius: certificates.map((one) => one.radius),
  },
})
