import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openBareWriter } from '../../test/bare-writer.ts'
import { temporaryDirectory } from '../../test/temporary-store.ts'
import { FatalError } from './fatal-error.ts'
import type { Fault } from './faults.ts'
import type { GroupReply, Job } from './protocol.ts'
import type { Writer } from './writer.ts'

let directory: string
let writers: Writer[]

beforeEach(() => {
  directory = temporaryDirectory()
  writers = []
})

afterEach(() => {
  for (const writer of writers) writer.take({ kind: 'close' })
  rmSync(directory, { recursive: true })
})

/** A writer without its thread. */
function openWriter(...faults: Fault[]): Writer {
  return openBoundedWriter(8000, faults)
}

function openBoundedWriter(walCeilingFrames: number, faults: Fault[] = []): Writer {
  const writer = openBareWriter(directory, { walCeilingFrames, faults })
  writers.push(writer)
  return writer
}

/** A database that has had a life before. */
function prepare(sql: string): void {
  openWriter().take({ kind: 'close' })
  writers.pop()
  const other = new Database(join(directory, 'mail.db'))
  other.exec(sql)
  other.close()
}

const muchToGiveBack = 'CREATE TABLE junk (octets); INSERT INTO junk VALUES (zeroblob(20000000)); DROP TABLE junk'

const domain = (id: number): Job => ({
  id,
  verb: 'addDomain',
  args: { name: `d${id}.test`, kind: 'local', target: '', catchAll: '' },
})

/** As after a crash: the writer is not closed. */
function abandon(writer: Writer): void {
  writers = writers.filter((other) => other !== writer)
}

function run(writer: Writer, ...jobs: Job[]): GroupReply {
  writer.take({ kind: 'jobs', jobs })
  return writer.commit()
}

/** What became of each job. */
function outcomes({ replies }: GroupReply): Record<number, string> {
  return Object.fromEntries(
    replies.map((reply) => [
      reply.id,
      'refusal' in reply ? reply.refusal : 'error' in reply ? reply.error.code : 'done',
    ]),
  )
}

/** Which of the domains are there: adding one that exists is refused. */
function existing(writer: Writer, ...ids: number[]): number[] {
  const replies = outcomes(run(writer, ...ids.map(domain)))
  return ids.filter((id) => replies[id] === 'exists')
}

