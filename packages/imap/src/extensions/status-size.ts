import type { Extension } from '../extension.ts'

/** The octets of a mailbox in STATUS, which the store has counted. */
export const statusSize: Extension = {
  name: 'STATUS=SIZE',
  rfc: 'RFC 8438',
  capabilities: [{ name: 'STATUS=SIZE' }],
  statusItems: [{ name: 'SIZE', value: (_, mailbox) => mailbox.size }],
}
