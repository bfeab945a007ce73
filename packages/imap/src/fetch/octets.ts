import type { MailStore, MessageId } from '@pennypost/model'
import type { Partial } from '../grammar/section.ts'
import type { Output } from '../wire/output.ts'

/** Octets in memory, ASCII text in memory, or a range of a stored body that is read when it is sent. */
export type Stretch = Buffer | string | StoredStretch

/** Octets of the stored body from `start` up to `end`, exclusive. */
export interface StoredStretch {
  start: number
  end: number
}

/** What a section is: stretches of one message, in order. Nothing is read or copied until it is written. */
export class Octets {
  readonly message: MessageId
  readonly stretches: readonly Stretch[]
  readonly size: number

  constructor(message: MessageId, stretches: readonly Stretch[]) {
    this.message = message
    this.stretches = stretches
    let size = 0
    for (const stretch of stretches) size += sizeOf(stretch)
    this.size = size
  }

  /** RFC 9051 §6.4.5: what of it lies in the range; nothing when it begins beyond the end. */
  slice(partial: Partial | undefined): Octets {
    if (!partial) return this
    let skip = partial.start
    let left = partial.size
    const stretches: Stretch[] = []
    for (const stretch of this.stretches) {
      const size = sizeOf(stretch)
      const from = Math.min(skip, size)
      const to = Math.min(size, from + left)
      skip -= from
      left -= to - from
      if (to > from) stretches.push(subStretch(stretch, from, to))
    }
    return new Octets(this.message, stretches)
  }

  /** All in memory: nothing has to be read to write it. */
  get isHere(): boolean {
    return this.stretches.every(isHere)
  }

  /**
   * Rejects when what is stored cannot be read to its end: to be known before its size is announced, since nothing that
   * could be said inside of a literal would be understood.
   */
  async check(mail: MailStore): Promise<void> {
    for (const stretch of this.stretches) {
      if (isHere(stretch) || stretch.end === stretch.start) continue
      await Array.fromAsync(mail.readBody(this.message, stretch.end - 1, stretch.end))
    }
  }

  /**
   * Writes `before` and the octets, with back-pressure for what must be read. When the message is gone it rejects with
   * `no-such-message`, and has written nothing.
   */
  write(out: Output, mail: MailStore, before: string): void | Promise<void> {
    if (!this.isHere) return this.#stream(out, mail, before)
    out.text(before)
    for (const stretch of this.stretches) {
      if (typeof stretch === 'string') out.text(stretch)
      else out.octets(stretch as Buffer)
    }
  }

  async #stream(out: Output, mail: MailStore, before: string): Promise<void> {
    // There is one: a section is one range of the body.
    const stored = this.stretches.find((stretch) => !isHere(stretch)) as StoredStretch
    const chunks = await begun(mail.readBody(this.message, stored.start, stored.end))
    out.text(before)
    for (const stretch of this.stretches) {
      if (typeof stretch === 'string') out.text(stretch)
      else if (Buffer.isBuffer(stretch)) out.octets(stretch)
      else {
        for await (const chunk of chunks) {
          out.octets(chunk)
          out.spend(chunk)
          await out.ready()
          if (out.gone) return
        }
      }
    }
  }

  async *chunks(mail: MailStore): AsyncGenerator<Buffer> {
    for (const stretch of this.stretches) {
      if (typeof stretch === 'string') yield Buffer.from(stretch, 'latin1')
      else if (Buffer.isBuffer(stretch)) yield stretch
      else yield* mail.readBody(this.message, stretch.start, stretch.end)
    }
  }

  /** All of it at once; for headers, which are small. */
  async collect(mail: MailStore): Promise<Buffer> {
    const [only] = this.stretches
    if (this.stretches.length === 1 && Buffer.isBuffer(only)) return only
    const chunks: Buffer[] = []
    for await (const chunk of this.chunks(mail)) chunks.push(chunk)
    return Buffer.concat(chunks)
  }
}

/**
 * Its first chunk has been read: what is being read stays readable, though it be expunged. The caller goes through it, to
 * its end or not.
 */
export async function begun(chunks: AsyncIterable<Buffer>): Promise<AsyncIterable<Buffer>> {
  const iterator = chunks[Symbol.asyncIterator]()
  const first = await iterator.next()
  return (async function* () {
    try {
      for (let next = first; !next.done; next = await iterator.next()) yield next.value
    } finally {
      await iterator.return?.()
    }
  })()
}

/** In memory. */
export function isHere(stretch: Stretch): stretch is Buffer | string {
  return typeof stretch === 'string' || Buffer.isBuffer(stretch)
}

function sizeOf(stretch: Stretch): number {
  return isHere(stretch) ? stretch.length : stretch.end - stretch.start
}

function subStretch(stretch: Stretch, from: number, to: number): Stretch {
  if (typeof stretch === 'string') return stretch.slice(from, to)
  if (Buffer.isBuffer(stretch)) return stretch.subarray(from, to)
  return { start: stretch.start + from, end: stretch.start + to }
}