describe('a group', () => {
  test('commits as one', () => {
    const writer = openWriter()
    expect(outcomes(run(writer, domain(1), domain(2)))).toEqual({ 1: 'done', 2: 'done' })
    expect(existing(writer, 1, 2)).toEqual([1, 2])
  })

  test('a job that is refused takes nobody with it', () => {
    const writer = openWriter()
    const again = { ...domain(1), id: 9 }
    expect(outcomes(run(writer, domain(1), again, domain(2)))).toEqual({ 1: 'done', 9: 'exists', 2: 'done' })
    expect(existing(writer, 1, 2)).toEqual([1, 2])
  })

  test('a job that fails is undone alone', () => {
    // Passages 1 and 2 without savepoints, then the whole group with them.
    const writer = openWriter(
      { at: 'job', nth: 2, code: 'SQLITE_IOERR_READ' },
      { at: 'job', nth: 4, code: 'SQLITE_IOERR_READ' },
    )
    expect(outcomes(run(writer, domain(1), domain(2), domain(3)))).toEqual({
      1: 'done',
      2: 'SQLITE_IOERR_READ',
      3: 'done',
    })
    expect(existing(writer, 1, 2, 3)).toEqual([1, 3])
  })

  test('when SQLite rolls everything back, each job runs again alone and only the culprit fails', () => {
    // The third job meets a full disk, in the group and when it runs alone as the sixth.
    const full = { at: 'job', code: 'SQLITE_FULL', rollback: true } as const
    const writer = openWriter({ ...full, nth: 3 }, { ...full, nth: 6 })
    expect(outcomes(run(writer, domain(1), domain(2), domain(3), domain(4)))).toEqual({
      1: 'done',
      2: 'done',
      3: 'no-room',
      4: 'done',
    })
    expect(existing(writer, 1, 2, 3, 4)).toEqual([1, 2, 4])
  })

  test('a commit without room is tried job by job', () => {
    const writer = openWriter({ at: 'commit', nth: 1, code: 'SQLITE_FULL' })
    expect(outcomes(run(writer, domain(1), domain(2)))).toEqual({ 1: 'done', 2: 'done' })
  })

  test('a log whose index can not grow is a full disk, and gets the ballast, again and again', () => {
    const full = { at: 'commit', code: 'SQLITE_IOERR_SHMSIZE' } as const
    const writer = openWriter({ ...full, nth: 1 }, { ...full, nth: 3, times: 2 })
    writer.take({ kind: 'upkeep', ballast: 2_500_000 })
    expect(outcomes(run(writer, domain(1)))).toEqual({ 1: 'done' })
    expect(outcomes(run(writer, domain(2)))).toEqual({ 2: 'done' })
    expect(readFileSync(join(directory, 'ballast'))).toHaveLength(2_500_000)
  })

  test('a full disk without any ballast left refuses', () => {
    const writer = openWriter({ at: 'commit', nth: 1, times: 3, code: 'SQLITE_FULL' })
    writer.take({ kind: 'upkeep', ballast: 1_000_000 })
    const refused = run(writer, domain(1))
    expect(outcomes(refused)).toEqual({ 1: 'no-room' })
    // By which it is known that new mail is to be refused, too.
    expect(refused.ranOut).toBe(true)
    expect(existing(writer, 1)).toEqual([])
  })

  test('a write that fails because the quota of our user is used up is a full disk', () => {
    const writer = openWriter({ at: 'commit', nth: 1, code: 'SQLITE_IOERR_WRITE' })
    // What the writer tries then fails as it would on a full disk.
    symlinkSync('/dev/full', join(directory, 'ballast.probe'))
    expect(outcomes(run(writer, domain(1)))).toEqual({ 1: 'no-room' })
    expect(existing(writer, 1)).toEqual([])
  })

  test('upkeep that wants a ballast makes as much as was asked for', () => {
    const writer = openWriter()
    writer.take({ kind: 'upkeep', ballast: 2_500_000 })
    writer.take({ kind: 'upkeep', ballast: undefined })
    expect(readFileSync(join(directory, 'ballast'))).toHaveLength(2_500_000)
  })

  test('upkeep takes what little the log has into the database', () => {
    const writer = openWriter()
    expect(run(writer, domain(1)).walFrames).toBeGreaterThan(0)
    writer.take({ kind: 'upkeep', ballast: undefined, checkpoint: true })
    const withoutLog = join(directory, 'copy.db')
    copyFileSync(join(directory, 'mail.db'), withoutLog)
    const copy = new Database(withoutLog)
    expect(copy.prepare('SELECT name FROM domains').pluck().all()).toEqual(['d1.test'])
    copy.close()
  })

  test('upkeep that gives pages back tells what the database has, though nothing else is committed', () => {
    prepare(muchToGiveBack)
    const writer = openWriter()
    const { databaseOctets } = run(writer, domain(1))
    writer.take({ kind: 'upkeep', ballast: undefined })
    expect(writer.hasJobs).toBe(true)
    expect(writer.commit().databaseOctets).toBeLessThan(databaseOctets - 2_000_000)
    expect(writer.hasJobs).toBe(false)
  })
})

describe('what is fatal', () => {
  test('a commit that fails acknowledges nothing and is not retried', () => {
    const writer = openWriter({ at: 'commit', nth: 1, code: 'SQLITE_IOERR_FSYNC' })
    expect(() => run(writer, domain(1), domain(2))).toThrow(FatalError)
    abandon(writer)
  })

  test('a single job is no exception', () => {
    const writer = openWriter({ at: 'commit', nth: 1, code: 'SQLITE_IOERR_WRITE' })
    expect(() => run(writer, domain(1))).toThrow(FatalError)
    abandon(writer)
  })

  test('a sync of relaxed commits that fails', () => {
    const writer = openWriter({ at: 'sync', nth: 1, code: 'EIO' })
    const note = { kind: 'rate', key: 'k', at: 0, expiresAt: 1 } as const
    expect(run(writer, { id: 1, verb: 'note', args: [note] }).unsynced).toBe(true)
    expect(() => writer.take({ kind: 'sync' })).toThrow(FatalError)
    abandon(writer)
  })
})

