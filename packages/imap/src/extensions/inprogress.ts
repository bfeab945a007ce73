import type { Extension } from '../extension.ts'

/** Searches, sorts and threads that take long say so meanwhile: see `search/progress.ts`. */
export const inProgress: Extension = {
  name: 'INPROGRESS',
  rfc: 'RFC 9585',
  capabilities: [{ name: 'INPROGRESS' }],
}
