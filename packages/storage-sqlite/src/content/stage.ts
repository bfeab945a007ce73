import { type FileHandle, open, rm } from 'node:fs/promises'
import { type ContentStage, type StagedContent, StoreError } from '@pennypost/model'
import type { Room } from '../room.ts'
import type { ContentFiles } from './content-files.ts'
import { readBufferRange, readFileRange } from './read-file.ts'

/**
 * Content on its way in. Up to `inlineOctets` it stays in memory and goes into the row; beyond, all of it is written to
 * a file as it comes, which is synced when it ends. Taken over by `pack.ts`.
 */
export function createStage(files: ContentFiles, room: Room, inlineOctets: number): ContentStage {
  return new Stage(files, room, inlineOctets)
}

class Stage implements ContentStage {
  readonly #files: ContentFiles
  readonly #room: Room
  readonly #inlineOctets: number
  #chunks: Buffer[] = []
  #size = 0
  #writing = false
  #file: { name: string; handle: FileHandle } | undefined
  #staged: Staged | undefined

  constructor(files: ContentFiles, room: Room, inlineOctets: number) {
    this.#files = files
    this.#room = room
    this.#inlineOctets = inlineOctets
  }

  write(chunk: Buffer): Promise<void> | undefined {
    // Two writes at a time would change places, and two files would be opened for one content.
    if (this.#writing) throw new Error('ContentStage.write: the write before this one has not ended')
    this.#size += chunk.length
    if (this.#file) {
      this.#room.spend(chunk.length)
      return this.#alone(writeAll(this.#file.handle, [chunk]))
    }
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
      this.#staged = new Staged(this.#files, Buffer.concat(this.#chunks, this.#size), null, this.#size)
    } else {
      await orNoRoom(this.#file.handle.datasync())
      await this.#file.handle.close()
      this.#staged = new Staged(this.#files, null, this.#file.name, this.#size)
    }
    this.#chunks = []
    return this.#staged
  }

  async discard(): Promise<void> {
    this.#chunks = []
    if (this.#staged) return this.#staged.discard()
    const file = this.#file
    this.#file = undefined
    if (!file) return
    await file.handle.close()
    await rm(this.#files.path(file.name), { force: true })
  }

  async #create(): Promise<{ name: string; handle: FileHandle }> {
    const name = this.#files.next()
    return { name, handle: await open(this.#files.path(name), 'wx', 0o600) }
  }

  async #spill(): Promise<void> {
    this.#file = await orNoRoom(this.#create())
    const chunks = this.#chunks
    this.#chunks = []
    this.#room.spend(this.#size)
    await writeAll(this.#file.handle, chunks)
  }
}

async function writeAll(handle: FileHandle, chunks: readonly Buffer[]): Promise<void> {
  const octets = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  const { bytesWritten } = await orNoRoom(handle.writev([...chunks]))
  if (bytesWritten === octets) return
  // A short write: the rest once more, which succeeds or says why not.
  const rest = Buffer.concat(chunks).subarray(bytesWritten)
  for (let at = 0; at < rest.length; ) at += (await orNoRoom(handle.write(rest, at))).bytesWritten
}

/** Rejects with `no-room` on a full disk, or when the user who runs us may not have more of it. */
async function orNoRoom<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new StoreError('no-room', 'the file system is full')
    throw error
  }
}

/** Content that this engine has staged. */
export class Staged implements StagedContent {
  readonly size: number
  readonly #files: ContentFiles
  #octets: Buffer | null
  #name: string | null
  #gone = false

  constructor(files: ContentFiles, octets: Buffer | null, name: string | null, size: number) {
    this.#files = files
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
  take(): { octets: Buffer; file: null } | { octets: null; file: string } {
    this.#requireHere()
    this.#gone = true
    const octets = this.#octets
    const file = this.#name
    this.#octets = null
    if (octets) return { octets, file: null }
    return { octets: null, file: file as string }
  }

  async discard(): Promise<void> {
    if (this.#gone) return
    this.#gone = true
    this.#octets = null
    if (this.#name !== null) await rm(this.#files.path(this.#name), { force: true })
  }

  #requireHere(): void {
    if (this.#gone) throw new StoreError('unavailable', 'the content was taken over or discarded before')
  }
}
