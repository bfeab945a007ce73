import type { DnsAnswer, DnsType } from '@pennypost/model'

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
  result: 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror'
  detail: string
}

/** The message follows in `chunk`s. */
export interface SignatureRequest {
  kind: 'signatures'
  /** Milliseconds since 1970, for x=. */
  now: number
}

export interface SignatureAnswer {
  dkim: {
    result: 'none' | 'pass' | 'fail' | 'policy' | 'neutral' | 'temperror' | 'permerror'
    domain: string
    selector: string
    algorithm: string
    start: string
    detail: string
    /** Octets of the body that l= leaves unsigned. */
    unsigned: number
  }[]
  arc: { result: 'none' | 'pass' | 'fail'; detail: string; sealer: string; instance: number }
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
  | { id: number; kind: 'done'; answer: SpfAnswer | SignatureAnswer }
  | { id: number; kind: 'failed'; reason: string }
  /** Confirms a `cancel`: the worker is alive. */
  | { id: number; kind: 'cancelled' }
