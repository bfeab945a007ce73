import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type MailboxId, makeDirectory, type Store, StoreError, type StoreFault, type Timer } from '@pennypost/model'
import { inBackground } from './background.ts'
import { ContentFiles } from './content/content-files.ts'
import { type DataDirectory, fileSystemSpace, openDataDirectory } from './data-directory.ts'
import type { Engine } from './engine.ts'
import { type BackupOptions, KeeperClient } from './keeper-client.ts'
import { type SqliteLimits, type SqliteStoreOptions, sqliteLimits } from './options.ts'
import { Pins } from './pins.ts'
import { createArrival } from './ports/arrival.ts'
import { SqliteCredentials } from './ports/credentials.ts'
import { SqliteDirectory } from './ports/directory.ts'
import { createFlow, createPolicyMemory } from './ports/flow.ts'
import { createMailboxes, reapGraves } from './ports/mailboxes.ts'
import { createMessages } from './ports/messages.ts'
import { createQueue } from './ports/queue.ts'
import { createAnnotations, createSharing } from './ports/sharing.ts'
import { Reader } from './reader/reader.ts'
import { Room } from './room.ts'
import { SearchClient, type SearchStats } from './search/search-client.ts'
import { removeIndex } from './search/search-index.ts'
import { Watchers } from './watchers.ts'
import type { GroupReply } from './writer/protocol.ts'
import { WriterClient } from './writer-client.ts'

/** The embedded engine: a Store with what an operator wants to know of it. */
export interface SqliteStore extends Store {
  /** For metrics and `status`. */
  stats(): SqliteStats
  /**
   * Writes a copy that is a data directory itself, while the store is in use; the directory must not hold a mail.db
   * yet. Gives what a check of the copy finds, when it is to be verified. Rejects with `exists`, and `no-room` when the
   * copy would touch the reserve of this file system.
   */
  backup(target: string, options?: BackupOptions): Promise<StoreFault[]>
}

export interface SqliteStats {
  /** Jobs that are under way. */
  pending: number
  /** Since start. */
  commits: number
  jobs: number
  /** Frames in the write-ahead log that are not in the database yet. */
  walFrames: number
  hasRoom: boolean
  search: SearchStats
}

/** Opens the data directory, which nobody else may have open, and starts its writer. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const directory = openDataDirectory(options.directory, options.log)
  try {
    refuseHalfRestored(directory)
    return await new RunningStore(options, directory).open()
  } catch (error) {
    directory[Symbol.dispose]()
    throw error
  }
}

/** A new store would begin in it, and a server over that knows nobody. */
function refuseHalfRestored({ path, database, staging }: DataDirectory): void {
  if (existsSync(database) || !existsSync(staging)) return
  throw new Error(
    `A restore into ${path} was broken off: run \`pennypost restore\` again, or remove ${staging} for a new store.`,
  )
}

const firstUpkeepMs = 1000
const upkeepMs = 60_000

interface OpenEngine extends Engine {
  search: SearchClient
}

/** A store from its opening to its close: its threads, and what is done after commits and from time to time. */
class RunningStore {
  readonly #options: SqliteStoreOptions
  readonly #directory: DataDirectory
  readonly #limits: SqliteLimits
  readonly #watchers = new Watchers()
  readonly #room: Room
  readonly #keeper: KeeperClient
  readonly #writer: WriterClient
  #reader: Reader | undefined
  #search: SearchClient | undefined
  #failed = false
  #hadRoom = true
  /** That are under way. */
  #backups = 0
  #backupsEnded: Promise<unknown> = Promise.resolve()
  #commits = 0
  #jobs = 0
  #walFrames = 0
  #checkpointTimer: Timer | undefined
  #upkeepTimer: Timer | undefined

