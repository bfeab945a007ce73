import type { StoreLimits } from '@pennypost/model'
import type Database from 'better-sqlite3'
import { Statements } from '../statements.ts'
import { ReservedNumbers } from './reserved-numbers.ts'

/**
 * What a job works with: statements of the one write connection, numbers, and the effects that may take place only
 * after the commit. A job is a plain function `(context, arguments) → result`; it is inside a transaction.
 */
export class WriterContext extends Statements {
  readonly numbers: ReservedNumbers
  /** Tells this process's leases from those of processes that died. */
  readonly incarnation: string
  readonly limits: WriterLimits
  effects = new Effects()
  nextLease = 1
  /** Where the last claim of queue entries ended: the next one goes on from there. */
  claimTurn: ClaimTurn = { destination: '', retryNext: false }

  constructor(db: Database.Database, incarnation: string, limits: WriterLimits) {
    super(db)
    this.incarnation = incarnation
    this.limits = limits
    this.numbers = new ReservedNumbers(db)
  }

  /** The account's MODSEQ for this job: the rows that one transaction touches share one. */
  modSeq(account: number): number {
    let modSeq = this.effects.modSeqs.get(account)
    if (modSeq === undefined) this.effects.modSeqs.set(account, (modSeq = this.numbers.next(account)))
    return modSeq
  }
}

export interface ClaimTurn {
  /** The destination that was served last. */
  destination: string
  /** Who gets the odd slot. */
  retryNext: boolean
}

export interface WriterLimits extends StoreLimits {
  /** Rows of the change log kept for one mailbox; below them a full comparison takes over. */
  changesPerMailbox: number
}

/** Whose it is, and its highest MODSEQ since. */
export type TouchedMailbox = readonly [account: number, modSeq: number]

/** What a commit brings about outside the database. Those of a job that is rolled back are dropped. */
export class Effects {
  /** To wake: accounts whose mailboxes, or those that others share with them, came, went, or got other names or rights. */
  readonly accounts = new Set<number>()
  /** To wake: mailboxes with other changes. */
  readonly mailboxes = new Map<number, TouchedMailbox>()
  /** Given out to this job. */
  readonly modSeqs = new Map<number, number>()
  queue = false
  /** Content files that nothing refers to any more. */
  readonly unlink: string[] = []
  /** Messages that nothing refers to any more. */
  readonly gone: number[] = []
  /** Directories of content files to sync before the commit. */
  readonly directories = new Set<string>()

  add(other: Effects): void {
    for (const account of other.accounts) this.accounts.add(account)
    for (const [mailbox, touched] of other.mailboxes) this.mailboxes.set(mailbox, touched)
    this.queue ||= other.queue
    this.unlink.push(...other.unlink)
    this.gone.push(...other.gone)
    for (const directory of other.directories) this.directories.add(directory)
  }
}
