import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import type { Metrics } from './metrics.ts'

/**
 * The HTTP listener for machines that watch this one: `/healthz` and `/metrics`. It shows no mail and changes nothing;
 * bind it to loopback or a private network.
 */
export interface HttpService {
  readonly port: number
  close(): Promise<void>
}

export interface HttpOptions {
  address: string
  port: number
  metrics: Metrics
  /** What is wrong, empty when the server can do its work. */
  ailments(): readonly string[]
}

export async function openHttp(options: HttpOptions): Promise<HttpService> {
  const app = new Hono()
  app.get('/healthz', (context) => {
    const ailments = options.ailments()
    return context.json({ ok: ailments.length === 0, ailments }, ailments.length === 0 ? 200 : 503)
  })
  app.get('/metrics', async (context) =>
    context.body(await options.metrics.text(), 200, { 'content-type': options.metrics.contentType }),
  )
  app.get('/', (context) => context.text('Pennypost. /healthz and /metrics are here.\n'))
  const server = createAdaptorServer({ fetch: app.fetch })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.address, resolve)
  })
  const bound = server.address()
  return {
    port: typeof bound === 'object' && bound ? bound.port : options.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
}
