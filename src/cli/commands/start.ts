import { buildIfStale, dist } from '../app.ts'
import type { Command } from '../command.ts'
import { readOptions, readPort } from '../options.ts'
import { serve } from '../serve.ts'

const usualPort = 4173

export const command: Command = {
  summary: 'Build the app if needed and serve it on this machine',
  help: `
npm start [-- --port NUMBER] [--host ADDRESS] [--isolated]

Builds the app when dist/ is missing or older than its sources, then serves it until Ctrl+C.

  --port NUMBER    the port to use (${usualPort}, or the next free one, when left out)
  --host ADDRESS   the address to listen on (this machine only when left out; 0.0.0.0 for every address
                   it has). Away from localhost a browser gives plain http no WebGPU and no offline use;
                   the Doctor page tells what remains.
  --isolated       send the headers (COOP, COEP) by which a browser shares memory between threads: on
                   machines of four cores or more WASM then reads pictures on several. Not for a page
                   that is shown inside another site's frame.
  --help           this text`,
  async run(argv) {
    const options = readOptions(argv, {
      port: { type: 'string' },
      host: { type: 'string' },
      isolated: { type: 'boolean' },
    })
    const port = readPort(options.port)
    await buildIfStale(console.log)
    const site = await serve(dist, {
      host: options.host,
      port: port ?? usualPort,
      strictPort: port !== undefined,
      isolated: options.isolated,
    })
    console.log(`\n  Perturb is at ${site.address}/\n  Ctrl+C stops it.\n`)
    await new Promise<void>((resolve) => {
      process.once('SIGINT', resolve)
      process.once('SIGTERM', resolve)
    })
    await site.close()
    return 0
  },
}
