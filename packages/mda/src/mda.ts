import type { Acceptance, Account, AccountId, FlowEvent, FlowFact, JourneyId, NewFiling } from '@pennypost/model'

/**
 * What the MDA answers, as values. Reception asks at RCPT (`expand`) and at the end of the content (`planFilings`); the
 * relay asks the same for DSNs and for entries of route `local`. Nothing here does I/O but reading the directory.
 */
export interface Mda {
  /** What is to be done for a forward-path, or why it is refused. Rejects only when the directory cannot be read. */
  expand(forwardPath: AddressPath, context: ExpandContext): Promise<Expansion>
  /** Whether the account may use this address as reverse-path or in From. */
  maySend(account: Account, address: AddressPath): Promise<boolean>
}

/** As parsed from the wire: `text` as received, the parts without quotes; `domain` is '' for `<postmaster>`. */
export interface AddressPath {
  readonly text: string
  readonly localPart: string
  readonly domain: string
}

/** The transaction that asks. */
export interface ExpandContext {
  /** '' for the null reverse-path. */
  reversePath: string
  /** Who is logged in, or trusted. */
  account?: Account | undefined
  /** Declared SIZE in octets, 0 when none was. */
  size: number
  /** Whether mail for foreign domains may be handed on. */
  mayRelay: boolean
}

/** A reply as `@pennypost/smtp` knows it (RFC 5321 §4.2). */
export interface MdaReply {
  code: number
  enhanced: string
  lines: readonly [string]
}

export type Expansion =
  | { kind: 'refused'; reply: MdaReply }
  | {
      kind: 'accepted'
      deliveries: readonly Delivery[]
      /** For the journey: what was expanded to what, and which of the targets could not be reached. */
      facts: readonly FlowFact[]
    }

export type Delivery = FileDelivery | RelayDelivery

/** To an account here. */
export interface FileDelivery {
  kind: 'file'
  account: AccountId
  /** As Delivered-To shows it. */
  deliveredTo: string
  /** The account is full, but others of the same alias are not: it has to wait in the queue (route `local`). */
  later?: true
  /** The postmaster is to be reached: it is filed though the account be full. */
  always?: true
}

/** To elsewhere. */
export interface RelayDelivery {
  kind: 'relay'
  forwardPath: string
  /** Where it differs from the transaction's: SRS for forwards. */
  reversePath?: string
  /** Delivered-To line with CRLF for forwards, '' for plain relaying. */
  trace: string
  /** Next hop for a domain that is relayed to a host (`host` or `host:port`); absent: by MX. */
  nextHop?: string | undefined
  /** That next hop is to be asked whether it takes the recipient, before a stranger's mail for it is taken. */
  verify?: true
}

/** What a next hop that was asked (`verify`) makes of a recipient; for the journey too. */
export type Verification = Omit<Extract<FlowFact, { kind: 'verified' }>, 'kind'>

/** A message of which everything is known, with what `expand` gave for its recipients. */
export interface PlanInput {
  /** '' for null. */
  reversePath: string
  recipients: readonly { forwardPath: string; deliveries: readonly Delivery[] }[]
  verdict: 'accept' | 'quarantine'
}

/** What goes on to an outside address, once, with the recipients that it answers. */
export interface PlannedRelay {
  recipient: number
  /** Others that lead to the same address. */
  also: readonly number[]
  relay: RelayDelivery
}

/** What one acceptance does: filings (one per account), and what goes on, with the recipient it answers. */
export interface DeliveryPlan {
  filings: readonly NewFiling[]
  relays: readonly PlannedRelay[]
  /** What is to be queued with route `local`: full accounts behind an alias, and accounts beyond the limit at once. */
  later: readonly { recipient: number; filing: FileDelivery }[]
  /** Recipients for whom nothing is left, because quarantined mail is not forwarded. */
  withheld: readonly number[]
}

/**
 * What became of recipients at once, of which their sender is to be told (RFC 3461 §4.1): what reception knows, and the
 * relay makes DSNs of.
 */
export interface SettledFacts {
  journey: JourneyId
  /** Milliseconds since 1970. */
  acceptedAt: number
  reversePath: string
  envid: string | undefined
  requireTls: boolean
  /** As it is filed. */
  header: Buffer
  recipients: readonly SettledRecipient[]
}

/** The DSNs about it, to ride in its acceptance, and what its journey says of them and of who could not be told. */
export interface SettledNotices {
  accept: readonly Acceptance[]
  flow: readonly FlowEvent[]
}

export interface SettledRecipient {
  forwardPath: string
  orcpt: string | undefined
  /** Why it got nothing; absent: it is filed. */
  refusal?: { status: string; diagnostic: string }
}
