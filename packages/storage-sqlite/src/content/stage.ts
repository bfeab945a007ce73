import { type FileHandle, open, rm } from 'node:fs/promises'
import { type ContentStage, freeOctets, type ReservedRoom, type StagedContent, StoreError } from '@pennypost/model'
import type { Engine } from '../engine.ts'
import type { SqliteLimits } from '../options.ts'
import { Reservation } from '../room.ts'
import { isFull } from '../writer/full-disk.ts'
import type { ContentFiles } from './content-files.ts'
import { readBufferRange, readFileRange } from './read-file.ts'

/**
 * Content on its way in. Up to `inlineOctets` it stays in memory and goes into the row; beyond, all of it is written to
 * a file while it comes, which is synced when it ends. So is small content when too much of it is in memory already,
 * since nobody says how many messages one APPEND brings. Taken over by `pack.ts`.
 *
 * Writes go on while more comes: a sender waits only when as much is held as is being written. What goes wrong with one
 * rejects the next call, and `finish` at the latest.
 */
export function createStage(stager: Stager, promised: ReservedRoom | undefined): ContentStage {
  const { files, room, limits, staged } = stager
  if (promised && !(promised instanceof Reservation)) throw new TypeError('the room was promised by another engine')
  const onFull = (): void => room.ranOut()
  return new Stage({ files, room: promised ?? room.open(), isPromised: promised !== undefined, staged, onFull }, limits)
}

export type Stager = Pick<Engine, 'files' | 'room' | 'limits' | 'staged'>

interface Place {
  files: ContentFiles
  room: Reservation
  /** Content that nobody promised room to is refused only when it is to be stored: a DSN goes into the reserve. */
  isPromised: boolean
  staged: Engine['staged']
  /** A write found no room. */
  onFull: () => void
}

/** Octets of one write: each costs a trip through the thread pool. */
const writeOctets = 256 * 1024
/** The disk begins with what came before the rest is here, so that little is left to sync in the end. */
const syncOctets = 4 * 1024 * 1024

class Stage implements ContentStage {
  readonly #place: Place
  readonly #limits: SqliteLimits
  /** What is not in the file yet. */
  #held: Buffer[] = []
  #heldOctets = 0
  #size = 0
  #file: { name: string; handle: FileHandle } | undefined
  /** The write that is under way; never rejects. */
  #writing: Promise<void> | undefined
  #syncing: Promise<void> | undefined
  #unsynced = 0
  #waiting = false
  #failure: { error: unknown } | undefined
  #staged: Staged | undefined

  constructor(place: Place, limits: SqliteLimits) {
    this.#place = place
    this.#limits = limits
  }

  write(chunk: Buffer): Promise<void> | undefined {
    if (this.#waiting) throw new Error('ContentStage.write: the write before this one has not ended')
    this.#size += chunk.length
    this.#held.push(chunk)
    this.#heldOctets += chunk.length
    if (this.#size <= this.#limits.inlineOctets) return undefined
    if (this.#heldOctets < writeOctets) return undefined
    if (this.#writing || this.#failure) return this.#wait()
    this.#begin()
    return undefined
  }

  async finish(): Promise<StagedContent> {
    try {
      return await this.#finish()
    } catch (error) {
      await this.discard()
      throw error
    }
  }

  async #finish(): Promise<StagedContent> {
    if (this.#staged) return this.#staged
    if (
      this.#size <= this.#limits.inlineOctets &&
      this.#place.staged.octets + this.#size <= this.#limits.stagedOctets
    ) {
      this.#staged = new Staged(this.#place, this.#held, null, this.#size)
    } else {
      if (this.#heldOctets > 0) {
        await this.#writing
        this.#begin()
      }
      await this.#settled()
      const { name, handle } = this.#file as { name: string; handle: FileHandle }
      await this.#orNoRoom(handle.datasync())
      await handle.close()
      this.#staged = new Staged(this.#place, null, name, this.#size)
    }
    this.#held = []
    return this.#staged
  }

  async discard(): Promise<void> {
    this.#held = []
    if (this.#staged) return this.#staged.discard()
    await this.#writing
    await this.#syncing
    this.#place.room[Symbol.dispose]()
    const file = this.#file
    this.#file = undefined
    if (!file) return
    await file.handle.close()
    await rm(this.#place.files.path(file.name), { force: true })
  }

  /** As much is held as is being written: more may come when that is done. */
  async #wait(): Promise<void> {
    this.#waiting = true
    try {
      await this.#writing
      if (this.#failure) throw this.#failure.error
      this.#begin()
    } finally {
      this.#waiting = false
    }
  }

  /** Nothing is under way any more. @throws what went wrong. */
  async #settled(): Promise<void> {
    await this.#writing
    await this.#syncing
    if (this.#failure) throw this.#failure.error
  }

  #begin(): void {
    if (this.#failure) return
    const chunks = this.#held
    this.#held = []
    this.#heldOctets = 0
    this.#writing = this.#noting(this.#write(chunks)).finally(() => {
      this.#writing = undefined
    })
  }

  async #write(chunks: readonly Buffer[]): Promise<void> {
    const { room, isPromised } = this.#place
    const octets = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    if (isPromised) room.write(octets)
    this.#file ??= await this.#orNoRoom(this.#create())
    const { handle } = this.#file
    await this.#orNoRoom(writeAll(handle, chunks, octets))
    room.wrote(octets)
    this.#unsynced += octets
    for (const chunk of chunks) freeOctets(chunk)
    if (this.#unsynced < syncOctets || this.#syncing) return
    this.#unsynced = 0
    this.#syncing = this.#noting(this.#orNoRoom(handle.datasync())).finally(() => {
      this.#syncing = undefined
    })
  }

  async #noting(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#failure ??= { error }
    }
  }

