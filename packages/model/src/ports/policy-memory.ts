/**
 * Facts that policy needs later and that no message carries: who has sent, what was greylisted, who has logged in from
 * where. One small table with expiry; every kind is named here.
 */
export type MemoryKind =
  /** This address of ours has sent mail: its catch-all takes bounces. */
  | 'sent'
  /** An origin that was asked to come again. */
  | 'greylist'
  /** Mail of a sender, a recipient or a network in the last hour. */
  | 'rate'
  /** An origin that has waited, or somebody whom our own people have written to: not asked to wait again. */
  | 'reputation'
  /** Where the copy of a submitted message is that was filed in Sent: one that a mail program files itself replaces it. */
  | 'duplicate'
  /** A network from which an account has logged in. */
  | 'login'
  /** The MTA-STS policy of another domain, for as long as it asks to be kept. */
  | 'sts-policy'
  /** How sessions with other domains' hosts went, for the report of the day. */
  | 'tls-session'
  /** What DMARC made of others' mail, for the report of the day. */
  | 'dmarc-row'
  /** An address to which nothing is relayed any more; the value says why. */
  | 'suppressed'
  /** Mail that is held when it is first due: `destination two.test`, `from alice@one.test`, `to @two.test`. */
  | 'hold-rule'

/** Characters of a note. */
export const memoryLimits = { key: 500, value: 1000 }

export interface MemoryNote {
  kind: MemoryKind
  /** At most `memoryLimits.key` characters. */
  key: string
  at: number
  expiresAt: number
  /** How often it happened at once, as if there were so many notes; absent: once. */
  count?: number
  /** Replaces what was there; absent keeps it. At most `memoryLimits.value` characters. */
  value?: string
}

export interface Memory {
  value: string
  /** How often it has been noted since it last expired. */
  count: number
  firstAt: number
  lastAt: number
}

export interface PolicyMemory {
  /**
   * Remembers; a note after the old one's expiry starts its count anew, else it counts on and sets the expiry.
   * Relaxed durability. Rejects with `limit` for a key or value that is too long, and then notes nothing.
   */
  note(notes: readonly MemoryNote[]): Promise<void>
  /** What is remembered and has not expired at `now`. */
  recall(kind: MemoryKind, key: string, now: number): Promise<Memory | undefined>
  /** All of a kind that has not expired at `now`, in order of key (by code points), those behind `after` only. */
  list(kind: MemoryKind, now: number, page: { limit: number; after?: string }): Promise<(Memory & { key: string })[]>
  forget(kind: MemoryKind, key: string): Promise<void>
  /** Drops what has expired at `now`; gives how many. */
  prune(now: number): Promise<number>
}
