import Database from 'better-sqlite3'

/**
 * Faults that tests inject where a real one can not be had on demand: a full disk in the middle of a group, a commit
 * whose sync fails. Without faults every call is a comparison with zero.
 */
export interface Fault {
  at: 'job' | 'commit' | 'sync'
  /** Only jobs of this verb. */
  verb?: string
  /** Strikes at the n-th passage, from 1; `times` (1) says at how many in a row. */
  nth: number
  times?: number
  /** The code of the SqliteError, e.g. SQLITE_FULL. */
  code: string
  /** SQLite has rolled the whole transaction back, as it may after SQLITE_FULL and SQLITE_IOERR. */
  rollback?: boolean
}

export class FaultPlan {
  readonly #faults: { fault: Fault; passed: number }[]

  constructor(faults: readonly Fault[]) {
    this.#faults = faults.map((fault) => ({ fault, passed: 0 }))
  }

  strike(at: Fault['at'], db: Database.Database, verb?: string): void {
    if (this.#faults.length === 0) return
    const here = this.#faults.filter(({ fault }) => fault.at === at && (fault.verb ?? verb) === verb)
    for (const entry of here) entry.passed++
    const struck = here.find(({ fault: { nth, times = 1 }, passed }) => passed >= nth && passed < nth + times)
    if (!struck) return
    if (struck.fault.rollback && db.inTransaction) db.exec('ROLLBACK')
    throw new Database.SqliteError(`injected fault at ${at}`, struck.fault.code)
  }
}
