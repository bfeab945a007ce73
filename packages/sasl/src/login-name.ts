import { lookupAddress, lookupLocalPart } from '@pennypost/model'

/** A login name in lookup form: an address, or a bare name in NFC and lower case. '' when it cannot be one. */
export function lookupLogin(login: string): string {
  if (login.length > 320 || login.includes('\0')) return ''
  return lookupAddress(login) ?? lookupLocalPart(login)
}
