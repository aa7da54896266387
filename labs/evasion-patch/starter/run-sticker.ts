import { data, submit, task, tf, victim } from 'lab'
import { makeSticker } from './sticker'

// Photographs of the stop sign, taken before anything stuck on it.
const { x } = await data.sample()

const sticker = await makeSticker(victim, x, task.target, {
  side: Number(task.side),
  range: {
    rotation: Number(task.rotation),
    scale: Number(task.scale),
    shift: Number(task.shift),
    light: Number(task.light),
  },
  spot: { right: Number(task.right), down: Number(task.down) },
})

// One sticker, under the number of your own order.
await submit({ ids: [Number(task.order)], x: tf.stack([sticker]) })
