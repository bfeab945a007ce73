import type { RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import type { HttpOptions } from './http.ts'
import { createSite } from './site.ts'

/** The pages of the HTTP listener; `http.ts` loads them at the first request. */
export function createPages(options: Pick<HttpOptions, 'ailments' | 'metrics' | 'site' | 'log'>): RequestListener {
  const app = new Hono()
  app.get('/healthz', async (context) => {
    const ailments = await options.ailments()
    return context.json({ ok: ailments.length === 0, ailments }, ailments.length === 0 ? 200 : 503)
  })
  app.get('/metrics', async (context) => {
    const { contentType, body } = await options.metrics.text()
    return context.body(body, 200, { 'content-type': contentType })
  })
  app.get('/', (context) => context.text('Pennypost. /healthz and /metrics are here.\n'))
  // Health checks of HTTP/1.0 say no Host, as HAProxy's do by default; nothing here depends on it.
  const own = getRequestListener(app.fetch, { hostname: 'localhost' })
  // All else is for a web server in front that has the certificates of the names.
  const site = createSite(options.site, options.log)
  return (request, response) => {
    const path = request.url?.split('?', 1)[0] ?? ''
    return (['/', '/healthz', '/metrics'].includes(path) ? own : site)(request, response)
  }
}
