/**
 * Puts the service together out of its parts; the only place that knows them all. Called by composition roots, which
 * give `accept` to their listeners.
 */
import { type Connection, type Refusal, Turns } from '@pennypost/transport'
import { extensions } from './extensions/index.ts'
import { defaultImapLimits, type ImapLimits } from './limits.ts'
import { Signals } from './notify/signals.ts'
import type { ImapServiceOptions } from './options.ts'
import { Registry } from './registry.ts'
import { Conversation } from './session/conversation.ts'
import type { SessionService } from './session/session-service.ts'
import { OpenMailboxes } from './view/open-mailboxes.ts'

/** IMAP on any number of listeners: give `accept` and `refusal` to `createListener` of `@pennypost/transport`. */
export interface ImapService {
  /** `onConnection` of a listener; draining the listener ends the sessions with BYE. */
  accept(connection: Connection): void
  /** `refusal` of a listener: what a client beyond the limits is told. */
  refusal(reason: Refusal): string
  /** For metrics and tests. */
  readonly sessions: number
  readonly openMailboxes: number
}

/** Different sets of disabled capabilities whose tables are kept. */
const mostMasks = 100

export function createImapService(options: ImapServiceOptions): ImapService {
  const { disable = [], compress = false, limits: ownLimits, ...given } = options
  const limits: ImapLimits = { ...defaultImapLimits, ...ownLimits }
  const mailboxes = new OpenMailboxes(given.mail, given.log, limits)
  const disabled = [...disable]
  if (!given.usage) disabled.push('QUOTA')
  if (!given.urlSecret) disabled.push('URLAUTH')
  if (!compress) disabled.push('COMPRESS=DEFLATE')
  const masked = new Map<string, SessionService>()
  let sessions = 0
  const service: SessionService = {
    serverId: {},
    requireTlsForAuth: true,
    offersTls: false,
    ...given,
    registry: new Registry(extensions, disabled),
    mailboxes,
    signals: new Signals(),
    limits,
    turns: new Turns(given.clock),
    without(capabilities) {
      if (capabilities.length === 0) return service
      const key = [...capabilities].sort().join(' ')
      const known = masked.get(key)
      if (known) return known
      if (masked.size >= mostMasks) masked.clear()
      const less = { ...service, registry: new Registry(extensions, [...disabled, ...capabilities]) }
      masked.set(key, less)
      return less
    },
  }

  return {
    accept(connection) {
      sessions++
      connection.stream.once('close', () => sessions--)
      new Conversation(given.random.bytes(6).toString('hex'), service, connection).begin()
    },
    refusal(reason) {
      return `* BYE [UNAVAILABLE] ${reason === 'draining' ? 'The server goes down' : 'Too many connections'}\r\n`
    },
    get sessions() {
      return sessions
    },
    get openMailboxes() {
      return mailboxes.size
    },
  }
}
