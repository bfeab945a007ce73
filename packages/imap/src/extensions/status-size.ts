import type { Extension } from '../extension.ts'

export const statusSize: Extension = {
  name: 'STATUS=SIZE',
  rfc: 'RFC 8438',
  capabilities: [{ name: 'STATUS=SIZE' }],
  statusItems: [{ name: 'SIZE', value: (_, mailbox) => mailbox.size }],
}
