import { join } from 'node:path'
import type { Command } from '../command.ts'
import { repository } from '../node-platform.ts'
import { readOptions, readPort } from '../options.ts'
import { explain } from '../serve.ts'

const usualPort = 5173

export const command: Command = {
  summary: 'Serve the sources with hot reload, for work on the code, guides and labs',
  help: `
npm run dev [-- --port NUMBER] [--host ADDRESS]

Serves src/ with Vite. Saving a component, a guide or a lab changes the open page at once.

  --port NUMBER    the port to use (${usualPort}, or the next free one, when left out)
  --host ADDRESS   the address to listen on (localhost when left out)
  --help           this text`,
  async run(argv) {
    const options = readOptions(argv, { port: { type: 'string' }, host: { type: 'string' } })
    const port = readPort(options.port)
    const { createServer } = await import('vite')
    const { host = 'localhost' } = options
    const server = await createServer({
      configFile: join(repository, 'vite.config.ts'),
      server: { host, port: port ?? usualPort, strictPort: port !== undefined },
    })
    try {
      await server.listen()
    } catch (error) {
      await server.close()
      // Vite says this one in words only.
      const inUse = error instanceof Error && error.message.includes('already in use')
      const code = inUse ? 'EADDRINUSE' : (error as NodeJS.ErrnoException).code
      throw new Error(explain(code, host, port ?? usualPort), { cause: error })
    }
    server.printUrls()
    await new Promise<void>((resolve) => {
      process.once('SIGINT', resolve)
      process.once('SIGTERM', resolve)
    })
    await server.close()
    return 0
  },
}
