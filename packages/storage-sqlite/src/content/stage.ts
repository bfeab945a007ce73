import { type FileHandle, open, rm } from 'node:fs/promises'
import { type ContentStage, type ReservedRoom, type StagedContent, StoreError } from '@pennypost/model'
import type { Engine } from '../engine.ts'
import { Reservation } from '../room.ts'
import { isFull } from '../writer/full-disk.ts'
import type { ContentFiles } from './content-files.ts'
import { readBufferRange, readFileRange } from './read-file.ts'

/**
 * Content on its way in. Up to `inlineOctets` it stays in memory and goes into the row; beyond, all of it is written to
 * a file as it comes, which is synced when it ends. Taken over by `pack.ts`.
 */
export function createStage({ files, room, limits }: Stager, promised: ReservedRoom | undefined): ContentStage {
  if (promised && !(promised instanceof Reservation)) throw new TypeError('the room was promised by another engine')
  const onFull = (): void => room.ranOut()
  return new Stage(
    { files, room: promised ?? room.open(), isPromised: promised !== undefined, onFull },
    limits.inlineOctets,
  )
}

type Stager = Pick<Engine, 'files' | 'room' | 'limits'>

interface Place {
  files: ContentFiles
  room: Reservation
  /** Content that nobody promised room to is refused only when it is to be stored: a DSN goes into the reserve. */
  isPromised: boolean
  /** A write found no room. */
  onFull: () => void
}

class Stage implements ContentStage {
  readonly #place: Place
  readonly #inlineOctets: number
  #chunks: Buffer[] = []
  #size = 0
  #writing = false
  #file: { name: string; handle: FileHandle } | undefined
  #staged: Staged | undefined

  constructor(place: Place, inlineOctets: number) {
    this.#place = place
    this.#inlineOctets = inlineOctets
  }

  write(chunk: Buffer): Promise<void> | undefined {
    // Two writes at a time would change places, and two files would be opened for one content.
    if (this.#writing) throw new Error('ContentStage.write: the write before this one has not ended')
    this.#size += chunk.length
    if (this.#file) return this.#alone(this.#write(this.#file.handle, [chunk]))
    this.#chunks.push(chunk)
    return this.#size > this.#inlineOctets ? this.#alone(this.#spill()) : undefined
  }

  async #alone(write: Promise<void>): Promise<void> {
    this.#writing = true
    try {
      await write
    } finally {
      this.#writing = false
    }
  }

  async finish(): Promise<StagedContent> {
    if (this.#staged) return this.#staged
    if (!this.#file) {
      this.#staged = new Staged(this.#place, Buffer.concat(this.#chunks, this.#size), null, this.#size)
    } else {
      await this.#orNoRoom(this.#file.handle.datasync())
      await this.#file.handle.close()
      this.#staged = new Staged(this.#place, null, this.#file.name, this.#size)
    }
    this.#chunks = []
    return this.#staged
  }

  async discard(): Promise<void> {
    this.#chunks = []
    if (this.#staged) return this.#staged.discard()
    this.#place.room[Symbol.dispose]()
    const file = this.#file
    this.#file = undefined
    if (!file) return
    await file.handle.close()
    await rm(this.#place.files.path(file.name), { force: true })
  }

  async #create(): Promise<{ name: string; handle: FileHandle }> {
    const { files } = this.#place
    const name = files.next()
    return { name, handle: await open(files.path(name), 'wx', 0o600) }
  }

  async #spill(): Promise<void> {
    this.#file = await this.#orNoRoom(this.#create())
    const chunks = this.#chunks
    this.#chunks = []
    await this.#write(this.#file.handle, chunks)
  }

  async #write(handle: FileHandle, chunks: readonly Buffer[]): Promise<void> {
    const { room, isPromised } = this.#place
    const octets = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    if (isPromised) room.write(octets)
    await this.#orNoRoom(writeAll(handle, chunks, octets))
    room.wrote(octets)
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

/** Content that this engine has staged. */
export class Staged implements StagedContent {
  readonly size: number
  readonly #files: ContentFiles
  readonly #room: Reservation
  #octets: Buffer | null
  #name: string | null
  #gone = false

  constructor({ files, room }: Place, octets: Buffer | null, name: string | null, size: number) {
    this.#files = files
    this.#room = room
    this.#octets = octets
    this.#name = name
    this.size = size
  }

  async *read(start = 0, end = this.size): AsyncGenerator<Buffer> {
    this.#requireHere()
    const last = Math.min(end, this.size)
    if (this.#octets) yield* readBufferRange(this.#octets, start, last)
    else if (this.#name !== null) yield* readFileRange(this.#files.path(this.#name), start, last)
  }

  /** Hands the content over to a job; afterwards it is not here any more. */
  take(): { room: Reservation } & ({ octets: Buffer; file: null } | { octets: null; file: string }) {
    this.#requireHere()
    this.#gone = true
    const room = this.#room
    const octets = this.#octets
    this.#octets = null
    if (octets) return { room, octets, file: null }
    return { room, octets: null, file: this.#name as string }
  }

  async discard(): Promise<void> {
    if (this.#gone) return
    this.#gone = true
    this.#octets = null
    this.#room[Symbol.dispose]()
    if (this.#name !== null) await rm(this.#files.path(this.#name), { force: true })
  }

  #requireHere(): void {
    if (this.#gone) throw new StoreError('unavailable', 'the content was taken over or discarded before')
  }
}
