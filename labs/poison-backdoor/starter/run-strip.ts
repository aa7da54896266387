import { data, submit, task, tf } from 'lab'
import { alarm } from './strip'

// The first pictures are your own; the others came in from outside.
const { ids, x } = await data.sample()
const own = Number(task.trusted)
const size = [28, 28, 1]
const trusted = tf.slice(x, [0, 0, 0, 0], [own, ...size])
const incoming = tf.slice(x, [own, 0, 0, 0], [ids.length - own, ...size])
const alarms = await alarm(incoming, trusted)
await submit({ ids, scores: { alarm: [...ids.slice(0, own).map(() => 0), ...alarms.map(Number)] } })
