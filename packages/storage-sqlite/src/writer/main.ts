import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { codeOf, FatalError } from './fatal-error.ts'
import { isFull } from './full-disk.ts'
import type { FromWriter, ToWriter, WriterData } from './protocol.ts'
import { Writer } from './writer.ts'

/**
 * The writer thread: owns the only connection that writes. Started by `writer-client.ts`, which is the only one that
 * talks to it. It has no timers: syncs and upkeep are asked for by the main thread, which owns time.
 */
const port = parentPort
if (!port) throw new Error('writer/main.ts runs as a worker thread')

const send = (message: FromWriter): void => port.postMessage(message)

function stop(error: unknown): void {
  send({ kind: 'fatal', message: error instanceof Error ? error.message : String(error) })
  port?.close()
}

/** What SQLite does not say: which file, and what to look at. */
const closedDoors: Readonly<Record<string, string>> = {
  SQLITE_CANTOPEN:
    ', or a file beside it, cannot be opened; look at the rights of its directory, and at the room and the inodes left on its disk',
  SQLITE_READONLY: ', or a file beside it, cannot be written; look at its owner and its mode',
  SQLITE_NOTADB: ' is damaged; `pennypost restore DIR --replace` puts a backup back, and moves what is there aside',
}

/** The ballast is given up as well, or somebody has removed it. */
const roomless = ' cannot be opened without any room on its disk; make some'

function openWriter(data: WriterData): Writer {
  try {
    return new Writer(data)
  } catch (error) {
    // Extended codes go on behind an underscore.
    const what = isFull(error) ? roomless : closedDoors[codeOf(error).split('_', 2).join('_')]
    if (what === undefined) throw error
    throw new FatalError(`${data.database}${what}`, error)
  }
}

try {
  const writer = openWriter(workerData as WriterData)
  send({ kind: 'ready', unclean: writer.unclean })
  port.on('message', (first: ToWriter) => {
    try {
      // What arrived during a commit makes the next group, without a turn of the event loop in between.
      let next: { message: ToWriter } | undefined = { message: first }
      while (next || writer.hasJobs) {
        while (next) {
          const done = writer.take(next.message)
          if (done) {
            send(done)
            port.close()
            return
          }
          next = receiveMessageOnPort(port)
        }
        if (writer.hasJobs) send({ kind: 'group', group: writer.commit() })
        next = receiveMessageOnPort(port)
      }
    } catch (error) {
      stop(error)
    }
  })
} catch (error) {
  stop(error)
}
