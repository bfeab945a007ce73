import type { Extension } from '../extension.ts'

/** Non-synchronizing literals, read by `Framer`. With this there is no LITERAL- (RFC 7888 §6). */
export const literalPlus: Extension = {
  name: 'LITERAL+',
  rfc: 'RFC 7888',
  capabilities: [{ name: 'LITERAL+' }],
}
