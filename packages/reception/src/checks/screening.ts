import { checkHelo, type Finding, type HeloFinding } from '@pennypost/message-auth'
import type { FilteredService } from '../filters/filter.ts'
import type { Session } from '../session.ts'
import type { Transaction } from '../transaction.ts'
import { Admission } from './admission.ts'
import type { InboundChecks } from './options.ts'
import { TransactionScreening } from './transaction-screening.ts'

/**
 * What is found out about one client of the MX, from its hello on: reverse DNS, DNS lists, the name it gives itself; and
 * what filters say of content, which may be that of accounts and LMTP too. All of it runs beside the dialogue, and RCPT is
 * the first to wait for it.
 *
 * What must never break: no check holds a session open, none outlives it, and none of them fails a command.
 */
export class Screening {
  readonly checks: InboundChecks
  readonly session: Session
  readonly admission: Admission
  readonly service: FilteredService
  readonly #ended = new AbortController()
  #client: Promise<readonly Finding[]> | undefined
  #helo: HeloFinding | undefined

  constructor(checks: InboundChecks, session: Session, service: FilteredService) {
    this.checks = checks
    this.session = session
    this.service = service
    this.admission = new Admission(checks, session)
  }

  /** The mail of strangers is checked; what accounts and neighbours bring is shown to filters only. */
  get isChecked(): boolean {
    return this.service === 'smtp'
  }

  /** Aborts when the session ends. */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  /** The client said who it is. */
  hello(helo: string): void {
    if (!this.isChecked) return
    const { client, options } = this.session
    const { address: clientAddress } = client
    const { ownAddresses, checker } = this.checks
    this.#helo = checkHelo({ helo, clientAddress, hostname: options.hostname, ownAddresses })
    this.#client ??= checker.checkConnection(clientAddress, this.signal)
  }

  /** A transaction begins: DNS is asked about its sender meanwhile. */
  begin(transaction: Transaction): TransactionScreening {
    return new TransactionScreening(this, transaction)
  }

  /** What is known of the client; waits for it. */
  async client(): Promise<readonly Finding[]> {
    const findings = (await this.#client) ?? []
    return this.#helo ? [...findings, this.#helo] : findings
  }

  end(): void {
    this.#ended.abort(new Error('the session has ended'))
  }
}
