import { parentPort, workerData } from 'node:worker_threads'
import { type Clock, type MailboxId, type SearchText, StoreError, UidSet } from '@pennypost/model'
import { boundsOf, uidsOf } from '../bounds.ts'
import { ContentFiles } from '../content/content-files.ts'
import { Reader } from '../reader/reader.ts'
import { Indexer } from './indexer.ts'
import type { FromSearch, SearchData, ToSearch } from './protocol.ts'
import { unpackQuery } from './query.ts'
import { Searcher } from './searcher.ts'

/**
 * The search thread: looks into text, and keeps the index of it. The program gives a module that calls this with its
 * `SearchText` and clock, since an engine knows no MIME. Started by `search-client.ts`, which is the only one that talks to it.
 * It has no timers: the main thread says when there is time to index.
 */
export function serveSearch(text: SearchText, clock: Clock): void {
  const port = parentPort
  if (!port) throw new Error('serveSearch runs in a worker thread')
  const { database, contents, path, keeps, keptCharacters } = workerData as SearchData
  const send = (message: FromSearch): void => port.postMessage(message)
  const reader = new Reader(database, clock, cacheOctets)
  // Contents are read once each: mapped, a quarter of a gigabyte of them would count as ours for ever.
  reader.db.exec('PRAGMA mmap_size = 0')
  const files = new ContentFiles(contents)
  const indexer = new Indexer({ reader, files, text, path, keeps, note: (note) => send({ kind: 'note', ...note }) })
  const searcher = new Searcher({
    reader,
    files,
    text,
    clock,
    keptCharacters,
    index: () => indexer.index,
    want: (mailbox) => indexer.want(mailbox),
    guarded: (read) => indexer.guarded(read),
  })
  /** Under way, and wanted. */
  const wanted = new Set<number>()
  let closing = false

  async function search(request: Extract<ToSearch, { kind: 'search' }>): Promise<void> {
    const { id, query, within } = request
    wanted.add(id)
    try {
      const found = await searcher.search({
        mailbox: request.mailbox as MailboxId,
        query: unpackQuery(query),
        within: uidsOf(within),
        isCancelled: () => closing || !wanted.has(id),
      })
      send({ kind: 'found', id, bounds: boundsOf(UidSet.ofSorted(found.uids)), behind: found.behind })
    } catch (error) {
      if (error instanceof StoreError) send({ kind: 'refused', id, refusal: error.reason, text: error.message })
      else
        send({ kind: 'failed', id, message: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    } finally {
      wanted.delete(id)
    }
  }

  port.on('message', (message: ToSearch) => {
    switch (message.kind) {
      case 'search':
        void search(message)
        break
      case 'cancel':
        wanted.delete(message.id)
        break
      case 'index':
        indexer.hear(message)
        send(timedStep(indexer, message.grows, clock))
        break
      case 'gone':
        indexer.forget(message.messages)
        break
      case 'check':
        send({ kind: 'checked', id: message.id, faults: indexer.faults() })
        break
      case 'close':
        closing = true
        indexer.close()
        reader.close()
        port.close()
    }
  })
}

function timedStep(indexer: Indexer, grows: boolean, clock: Clock): FromSearch {
  const begunAt = clock.elapsed()
  const state = indexer.step(grows)
  return { kind: 'indexed', state, tookMs: clock.elapsed() - begunAt }
}

const cacheOctets = 8 * 1024 * 1024
