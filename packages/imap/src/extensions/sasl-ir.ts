import { beforeLogin } from '../command.ts'
import type { Extension } from '../extension.ts'

/** Initial responses, read by AUTHENTICATE. */
export const saslIr: Extension = {
  name: 'SASL-IR',
  rfc: 'RFC 4959',
  capabilities: [{ name: 'SASL-IR', states: beforeLogin }],
}