  constructor(options: SqliteStoreOptions, directory: DataDirectory) {
    this.#options = options
    this.#directory = directory
    this.#limits = { ...sqliteLimits, ...options.limits }
    const { clock, deadline, random } = options
    const measure = options.space ?? fileSystemSpace
    this.#room = new Room(() => measure(directory.path), directory, clock, this.#limits)
    const { database, contents, ballast } = directory
    const workers = options.workers ?? {
      writer: new URL('./writer/main.ts', import.meta.url),
      keeper: new URL('./keeper/main.ts', import.meta.url),
    }
    const onFatal = (error: Error): void => this.#fail(error)
    this.#keeper = new KeeperClient(workers.keeper, { database, contents }, onFatal)
    this.#writer = new WriterClient({
      url: workers.writer,
      data: {
        database,
        contents,
        ballast,
        now: clock.now(),
        faults: options.faults ?? [],
        incarnation: random.bytes(8).toString('hex'),
        limits: this.#limits,
        walCeilingFrames: this.#limits.walCeilingFrames,
        groupJobs: this.#limits.groupJobs,
        cacheOctets: this.#limits.cacheOctets,
      },
      clock,
      deadline,
      limits: this.#limits,
      onGroup: (group) => this.#onGroup(group),
      onFatal,
    })
  }

  /** When it rejects, nothing of the store runs any more. */
  async open(): Promise<SqliteStore> {
    try {
      return await this.#open()
    } catch (error) {
      await this.#close()
      throw error
    }
  }

  async #open(): Promise<SqliteStore> {
    const { clock, log } = this.#options
    const { unclean } = await this.#writer.ready
    if (unclean) log.warn({ directory: this.#directory.path }, 'storage: the last process did not close the store')
    const reader = (this.#reader = new Reader(this.#directory.database, clock, this.#limits.cacheOctets))
    const search = this.#openSearch(reader)
    const engine: OpenEngine = {
      reader,
      writer: this.#writer,
      clock,
      log,
      search,
      limits: this.#limits,
      room: this.#room,
      files: new ContentFiles(this.#directory.contents),
      staged: { octets: 0 },
      pins: new Pins((mailbox) => releaseGhosts(engine, mailbox)),
      watchers: this.#watchers,
    }
    this.#clearUp(engine)
    this.#upkeepTimer = this.#options.deadline.after(firstUpkeepMs, () => this.#upkeep(engine))
    return this.#store(engine)
  }

  #openSearch(reader: Reader): SearchClient {
    const { clock, deadline, log, searchThread: url } = this.#options
    const { database, contents, searchIndex: path } = this.#directory
    const keeps = this.#limits.searchIndexOctets > 0
    const keptCharacters = this.#limits.cacheOctets / 4
    // Without an index none is kept either: it would fall behind the store.
    if (!keeps) removeIndex(path)
    this.#search = new SearchClient({
      url,
      clock,
      deadline,
      log,
      limits: this.#limits,
      data: { database, contents, path, keeps, keptCharacters },
      newest: () => (reader.pluck('SELECT max(id) FROM messages').get() as number | null) ?? 0,
      hasRoom: (octets) => this.#room.has(octets),
    })
    return this.#search
  }

  #store(engine: OpenEngine): SqliteStore {
    const credentials = new SqliteCredentials(engine)
    let closing: Promise<void> | undefined
    const close = (): Promise<void> => (closing ??= this.#close())
    return {
      mail: { ...createArrival(engine), ...createMailboxes(engine), ...createMessages(engine) },
      sharing: createSharing(engine),
      annotations: createAnnotations(engine),
      queue: createQueue(engine),
      directory: new SqliteDirectory(engine, () => credentials.changed()),
      credentials,
      flow: createFlow(engine),
      memory: createPolicyMemory(engine),
      check: () => this.#check(engine),
      stats: () => ({
        pending: this.#writer.pending,
        commits: this.#commits,
        jobs: this.#jobs,
        walFrames: this.#walFrames,
        hasRoom: this.#room.has(0),
        search: engine.search.stats(),
      }),
      backup: (target, how) => this.#backup(target, how),
      close,
      [Symbol.asyncDispose]: close,
    }
  }

  async *#check(engine: OpenEngine): AsyncGenerator<StoreFault> {
    engine.reader.requireOpen()
    // What a backup keeps files of is no fault. The keeper does one after the other anyway.
    do {
      await this.#backupsEnded
      await this.#writerReached()
    } while (this.#backups > 0)
    yield* await this.#keeper.check(engine.files.firstDirectory)
    yield* await engine.search.check()
  }

  #backup(target: string, how?: BackupOptions): Promise<StoreFault[]> {
    const running = this.#backUp(target, how)
    this.#backupsEnded = Promise.allSettled([this.#backupsEnded, running])
    return running
  }

  /** Rejects when the writer is closed. When it resolves, the writer has done all that was posted before. */
  #writerReached(): Promise<unknown> {
    // A job that does nothing.
    return this.#writer.run('renew', { leases: [], until: 0 })
  }

  async #backUp(target: string, how?: BackupOptions): Promise<StoreFault[]> {
    if (existsSync(join(target, 'mail.db')))
      throw new StoreError('exists', `${target} holds a store or a backup: name another directory`)
    makeDirectory(target, 0o700)
    const here = statSync(this.#directory.database)
    if (statSync(target).dev === here.dev && !this.#room.has(here.size)) {
      throw new StoreError('no-room', 'the copy would leave less than the reserve')
    }
    // Files stay until the last of those that overlap is done.
    if (this.#backups++ === 0) this.#writer.post({ kind: 'keepFiles', keep: true })
    try {
      await this.#writerReached()
      return await this.#keeper.backup(target, how)
    } finally {
      if (--this.#backups === 0) this.#writer.post({ kind: 'keepFiles', keep: false })
    }
  }

  #onGroup(group: GroupReply): void {
    this.#commits++
    this.#jobs += group.replies.length
    this.#walFrames = group.walFrames
    this.#room.grows(group.databaseOctets)
    if (group.ranOut) this.#room.ranOut()
    this.#reader?.committed()
    this.#watchers.wake(group)
    this.#search?.committed(group)
    if (group.walFrames < this.#limits.checkpointFrames || this.#checkpointTimer) return
    this.#checkpointTimer = this.#options.deadline.after(this.#limits.checkpointMs, () => {
      this.#checkpointTimer = undefined
      this.#keeper.checkpoint()
    })
  }

  /** What the process before left behind. */
  #clearUp(engine: Engine): void {
    const { reader, files } = engine
    const isReferenced = (file: string) => reader.pluck('SELECT 1 FROM contents WHERE file = ?').get(file) !== undefined
    const swept = files.sweep(isReferenced)
    if (swept > 0) engine.log.info({ files: swept }, 'storage: removed content that nothing refers to')
    const haunted = reader.pluck('SELECT DISTINCT mailbox FROM ghosts').all() as MailboxId[]
    for (const mailbox of haunted) void releaseGhosts(engine, mailbox)
    reapGraves(engine)
  }

  /**
   * Ballast, free pages and a rest of the log: once a minute, and every second while room is wanted. A small rest is not worth
   * the keeper, which a server with little to do never starts.
   */
  #upkeep(engine: Engine): void {
    const isSmall = this.#walFrames < this.#limits.checkpointFrames
    const ballast = this.#room.ballast()
    this.#tellRoom(ballast !== undefined)
    this.#writer.post({ kind: 'upkeep', ballast, checkpoint: isSmall && this.#walFrames > 0 })
    if (!isSmall) this.#keeper.checkpoint()
    const pauseMs = this.#room.isWanted ? firstUpkeepMs : upkeepMs
    this.#upkeepTimer = this.#options.deadline.after(pauseMs, () => this.#upkeep(engine))
  }

  #tellRoom(hasRoom: boolean): void {
    if (hasRoom === this.#hadRoom) return
    this.#hadRoom = hasRoom
    const { log } = this.#options
    const { path: directory } = this.#directory
    if (hasRoom) log.info({ directory }, 'storage: there is room again: new mail is taken')
    else log.warn({ directory }, 'storage: the disk is down to its reserve: new mail is put off; make room')
  }

  #fail(error: Error): void {
    if (this.#failed) return
    this.#failed = true
    this.#options.log.error({ err: error }, 'storage: the store has failed and stops')
    this.#options.onFatal?.(error)
  }

  async #close(): Promise<void> {
    this.#checkpointTimer?.[Symbol.dispose]()
    this.#upkeepTimer?.[Symbol.dispose]()
    // The writer goes last: the last connection takes the log into the database and removes it.
    await this.#writer.drain()
    await this.#search?.close()
    this.#reader?.close()
    await this.#keeper.close()
    await this.#writer.close()
    this.#directory[Symbol.dispose]()
  }
}

/** Forgets what was expunged and no pin needs: asked before each job, since another pin may have come meanwhile. */
function releaseGhosts({ reader, writer, pins, limits, log }: Engine, mailbox: MailboxId): Promise<void> {
  return inBackground({ log }, 'release ghosts', async () => {
    for (;;) {
      const upTo = pins.since(mailbox) ?? Number.MAX_SAFE_INTEGER
      const ghosts = reader.pluck('SELECT 1 FROM ghosts WHERE mailbox = ? AND expunged_modseq <= ? LIMIT 1')
      if (ghosts.get(mailbox, upTo) === undefined) return
      await writer.run('releaseGhosts', { mailbox, upTo, limit: limits.messagesPerJob })
    }
  })
}
