/** Who brought a message, as its journey names it: the client, or who a relay says is behind it; '' for this machine. */
import type { Session } from './session.ts'

export function peerOf({ client, forwarded, isOfUnknown }: Session): string {
  return forwarded?.address ?? (isOfUnknown ? 'unknown' : client.address)
}
