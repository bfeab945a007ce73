import { uidExpunge } from '../commands/expunge.ts'
import type { Extension } from '../extension.ts'

/** UID EXPUNGE; the codes APPENDUID and COPYUID are said by the commands themselves, as IMAP4rev2 wants them anyway. */
export const uidplus: Extension = {
  name: 'UIDPLUS',
  rfc: 'RFC 4315',
  capabilities: [{ name: 'UIDPLUS' }],
  commands: [uidExpunge],
}
