import { type FilterFinding, type Finding, type VirusFinding, within } from '@pennypost/message-auth'
import type { Deadline, Dialer, Endpoint } from '@pennypost/model'

/**
 * Programs beside the server that look at content: spam filters, virus scanners, a hook of the postmaster. They say what
 * they find; the judge decides.
 *
 * What must never break: a filter never fails a message and never keeps it longer than its deadline. One that is not
 * there, answers nonsense or takes too long finds `unavailable`.
 * Who calls it: the screening of a transaction, at the end of the content.
 */

/** How mail comes: from strangers, from accounts by whatever port, from neighbours. */
export type FilteredService = 'smtp' | 'submission' | 'lmtp'

export interface ContentFilter {
  /** As findings and logs name it. */
  readonly name: string
  readonly check: 'virus' | 'spam' | 'hook'
  /** Whose mail it is shown: the services by which the mail comes. */
  readonly services: readonly FilteredService[]
  readonly limitMs: number
  /** Octets; larger messages are not shown to it. */
  readonly maxSize: number
  /** Told of each message of which it said nothing, unless the client had gone. */
  readonly onUnavailable?: (detail: string) => void
  /** May reject with anything, and does with the signal's reason. */
  look(mail: MailToLookAt, signal: AbortSignal): Promise<VirusFinding | FilterFinding>
}

/** What a filter that is asked over a connection is made with. */
export interface FilterSettings
  extends Pick<ContentFilter, 'name' | 'services' | 'limitMs' | 'maxSize' | 'onUnavailable'> {
  /** Where it listens. */
  endpoint: Endpoint
  dialer: Dialer
}

/** What a filter is shown. */
export interface MailToLookAt {
  journey: string
  service: FilteredService
  clientAddress: string
  /** The name that leads back to the address; '' when none does or nobody asked. */
  clientName: string
  helo: string
  /** Login name of who submits it; '' for mail of strangers. */
  account: string
  reversePath: string
  forwardPaths: readonly string[]
  size: number
  /** Header section and body, as they are kept. */
  content(): AsyncIterable<Buffer>
  header: Buffer
  /** What is known of the client so far. */
  findings: readonly Finding[]
}

/** What the filter finds. Never rejects. */
export async function askFilter(
  filter: ContentFilter,
  mail: MailToLookAt,
  { deadline, signal }: { deadline: Deadline; signal: AbortSignal },
): Promise<VirusFinding | FilterFinding> {
  if (mail.size > filter.maxSize) {
    return emptyFinding(filter, 'skipped', `larger than the ${filter.maxSize} octets that it is shown`)
  }
  return within(
    { deadline, limitMs: filter.limitMs, signal },
    (stop) => filter.look(mail, stop),
    (reason) => emptyFinding(filter, 'unavailable', reason),
  )
}

function emptyFinding(
  { name, check }: ContentFilter,
  result: 'skipped' | 'unavailable',
  reason: string,
): VirusFinding | FilterFinding {
  const detail = `${name}: ${reason}`
  if (check === 'virus') return { check, result, detail, filter: name, signature: '' }
  return { check, result, detail, filter: name, text: '' }
}
