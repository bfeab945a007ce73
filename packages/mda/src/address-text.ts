/**
 * Writing an address down for the wire, where the directory and SRS give its parts. Reading is done by the protocols
 * (`@pennypost/smtp`) and by the model's address rules.
 */

/** RFC 5321 §4.1.2 Local-part as Dot-string, with RFC 6531 §3.3's characters. */
const dotString = /^[\w!#$%&'*+/=?^`{|}~\u0080-\u{10ffff}-]+(\.[\w!#$%&'*+/=?^`{|}~\u0080-\u{10ffff}-]+)*$/u

/** `local@domain`, the local part quoted where it has to be. */
export function printAddress(localPart: string, domain: string): string {
  if (dotString.test(localPart)) return `${localPart}@${domain}`
  return `"${localPart.replace(/[\\"]/g, '\\$&')}"@${domain}`
}
