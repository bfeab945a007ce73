import type { ExportedMailbox, ExportedMessage } from '../operations/export.ts'
import type { Frame } from '../socket/frames.ts'

/** Where exported messages go. Calls come one after the other: a mailbox, then its messages. */
export interface ExportTarget {
  mailbox(mailbox: ExportedMailbox): Promise<void>
  begin(message: ExportedMessage): Promise<void>
  write(octets: Buffer): Promise<void>
  end(): Promise<void>
  /** All is there: what was written gets its place. */
  finish(): Promise<void>
}

/** Takes the frames of operation `export`. */
export function frameTaker(target: ExportTarget): (frame: Frame) => Promise<void> {
  return (frame) => {
    if ('octets' in frame) return target.write(frame.octets)
    if ('end' in frame) return target.end()
    const { head } = frame as { head: unknown }
    return isMailbox(head) ? target.mailbox(head) : target.begin(head as ExportedMessage)
  }
}

const isMailbox = (head: unknown): head is ExportedMailbox => (head as ExportedMailbox).mailbox !== undefined
