import type { DnsAnswer, DnsType } from '@pennypost/model'
import type { ArcFinding, DkimSignature, SpfFinding, Unavailable } from '../findings/finding.ts'

/** What the main thread and the check worker say to each other. Every request has a number; so has every DNS query. */

export interface SpfRequest {
  kind: 'spf'
  clientAddress: string
  helo: string
  /** Without angle brackets; '' for the null reverse-path. */
  reversePath: string
  /** Our host name, for macros. */
  hostname: string
}

export interface SpfAnswer {
  result: Exclude<SpfFinding['result'], Unavailable>
  detail: string
}

/** The message follows in `chunk`s. */
export interface SignatureRequest {
  kind: 'signatures'
  /** Milliseconds since 1970, for x=. */
  now: number
}

/** What a message is that nobody should verify. */
export interface Refusal {
  refusal: string
}

export interface SignatureAnswer {
  dkim: VerifiedSignature[]
  arc: Omit<ArcFinding, 'check'>
}

/** A signature as the library judges it; its domain is as the signer wrote it. */
export interface VerifiedSignature extends DkimSignature {
  /** Of the body: what l= leaves unsigned. */
  unsignedOctets: number
  /** The name of each field that it covers, in lower case, once for each. */
  signedFields: string[]
}

export type ToWorker =
  | ({ id: number } & (SpfRequest | SignatureRequest))
  /** The next octets of a message, transferred. */
  | { id: number; kind: 'chunk'; octets: Uint8Array; last: boolean }
  | { id: number; kind: 'cancel' }
  | { id: number; kind: 'resolved'; query: number; answer: DnsAnswer<DnsType> }

export type FromWorker =
  | { id: number; kind: 'resolve'; query: number; name: string; type: DnsType }
  /** A chunk has been worked on; another may come. */
  | { id: number; kind: 'taken' }
  | { id: number; kind: 'done'; answer: SpfAnswer | SignatureAnswer | Refusal }
  | { id: number; kind: 'failed'; reason: string }
  /** Confirms a `cancel`: the worker is alive. */
  | { id: number; kind: 'cancelled' }
