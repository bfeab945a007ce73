import type { TlsFacts } from '@pennypost/model'
import { type Capabilities, noCapabilities } from '../capabilities.ts'
import type { EnvelopeContext } from './envelope.ts'
import { type ClientOptions, type ClientTimeouts, defaultClientTimeouts } from './options.ts'

/** What is known of a connection between transactions. STARTTLS makes all of it new (RFC 3207 §4.2). */
export class Session {
  readonly lmtp: boolean
  readonly timeouts: ClientTimeouts
  readonly #recipients: number
  capabilities: Capabilities = noCapabilities
  tls: TlsFacts | null = null
  /** The peer may hold an envelope of a transaction that was not finished. */
  needsReset = false
  /** The peer offers CHUNKING and does not know BDAT: it goes by DATA only. */
  refusesBdat = false
  /** Transactions begun. */
  transactions = 0

  constructor(options: ClientOptions) {
    this.lmtp = options.protocol === 'lmtp'
    this.timeouts = { ...defaultClientTimeouts, ...options.timeouts }
    this.#recipients = options.limits?.recipients ?? 100
  }

  offers(keyword: string): boolean {
    return this.capabilities.keywords.has(keyword)
  }

  /** LMTP stays with DATA: its peers are near, and a row of replies to a BDAT that came too late is easily misread. */
  get chunking(): boolean {
    return !this.lmtp && this.offers('CHUNKING')
  }

  /** RFC 9422 §4.1: whether the peer takes another transaction on this connection. */
  get mayGoOn(): boolean {
    return this.capabilities.transactionsMax === null || this.transactions < this.capabilities.transactionsMax
  }

  envelopeContext(): EnvelopeContext {
    const { capabilities, tls } = this
    const recipientsMax = Math.min(this.#recipients, capabilities.recipientsMax ?? this.#recipients)
    return { capabilities, secure: tls !== null, recipientsMax }
  }
}