describe('durability', () => {
  const forget = (id: number): Job => ({ id, verb: 'forgetMemory', args: { kind: 'rate', key: 'k' } })

  test('relaxed commits are not synced until somebody asks, or a durable one comes', () => {
    const writer = openWriter()
    expect(run(writer, forget(1)).unsynced).toBe(true)
    writer.take({ kind: 'sync' })
    expect(run(writer, domain(2)).unsynced).toBe(false)
    expect(run(writer, forget(3)).unsynced).toBe(true)
    expect(run(writer, forget(4), domain(5)).unsynced).toBe(false)
  })

  test('pages that upkeep gave back made a durable job that wrote nothing vouch for a flag before it', () => {
    prepare(muchToGiveBack)
    const writer = openWriter({ at: 'sync', nth: 1, code: 'EIO' })
    expect(run(writer, forget(1)).unsynced).toBe(true)
    expect(() => writer.take({ kind: 'upkeep', ballast: undefined })).toThrow(FatalError)
    abandon(writer)
  })

  /** A content file that a ghost alone keeps, and the job that forgets the ghost. */
  function haunted(): { file: string; release: Job } {
    prepare(`INSERT INTO ghosts VALUES (1, 1, 1, 0, 0, 0, 0, '', NULL, x'', 1);
      INSERT INTO messages VALUES (1, 1, 0, 0, NULL, NULL, '', '', '', '', '', '', '', '', '', '', '', '');
      INSERT INTO contents VALUES (1, '000001/0', 0, 1, x'', NULL)`)
    const file = join(directory, '000001', '0')
    mkdirSync(join(directory, '000001'))
    writeFileSync(file, 'x')
    return { file, release: { id: 1, verb: 'releaseGhosts', args: { mailbox: 1, upTo: 1, limit: 1 } } }
  }

  test('a file went before it was on the disk that nobody needs it', () => {
    const { file, release } = haunted()
    const failing = openWriter({ at: 'sync', nth: 1, code: 'EIO' })
    expect(() => run(failing, release)).toThrow(FatalError)
    expect(existsSync(file)).toBe(true)
    abandon(failing)
  })

  test('a file that nobody needs any more stays while a backup may be copying it', () => {
    const { file, release } = haunted()
    const writer = openWriter()
    writer.take({ kind: 'keepFiles', keep: true })
    run(writer, release)
    expect(existsSync(file)).toBe(true)
    writer.take({ kind: 'keepFiles', keep: false })
    expect(existsSync(file)).toBe(false)
  })

  test('a durable job that wrote nothing vouches for nothing before it', () => {
    const writer = openWriter()
    run(writer, domain(1))
    const note = { kind: 'rate', key: 'k', at: 0, expiresAt: 1 } as const
    run(writer, { id: 2, verb: 'note', args: [note] })
    expect(run(writer, domain(1)).unsynced).toBe(true)
    expect(run(writer, { id: 3, verb: 'hold', args: [] }).unsynced).toBe(true)
  })

  test('what the process before left in the log is in the database before anything is added to it', () => {
    const first = openWriter()
    run(first, domain(1))
    abandon(first)
    openWriter()
    const copy = join(directory, 'without-log.db')
    copyFileSync(join(directory, 'mail.db'), copy)
    const db = new Database(copy)
    expect(db.prepare('SELECT name FROM domains').pluck().all()).toEqual(['d1.test'])
    db.close()
  })

  test('MODSEQs are not given out again after an unclean stop', () => {
    const first = openWriter()
    run(first, domain(1))
    const account = { login: 'a@d1.test', name: '', quota: 0, admin: false }
    run(first, { id: 2, verb: 'addAccount', args: { account, now: 0 } })
    const modSeqOf = (writer: Writer): number => {
      const args = { mailbox: 1, bounds: [], mode: 'add', flags: [], unchangedSince: null, limit: 1 } as const
      const [reply] = run(writer, { id: 3, verb: 'updateFlags', args }).replies
      return reply && 'value' in reply ? (reply.value as { modSeq: number }).modSeq : 0
    }
    const create = (writer: Writer, name: string): GroupReply =>
      run(writer, { id: 4, verb: 'createMailbox', args: { account: 1, name, specialUse: null } })
    expect(modSeqOf(first)).toBe(1)
    abandon(first)
    const second = openWriter()
    expect(second.unclean).toBe(true)
    const [reply] = create(second, 'later').replies
    const mailbox = reply && 'value' in reply ? (reply.value as number) : 0
    const args = { mailbox, bounds: [], mode: 'add', flags: [], unchangedSince: null, limit: 1 } as const
    const [flags] = run(second, { id: 5, verb: 'updateFlags', args }).replies
    expect(flags && 'value' in flags && (flags.value as { modSeq: number }).modSeq).toBeGreaterThan(1000)
  })

  test('after a crash a letter that comes again is known, though a recipient of it was refused', () => {
    const row = (journey: string) => ({ journey, at: 1000, messageId: '', transcriptAt: null, events: '[]' })
    const message = { columns: [], octets: Buffer.alloc(0), headerSize: 0, bodySize: 0, file: null, bodyStart: 0 }
    const accept = (journey: string): Job => {
      const rest = { messageId: '', unlessFull: [], filings: [], queue: [], memory: [], flow: [row(journey)] }
      return { id: 2, verb: 'accept', args: [{ journey, at: 1000, now: 1000, fingerprint: 'f', message, ...rest }] }
    }
    const first = openWriter()
    run(first, { id: 1, verb: 'recordFlow', args: [row('A')] }, accept('A'))
    abandon(first)
    const [reply] = run(openWriter(), accept('B')).replies
    expect(reply).toMatchObject({ value: [{ journey: 'A', repeated: true }] })
  })

  test('a letter that was accepted long before a crash is not taken for one that comes again', () => {
    const message = { columns: [], octets: Buffer.alloc(0), headerSize: 0, bodySize: 0, file: null, bodyStart: 0 }
    const accept = (journey: string, at: number, fingerprint: string): Job => {
      const flow = [{ journey, at, messageId: '', transcriptAt: null, events: '[]' }]
      const rest = { messageId: '', unlessFull: [], filings: [], queue: [], memory: [], flow }
      return { id: 1, verb: 'accept', args: [{ journey, at, now: at, fingerprint, message, ...rest }] }
    }
    const first = openWriter()
    for (const job of [accept('A', 1000, 'f'), accept('B', 70_000, 'g')]) run(first, job)
    abandon(first)
    const second = openWriter()
    expect(run(second, accept('C', 71_000, 'f')).replies).toMatchObject([{ value: [{ repeated: false }] }])
    expect(run(second, accept('D', 71_000, 'g')).replies).toMatchObject([{ value: [{ journey: 'B', repeated: true }] }])
  })
})