  async #create(): Promise<{ name: string; handle: FileHandle }> {
    const { files } = this.#place
    const name = files.next()
    return { name, handle: await open(files.path(name), 'wx', 0o600) }
  }

  /** Rejects with `no-room` on a full disk, or when the user who runs us may not have more of it. */
  async #orNoRoom<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work
    } catch (error) {
      if (!isFull(error)) throw error
      this.#place.onFull()
      throw new StoreError('no-room', 'the file system is full')
    }
  }
}

async function writeAll(handle: FileHandle, chunks: readonly Buffer[], octets: number): Promise<void> {
  const { bytesWritten } = await handle.writev([...chunks])
  if (bytesWritten === octets) return
  // A short write: the rest once more, which succeeds or says why not.
  const rest = Buffer.concat(chunks).subarray(bytesWritten)
  for (let at = 0; at < rest.length; ) at += (await handle.write(rest, at)).bytesWritten
}

/** Content that this engine has staged: octets in memory, or a file. */
export class Staged implements StagedContent {
  readonly size: number
  readonly #place: Place
  #octets: readonly Buffer[] | null
  readonly #name: string | null
  #gone = false

  constructor(place: Place, octets: readonly Buffer[] | null, name: string | null, size: number) {
    this.#place = place
    this.#octets = octets
    this.#name = name
    this.size = size
    if (octets) place.staged.octets += size
  }

  async *read(start = 0, end = this.size): AsyncGenerator<Buffer> {
    this.#requireHere()
    const last = Math.min(end, this.size)
    if (this.#name !== null) yield* readFileRange(this.#place.files.path(this.#name), start, last)
    let at = 0
    for (const chunk of this.#octets ?? []) {
      yield* readBufferRange(chunk, Math.max(0, start - at), Math.min(chunk.length, last - at))
      at += chunk.length
    }
  }

  /** Hands the content over to a job; afterwards it is not here any more. */
  take(): { room: Reservation } & ({ octets: readonly Buffer[]; file: null } | { octets: null; file: string }) {
    this.#requireHere()
    const { room } = this.#place
    const octets = this.#octets
    this.#leave()
    if (octets) return { room, octets, file: null }
    return { room, octets: null, file: this.#name as string }
  }

  async discard(): Promise<void> {
    if (this.#gone) return
    this.#leave()
    this.#place.room[Symbol.dispose]()
    if (this.#name !== null) await rm(this.#place.files.path(this.#name), { force: true })
  }

  #leave(): void {
    this.#gone = true
    if (this.#octets) this.#place.staged.octets -= this.size
    this.#octets = null
  }

  #requireHere(): void {
    if (this.#gone) throw new StoreError('unavailable', 'the content was taken over or discarded before')
  }
}
