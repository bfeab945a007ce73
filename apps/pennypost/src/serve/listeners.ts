import { resolve } from 'node:path'
import type { ImapService } from '@pennypost/imap'
import type { Deadline, Log } from '@pennypost/model'
import type { Pop3Service } from '@pennypost/pop3'
import { isThisMachine, networks, openReception, type ReceptionOptions } from '@pennypost/reception'
import {
  type ConnectionLimiter,
  createListener,
  type ListenEndpoint,
  type Listener,
  limitedToo,
  type ServerContexts,
} from '@pennypost/transport'
import type { ListenerConfig } from '../config/schema.ts'
import type { AccountPlaces } from './places.ts'
import { openSite } from './site.ts'
import type { SiteOptions } from './site-pages.ts'

/** Opens the listener of each service. */
export interface Services {
  reception: ReceptionOptions
  /** One for listeners that offer AUTH at the MX. */
  receptionWithAuth: ReceptionOptions
  pop3: Pop3Service
  imap: ImapService
  /** Their sessions by account. */
  places: AccountPlaces
  contexts: ServerContexts
  limiter: ConnectionLimiter
  /** Of those who load pages. */
  siteLimiter: ConnectionLimiter
  /** Of strangers at the MX. */
  strangerLimiter: ConnectionLimiter
  isStranger(address: string): boolean
  site: SiteOptions
  deadline: Deadline
  log: Log
}

/** `base`: where relative paths of the configuration begin. */
export function openListener(listener: ListenerConfig, services: Services, base: string): Promise<Listener> {
  const { service } = listener
  const { contexts, limiter, deadline, log } = services
  const endpoint = endpointOf(listener, base)
  const isProxy = networks(listener.proxy)
  switch (service) {
    case 'smtp':
    case 'submission':
    case 'submissions':
    case 'lmtp':
    case 'odmr': {
      const shared = service === 'smtp' && listener.auth ? services.receptionWithAuth : services.reception
      const { proxy, xclient } = listener
      const options = proxy.length + xclient.length > 0 ? { ...shared, proxy, xclient } : shared
      return openReception({ service, endpoint, contexts, limiter: receptionLimiter(listener, services) }, options)
    }
    case 'pop3':
    case 'pop3s':
      return services.pop3.listen({ service, endpoint, contexts, limiter, isProxy })
    case 'imap':
    case 'imaps':
      return createListener({
        service,
        endpoint,
        tls: service === 'imaps' ? 'implicit' : 'starttls',
        contexts,
        limiter,
        isProxy,
        deadline,
        log,
        onConnection: (connection) => services.imap.accept(connection),
        refusal: (reason) => services.imap.refusal(reason),
      })
    case 'https':
      return openSite({ endpoint, contexts, limiter: pageLimiter(services) }, { ...services.site, deadline, log })
    case 'http':
      throw new Error('the HTTP listener is opened apart')
  }
}

function receptionLimiter({ service, trusted }: ListenerConfig, services: Services): ConnectionLimiter {
  const { limiter, strangerLimiter, isStranger } = services
  if (service === 'lmtp') return onlyFrom(limiter, trusted)
  return service === 'smtp' ? limitedToo(limiter, strangerLimiter, isStranger) : limiter
}

/** Who loads pages takes no place of an office's mail programs that are about to log in: each are counted by themselves. */
export function pageLimiter({ limiter, siteLimiter }: Pick<Services, 'limiter' | 'siteLimiter'>): ConnectionLimiter {
  const inAll: ConnectionLimiter = {
    admit: (address) => limiter.admit(address, ''),
    get open() {
      return limiter.open
    },
  }
  return limitedToo(inAll, siteLimiter, () => true)
}

/** LMTP takes what it is given as checked: only this machine and the networks that the configuration names may speak it. */
function onlyFrom(limiter: ConnectionLimiter, trusted: readonly string[]): ConnectionLimiter {
  const mayEnter = networks(trusted)
  return {
    admit: (address, network) =>
      isThisMachine(address) || mayEnter(address) ? limiter.admit(address, network) : 'address',
    get open() {
      return limiter.open
    },
  }
}

function endpointOf(listener: ListenerConfig, base: string): ListenEndpoint {
  if (listener.path !== undefined) return { path: resolve(base, listener.path), mode: 0o660 }
  return { address: listener.address as string, port: listener.port as number }
}
