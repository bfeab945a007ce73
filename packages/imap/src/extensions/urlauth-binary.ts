import { loggedIn } from '../command.ts'
import type { Extension } from '../extension.ts'

/** URLFETCH of parts without their encoding, and of their structure; see `urlauth.ts`. */
export const urlAuthBinary: Extension = {
  name: 'URLAUTH=BINARY',
  rfc: 'RFC 5524',
  requires: ['URLAUTH', 'BINARY'],
  capabilities: [{ name: 'URLAUTH=BINARY', states: loggedIn }],
}
