import type { Extension } from '../extension.ts'
import { orderedSubject } from '../thread/ordered-subject.ts'

/** Threads by base subject and date: `thread/ordered-subject.ts`. */
export const threadOrderedSubject: Extension = {
  name: 'THREAD=ORDEREDSUBJECT',
  rfc: 'RFC 5256',
  requires: ['THREAD'],
  capabilities: [{ name: 'THREAD=ORDEREDSUBJECT' }],
  threadAlgorithms: [orderedSubject],
}
