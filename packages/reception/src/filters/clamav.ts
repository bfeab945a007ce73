import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { VirusFinding } from '@pennypost/message-auth'
import type { ContentFilter, FilterSettings } from './filter.ts'

/** clamd by its stream command: `zINSTREAM`, chunks with their length before each, an empty one, one line back. */

const longestAnswer = 4096

/** A filter that asks clamd; `look` rejects for every answer but OK and FOUND. */
export function createClamav({ endpoint, dialer, ...filter }: FilterSettings): ContentFilter {
  return {
    ...filter,
    check: 'virus',
    async look(mail, signal) {
      const stream = await dialer.connect(endpoint, signal)
      const stop = (): void => void stream.destroy(signal.reason as Error)
      signal.addEventListener('abort', stop, { once: true })
      try {
        const answer = readAnswer(stream)
        // clamd answers before the end when it has seen enough, and reads no more then.
        pipeline(framed(mail.content()), stream, { end: false }).catch(() => undefined)
        return findingOf(filter.name, await answer)
      } finally {
        signal.removeEventListener('abort', stop)
        stream.destroy()
      }
    },
  }
}

async function* framed(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield Buffer.from('zINSTREAM\0')
  for await (const piece of content) {
    if (piece.length > 0) yield* [lengthOf(piece), piece]
  }
  yield lengthOf('')
}

function lengthOf({ length }: { length: number }): Buffer {
  const octets = Buffer.alloc(4)
  octets.writeUInt32BE(length)
  return octets
}

async function readAnswer(stream: Duplex): Promise<string> {
  const answer = Promise.withResolvers<string>()
  let text = ''
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    if (text.includes('\0') || text.length > longestAnswer)
      answer.resolve(text.slice(0, longestAnswer).split('\0')[0] ?? '')
  })
  stream.on('end', () => answer.resolve(text))
  stream.on('error', answer.reject)
  stream.on('close', () => answer.reject(new Error('the connection has ended')))
  return answer.promise
}

/** `stream: OK`, `stream: NAME FOUND`, `… ERROR`. */
function findingOf(name: string, line: string): VirusFinding {
  const [, signature] = /^stream: (.+) FOUND$/.exec(line) ?? []
  if (signature !== undefined) {
    return { check: 'virus', result: 'infected', detail: `${name}: ${signature}`, filter: name, signature }
  }
  if (line === 'stream: OK') return { check: 'virus', result: 'clean', detail: '', filter: name, signature: '' }
  throw new Error(line === '' ? 'no answer' : line.slice(0, 200))
}
