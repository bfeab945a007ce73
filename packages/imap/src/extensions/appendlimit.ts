import type { Extension } from '../extension.ts'

/** One limit for all mailboxes, in the capability itself. */
export const appendlimit: Extension = {
  name: 'APPENDLIMIT',
  rfc: 'RFC 7889',
  capabilities: [
    {
      name: ({ service }) => (service.limits.message > 0 ? [`APPENDLIMIT=${service.limits.message}`] : []),
    },
  ],
  statusItems: [{ name: 'APPENDLIMIT', value: ({ service }) => service.limits.message || 'NIL' }],
}
