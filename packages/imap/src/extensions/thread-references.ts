import type { Extension } from '../extension.ts'
import { references } from '../thread/references.ts'

/** Threads by who refers to whom: `thread/references.ts`. */
export const threadReferences: Extension = {
  name: 'THREAD=REFERENCES',
  rfc: 'RFC 5256',
  requires: ['THREAD'],
  capabilities: [{ name: 'THREAD=REFERENCES' }],
  threadAlgorithms: [references],
}
