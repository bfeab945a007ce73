/**
 * No account gets a UIDVALIDITY below the time in seconds at which it is made (RFC 9051 §2.3.1.1): what mail programs
 * keep of an account of the same name, in a store that was here before this one, is then not taken for this one's.
 */
export function firstUidValidity(now: number): number {
  return Math.floor(now / 1000)
}
