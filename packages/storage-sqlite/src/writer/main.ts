import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { codeOf, FatalError } from './fatal-error.ts'
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

/** SQLite does not say which file, nor what may be the matter. */
function openWriter(data: WriterData): Writer {
  try {
    return new Writer(data)
  } catch (error) {
    if (!codeOf(error).startsWith('SQLITE_CANTOPEN')) throw error
    const advice = 'look at the rights of its directory, and at the room and the inodes left on its disk'
    throw new FatalError(`${data.database}, or a file beside it, cannot be opened; ${advice}`, error)
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
