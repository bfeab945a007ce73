import type { IncomingMessage, RequestListener } from 'node:http'
import type { Deadline, Log } from '@pennypost/model'
import {
  type ConnectionLimiter,
  createListener,
  type ListenEndpoint,
  type Listener,
  type ServerContexts,
} from '@pennypost/transport'
import { createPageServer } from './http-server.ts'
import { type SiteAnswer, type SiteOptions, sitePage } from './site-pages.ts'

/** The pages of `site-pages.ts` over HTTP: on the https listener, and on the http listener for a proxy. */

/** A question of Autodiscover has about 400 octets. */
const mostBodyOctets = 8192

interface Reply extends SiteAnswer {
  /** Fields beyond those that every reply has. */
  fields?: Record<string, string>
}

const plain = (status: number, text: string, fields: Record<string, string> = {}): Reply => {
  return { status, type: 'text/plain', text, fields }
}

async function answer(request: IncomingMessage, options: SiteOptions): Promise<Reply> {
  const { method = '', url = '', headers } = request
  const [path = '', query = ''] = url.split('?', 2)
  const page = sitePage(path)
  if (!page) return plain(404, 'There is nothing here.\n')
  const allow = page.methods.join(', ')
  if (!page.methods.includes(method)) return plain(405, `Only ${allow}.\n`, { allow })
  const body = method === 'POST' ? await bodyOf(request) : ''
  if (body === undefined) return plain(413, 'Too long.\n')
  return page.answer(options, { host: headers.host ?? '', query: new URLSearchParams(query), body })
}

/** Undefined when it is too long. Read to its end all the same, but not kept: who is still sending hears no answer. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = []
  let octets = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    octets += piece.length
    if (octets <= mostBodyOctets) pieces.push(piece)
  }
  return octets <= mostBodyOctets ? Buffer.concat(pieces).toString() : undefined
}

export function createSite(options: SiteOptions, log: Log): RequestListener {
  return (request, response) => {
    void answer(request, options)
      .catch((error: unknown): Reply => {
        if (!request.destroyed) log.error({ err: error }, 'a page cannot be shown')
        return plain(503, 'Later.\n')
      })
      .then(({ status, type, text, fields }) => {
        const content = { 'content-type': `${type}; charset=utf-8`, 'x-content-type-options': 'nosniff' }
        response.writeHead(status, { ...content, ...fields }).end(request.method === 'HEAD' ? undefined : text)
      })
  }
}

/** The site on a listener with TLS: connections are accepted, limited and drained as everybody's. */
export function openSite(
  { endpoint, contexts, limiter }: { endpoint: ListenEndpoint; contexts: ServerContexts; limiter: ConnectionLimiter },
  options: SiteOptions & { deadline: Deadline; log: Log },
): Promise<Listener> {
  const server = createPageServer(createSite(options, options.log))
  return createListener({
    service: 'https',
    endpoint,
    tls: 'implicit',
    contexts,
    limiter,
    allowHalfOpen: false,
    deadline: options.deadline,
    log: options.log,
    onConnection(connection) {
      connection.idleAfter(30_000, () => connection.destroy())
      connection.onDrain(() => connection.end())
      server.emit('connection', connection.stream)
    },
  })
}
