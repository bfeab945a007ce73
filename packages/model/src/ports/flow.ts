import type { JourneyId } from '../ids.ts'

/**
 * The journey: what happened to one message, in order, from the first line of its mail transaction. Written by every
 * component, read by `pennypost trace`. Never holds content or secrets.
 */
export type FlowEvent = FlowFact & {
  journey: JourneyId
  /** Milliseconds of the clock. */
  at: number
}

export type FlowFact =
  | {
      kind: 'received'
      service: string
      session: string
      peer: string
      helo?: string
      tls?: string
      account?: string
      reversePath: string
      forwardPaths: readonly string[]
      size: number
      messageId?: string
    }
  /** What one check found out; `facts` are the rest of the finding, as JSON has it, so that it can be judged again. */
  | { kind: 'finding'; check: string; result: string; detail?: string; facts?: Readonly<Record<string, unknown>> }
  /** What the judge made of the findings; `reason` is one of its closed list. */
  | { kind: 'verdict'; verdict: 'accept' | 'quarantine' | 'defer' | 'reject'; reason: string }
  /**
   * A recipient or the content was refused, with the reply that was given; of a target behind an alias, that would be. At
   * RCPT with who brought it, since where no recipient is left nothing else tells.
   */
  | { kind: 'refused'; forwardPath?: string; reply: string; peer?: string; reversePath?: string }
  /** An alias, forward or catch-all was followed; `forwardPath` is the recipient, or an alias that it led to. */
  | { kind: 'expanded'; forwardPath: string; by: 'alias' | 'catch-all' | 'forward' | 'srs'; targets: readonly string[] }
  /**
   * What the next hop of the recipient's domain said to it, when it was asked at `askedAt`; `unsaid`: neither yes nor no;
   * `refused-us`: a no that it says to everybody.
   */
  | {
      kind: 'verified'
      forwardPath: string
      destination: string
      answer: 'known' | 'refused' | 'refused-us' | 'unsaid'
      reply: string
      askedAt: number
    }
  | { kind: 'filed'; login: string; mailbox: string; uid: number; forwardPaths: readonly string[] }
  /** `reversePath`: where it goes on under another one than it came with (SRS). */
  | { kind: 'queued'; entry: number; destination: string; forwardPaths: readonly string[]; reversePath?: string }
  /** One connection to one address of one next hop. `dns` are the answers that led there. */
  | {
      kind: 'attempt'
      entry: number
      destination: string
      host: string
      address: string
      dns?: readonly string[]
      tls?: string
      /** Why TLS was used, or was not. */
      tlsReason?: string
      elapsedMs: number
      /** Lines as they passed, `C: ` or `S: ` before each, credentials masked; absent when the connection was reused. */
      transcript?: readonly string[]
      error?: string
    }
  /** The server was killed amid an attempt at the entry: whether the next hop has the message is not known. */
  | { kind: 'interrupted'; entry: number }
  | { kind: 'delivered'; forwardPath: string; host: string; reply: string }
  /** `login`: the account that it is to be filed for, where the forward-path may lead to several. */
  | { kind: 'deferred'; forwardPath: string; login?: string; reply: string; nextAttemptAt: number }
  /** Not tried until an operator releases it: a rule of theirs fits. */
  | { kind: 'held'; forwardPath: string; rule: string }
  | { kind: 'failed'; forwardPath: string; login?: string; reply: string }
  /** A DSN about this message was made; `dsn` is its own journey ('' when there was nobody to tell). */
  | { kind: 'dsn'; action: 'failed' | 'delayed' | 'delivered' | 'relayed'; to: string; dsn: string }
  /** A DSN came back that says what became of a recipient elsewhere; it is the journey `dsn`. Anybody can write one. */
  | {
      kind: 'returned'
      forwardPath: string
      by: string
      action: 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded'
      status: string
      diagnostic: string
      dsn: string
    }
  /** This message is itself a DSN about `about`. */
  | { kind: 'about'; about: string }
  /** An operator's verb on the queue entry; `restore` holds what a backup had waiting. */
  | { kind: 'operator'; verb: 'hold' | 'restore' | 'release' | 'retry' | 'redirect' | 'fail' | 'remove'; entry: number }
  /** The 250 could not be written, or the connection was reset after it. */
  | { kind: 'unconfirmed' }
  /** The same message came again after an unconfirmed acceptance and was not stored twice. */
  | { kind: 'repeated'; session: string }
  /** Somebody read it (recorded in the demo only). */
  | { kind: 'read'; by: string; protocol: 'imap' | 'pop3'; session: string }

export interface Journey {
  id: JourneyId
  /** In the order of recording. */
  events: readonly FlowEvent[]
}

export interface Flow {
  /** Keeps events. Not durable by itself: those that a promise stands on travel inside `accept` and `settle`. */
  record(events: readonly FlowEvent[]): Promise<void>
  journey(id: JourneyId): Promise<Journey | undefined>
  /** Journeys whose message bears this Message-ID (without angle brackets), newest first, at most `limit`. */
  findByMessageId(messageId: string, limit: number): Promise<JourneyId[]>
  /** The newest journeys, newest first: by the time of their first event, of equals the greater id. */
  recent(limit: number): Promise<JourneyId[]>
  /**
   * Drops journeys whose first event is before `before`, and transcripts of attempts before `transcriptsBefore`.
   * Gives how many journeys went.
   */
  prune(before: number, transcriptsBefore: number): Promise<number>
}
