import type { RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import type { HttpOptions } from './http.ts'
import { stsPage, stsPath } from './site.ts'

/** The pages of the HTTP listener; `http.ts` loads them at the first request. */
export function createPages(options: Pick<HttpOptions, 'ailments' | 'metrics' | 'site'>): RequestListener {
  const app = new Hono()
  app.get('/healthz', (context) => {
    const ailments = options.ailments()
    return context.json({ ok: ailments.length === 0, ailments }, ailments.length === 0 ? 200 : 503)
  })
  app.get('/metrics', async (context) => {
    const { contentType, body } = await options.metrics.text()
    return context.body(body, 200, { 'content-type': contentType })
  })
  // For a web server in front that has the certificate of the name.
  app.get(stsPath, async (context) => {
    const page = await stsPage(options.site, context.req.header('host') ?? '')
    return page === undefined ? context.notFound() : context.text(page)
  })
  app.get('/', (context) => context.text('Pennypost. /healthz and /metrics are here.\n'))
  return getRequestListener(app.fetch)
}
