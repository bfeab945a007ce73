import { type MessageId, StoreError } from '@pennypost/model'
import type { ContentFiles } from '../content/content-files.ts'
import { readBufferRange, readFileRange } from '../content/read-file.ts'
import type { Reader } from './reader.ts'

/** Octets of a body. What is being read stays readable: inline bodies are in memory then, files are open. */
export async function* readBody(
  reader: Reader,
  files: ContentFiles,
  message: MessageId,
  start: number,
  end: number | undefined,
): AsyncGenerator<Buffer> {
  const statement = reader.raw('SELECT body, file, body_start, body_size FROM contents WHERE message = ?')
  const row = statement.get(message) as [Buffer | null, string | null, number, number] | undefined
  if (!row) throw noSuchMessage()
  const [body, file, bodyStart, bodySize] = row
  const last = Math.min(end ?? Number.POSITIVE_INFINITY, bodySize)
  if (body) yield* readBufferRange(body, start, last)
  else if (file !== null) {
    try {
      yield* readFileRange(files.path(file), bodyStart + start, bodyStart + last)
    } catch (error) {
      // Expunged between the row and the file: the same as a moment later. A row without its file is damage.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !statement.get(message)) throw noSuchMessage()
      throw error
    }
  }
}

function noSuchMessage(): StoreError {
  return new StoreError('no-such-message', 'no such message')
}
