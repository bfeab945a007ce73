import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { codeOf } from '../writer/fatal-error.ts'
import { isFull } from '../writer/full-disk.ts'
import { backup } from './backup.ts'
import { findFaults, missingFile } from './check.ts'
import type { FromKeeper, KeeperData, ToKeeper } from './protocol.ts'

/**
 * The keeper thread: what takes long and must hold up neither sessions nor commits: checkpoints, `check()`, backups.
 * Started by `keeper-client.ts` when first needed. Its connection never writes rows.
 */
const port = parentPort
if (!port) throw new Error('keeper/main.ts runs as a worker thread')
const { database, contents } = workerData as KeeperData
const db = new Database(database, { fileMustExist: true, timeout: 5000 })
db.exec('PRAGMA wal_autocheckpoint = 0')
// A checkpoint syncs the log before it copies, and the database after it.
db.exec('PRAGMA synchronous = FULL')
db.exec('PRAGMA fullfsync = ON')

const send = (message: FromKeeper): void => port.postMessage(message)

port.on('message', (request: ToKeeper) => {
  switch (request.kind) {
    case 'checkpoint':
      checkpoint()
      break
    case 'check':
      answer(request.id, () => {
        for (const faults of findFaults(db, contents, request.ownDirectory))
          send({ kind: 'faults', id: request.id, faults })
      })
      break
    case 'backup':
      answer(request.id, () => {
        const missing = backup({ db, contents }, request.target, progressOf(request.id))
        if (request.verify) verify(request.id, request.target)
        else send({ kind: 'faults', id: request.id, faults: missing.map(missingFile) })
      })
      break
    case 'close':
      db.close()
      port.close()
  }
})

/** Says how far it is, often enough to be seen and seldom enough to cost nothing. */
function progressOf(id: number): (done: number, total: number) => void {
  return (done, total) => {
    if (done % 100 === 0 || done === total) send({ kind: 'progress', id, done, total })
  }
}

/** Reads the copy as `check` reads the store. */
function verify(id: number, target: string): void {
  const copy = new Database(join(target, 'mail.db'), { readonly: true, fileMustExist: true })
  try {
    for (const faults of findFaults(copy, join(target, 'content'))) send({ kind: 'faults', id, faults })
  } finally {
    copy.close()
  }
}

function checkpoint(): void {
  try {
    db.pragma('wal_checkpoint(PASSIVE)')
    send({ kind: 'checkpointed' })
  } catch (error) {
    // Busy or without room: the log keeps everything, and the next checkpoint goes on. Anything else may mean that the
    // kernel dropped pages which a later sync would not miss.
    if (codeOf(error).startsWith('SQLITE_BUSY') || isFull(error, `${database}.probe`)) send({ kind: 'checkpointed' })
    else send({ kind: 'fatal', message: error instanceof Error ? error.message : String(error) })
  }
}

function answer(id: number, work: () => void): void {
  try {
    work()
    send({ kind: 'done', id })
  } catch (error) {
    send({ kind: 'failed', id, message: error instanceof Error ? error.message : String(error), code: codeOf(error) })
  }
}
