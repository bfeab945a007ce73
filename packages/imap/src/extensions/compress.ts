import { type Command, loggedIn } from '../command.ts'
import type { Extension } from '../extension.ts'
import { no } from '../refusal.ts'

/** COMPRESS DEFLATE: fewer octets on slow lines, for a quarter megabyte of memory each; off unless it is asked for. */

const command = {
  name: 'COMPRESS',
  rfc: 'RFC 4978 §3',
  states: loggedIn,
  effects: {},
  /** `"COMPRESS" SP algorithm` */
  parse(cursor) {
    cursor.sp()
    return cursor.word('Algorithm')
  },
  run(session, algorithm) {
    if (algorithm !== 'DEFLATE') throw no('', `${algorithm.slice(0, 40)} is not offered`)
    if (session.compressed) throw no('COMPRESSIONACTIVE', 'DEFLATE is in use already')
    session.compressed = true
    return { text: 'DEFLATE from here on', next: 'compress' }
  },
} satisfies Command<string>

export const compressDeflate: Extension = {
  name: 'COMPRESS=DEFLATE',
  rfc: 'RFC 4978',
  capabilities: [{ name: (session) => (session.compressed ? [] : ['COMPRESS=DEFLATE']), states: loggedIn }],
  commands: [command],
}