describe('the log', () => {
  test('is taken into the database by the writer where nobody else does that', () => {
    const writer = openBoundedWriter(20)
    for (let id = 1; id <= 30; id++) expect(run(writer, domain(id)).walFrames).toBeLessThan(20)
  })
})

describe('numbers', () => {
  const account = { login: 'a@d1.test', name: '', quota: 0, admin: false }
  /** Adds a flag to the first message of the INBOX of the first account, or takes it away. */
  const flag = (mode: 'add' | 'remove'): Job => {
    const args = { mailbox: 1, bounds: [1, 1], mode, flags: ['\\Seen'], unchangedSince: null, limit: 1 } as const
    return { id: 3, verb: 'updateFlags', args }
  }
  const append = (id: number, columns: (string | number | null)[]): Job => {
    const message = { columns, octets: Buffer.alloc(0), headerSize: 0, bodySize: 0, file: null, bodyStart: 0 }
    const messages = [{ message, flags: [], internalAt: 0, internalOffset: 0, uidl: null }]
    return { id, verb: 'append', args: { mailbox: 1, now: 0, messages } }
  }
  const valid = [0, 0, null, null, ...new Array<string>(12).fill('')]
  /** What the database says. */
  function read(sql: string): unknown {
    const db = new Database(join(directory, 'mail.db'), { readonly: true })
    const row = db.prepare(sql).raw().get()
    db.close()
    return row
  }

  function addAccount(writer: Writer): void {
    run(writer, domain(1), { id: 2, verb: 'addAccount', args: { account, now: 0 } })
  }

  test('a block of them is on the disk before one of it is told, though the commit is relaxed', () => {
    const first = openWriter()
    addAccount(first)
    run(first, append(3, valid))
    first.take({ kind: 'close' })
    writers = []
    const failing = openWriter({ at: 'sync', nth: 1, code: 'EIO' })
    expect(() => run(failing, flag('add'))).toThrow(FatalError)
    abandon(failing)
    const writer = openWriter()
    expect(run(writer, flag('remove')).unsynced).toBe(false)
    // No sync is made for those of a block that is there.
    expect(run(writer, flag('add')).unsynced).toBe(true)
  })

  test('those of a block whose reservation was undone with its job are not given out without another', () => {
    const writer = openWriter()
    addAccount(writer)
    expect(outcomes(run(writer, append(3, []), append(4, valid)))).toMatchObject({ 4: 'done' })
    const [used, reserved] = read(
      'SELECT id, (SELECT reserved FROM counters WHERE owner = 0) FROM messages',
    ) as number[]
    expect(reserved).toBeGreaterThan(used as number)
  })

  test('a clean stop gives back what is left of a block', () => {
    for (const writer of [openWriter(), openWriter()]) {
      addAccount(writer)
      run(writer, append(3, valid))
      writer.take({ kind: 'close' })
      writers.pop()
    }
    expect(read('SELECT max(id) - min(id) FROM messages')).toEqual([1])
  })
})
