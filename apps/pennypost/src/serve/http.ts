import type { RequestListener } from 'node:http'
import type { Log } from '@pennypost/model'
import { ListenError, type Listener } from '@pennypost/transport'
import { createPageServer } from './http-server.ts'
import type { Metrics } from './metrics.ts'
import type { SiteOptions } from './site-pages.ts'

/**
 * The HTTP listener for machines that watch this one: `/healthz` and `/metrics`; and the pages of `site-pages.ts`, for a
 * proxy that has port 443. It shows no mail and changes nothing; bind it to loopback or a private network. What answers is
 * loaded by the first request: nobody waits for it at start. Its files may be gone by then (an upgrade), which must not
 * end the server.
 */
export interface HttpService extends Pick<Listener, 'service' | 'bound' | 'open'> {
  close(): Promise<void>
}

export interface HttpOptions {
  address: string
  port: number
  metrics: Metrics
  site: SiteOptions
  log: Log
  /** What is wrong, empty when the server can do its work. */
  ailments(): Promise<readonly string[]>
}

/** Who watches needs few; without an end they would take the open files that mail needs (`open-files.ts`). */
export const mostConnections = 32

/** Resolves when it accepts; rejects with `ListenError`. */
export async function openHttp(options: HttpOptions): Promise<HttpService> {
  const { address, port } = options
  let pages: Promise<RequestListener> | undefined
  const server = createPageServer((request, response) => {
    pages ??= import('./http-pages.ts').then(({ createPages }) => createPages(options))
    pages.then(
      (answer) => answer(request, response),
      () => response.writeHead(503).end(),
    )
  })
  server.maxConnections = mostConnections
  let open = 0
  server.on('connection', (socket) => {
    open++
    socket.once('close', () => open--)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new ListenError('http', { address, port }, error)))
    server.listen(port, address, resolve)
  })
  server.on('error', ({ message: error }) => options.log.error({ service: 'http', error }, 'cannot accept'))
  const bound = server.address()
  return {
    service: 'http',
    bound: typeof bound === 'object' && bound ? { address: bound.address, port: bound.port } : { address, port },
    get open() {
      return open
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
