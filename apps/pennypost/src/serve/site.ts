import { createServer, type RequestListener } from 'node:http'
import type { Deadline, Directory, Log } from '@pennypost/model'
import { lookupDomain } from '@pennypost/model'
import {
  type ConnectionLimiter,
  createListener,
  type ListenEndpoint,
  type Listener,
  type ServerContexts,
} from '@pennypost/transport'

/**
 * What strangers may see over HTTPS: the MTA-STS policy of each domain whose mail comes here (RFC 8461 §3.3), at
 * `mta-sts.` and its name, and nothing else.
 */
export interface SiteOptions {
  directory: Pick<Directory, 'domain'>
  /** The same for all of them. */
  policy: string
}

export const stsPath = '/.well-known/mta-sts.txt'

/** The policy for those who came by this Host field; undefined where the domain is not ours. */
export async function stsPage({ directory, policy }: SiteOptions, host: string): Promise<string | undefined> {
  const domain = lookupDomain(/^mta-sts\.([^:]+)(?::\d+)?$/i.exec(host)?.[1] ?? '')
  if (domain === undefined || !(await directory.domain(domain))) return undefined
  return policy
}

const plain = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }

export function createSite(options: SiteOptions, log: Log): RequestListener {
  const answer = async (method: string, path: string, host: string): Promise<[number, string]> => {
    if (method !== 'GET' && method !== 'HEAD') return [405, 'Only GET.\n']
    const page = path === stsPath ? await stsPage(options, host) : undefined
    return page === undefined ? [404, 'There is nothing here.\n'] : [200, page]
  }
  return (request, response) => {
    const { method = '', url = '', headers } = request
    void answer(method, url.split('?', 1)[0] as string, headers.host ?? '')
      .catch((error: unknown): [number, string] => {
        log.error({ err: error }, 'a page can not be shown')
        return [503, 'Later.\n']
      })
      .then(([status, text]) => response.writeHead(status, plain).end(method === 'HEAD' ? undefined : text))
  }
}

/** The site on a listener with TLS: connections are accepted, limited and drained as everybody's. */
export function openSite(
  { endpoint, contexts, limiter }: { endpoint: ListenEndpoint; contexts: ServerContexts; limiter: ConnectionLimiter },
  options: SiteOptions & { deadline: Deadline; log: Log },
): Promise<Listener> {
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 20_000, maxHeaderSize: 8192 })
  server.on('request', createSite(options, options.log))
  return createListener({
    ...{ service: 'https', endpoint, contexts, limiter, tls: 'implicit', allowHalfOpen: false },
    ...{ deadline: options.deadline, log: options.log },
    onConnection(connection) {
      connection.idleAfter(30_000, () => connection.destroy())
      connection.onDrain(() => connection.end())
      server.emit('connection', connection.stream)
    },
  })
}
