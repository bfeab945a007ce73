import type { Extension } from '../extension.ts'

/** Several messages in one APPEND, all or none; read and done by APPEND. */
export const multiappend: Extension = {
  name: 'MULTIAPPEND',
  rfc: 'RFC 3502',
  capabilities: [{ name: 'MULTIAPPEND' }],
}
