/** The POP3 service: its listeners and the locks that they share. Opened by the composition root. */
import {
  type ConnectionLimiter,
  createListener,
  type ListenEndpoint,
  type Listener,
  type ServerContexts,
  Turns,
} from '@pennypost/transport'
import { MaildropLocks } from './locks.ts'
import type { Pop3Options } from './options.ts'
import { Session } from './session.ts'

export interface Pop3ListenerOptions {
  service: 'pop3' | 'pop3s'
  endpoint: ListenEndpoint
  /** Absent: no TLS here. With `pop3s` it is implicit, else STLS. */
  contexts?: ServerContexts
  limiter: ConnectionLimiter
  /** Who says by the PROXY protocol for whom it speaks. */
  isProxy?(address: string): boolean
}

export interface Pop3Service {
  /** Opens a listener; resolves when it accepts. All listeners share the maildrop locks. */
  listen(listener: Pop3ListenerOptions): Promise<Listener>
}

export function createPop3Service(options: Omit<Pop3Options, 'offersTls' | 'turns'>): Pop3Service {
  const { clock, deadline, limits } = options
  const turns = new Turns(clock)
  const locks = new MaildropLocks({ clock, deadline, takeoverMs: limits.takeoverMs, waitMs: limits.lockWaitMs })
  return {
    listen({ service, endpoint, contexts, limiter, isProxy }) {
      const tls = contexts === undefined ? 'none' : service === 'pop3s' ? 'implicit' : 'starttls'
      const settings: Pop3Options = { ...options, turns, offersTls: tls === 'starttls' }
      return createListener({
        service,
        endpoint,
        tls,
        ...(contexts && { contexts }),
        limiter,
        ...(isProxy && { isProxy }),
        deadline,
        log: options.log,
        refusal: (reason) =>
          reason === 'draining'
            ? '-ERR [SYS/TEMP] Server is shutting down\r\n'
            : '-ERR [SYS/TEMP] Too many connections\r\n',
        onConnection: (connection) => new Session(connection, settings, locks).begin(),
      })
    },
  }
}
