/** Login names: as they are looked up, and as logs may have them. */
import { lookupAddress, lookupLocalPart } from '@pennypost/model'

const longestLogin = 320

/** A login name in lookup form: an address, or a bare name in NFC and lower case. '' when it cannot be one. */
export function lookupLogin(login: string): string {
  if (login.length > longestLogin || login.includes('\0')) return ''
  return lookupAddress(login) ?? lookupLocalPart(login)
}

/** For logs: what was given as a login name, unless it may be a password that was typed into the wrong field. */
export function loginForLog(login: string): string {
  return login === '' || (login.length <= longestLogin && lookupAddress(login)) ? login : '(no address)'
}
