/**
 * Encodings inside ESMTP values: xtext of RFC 3461 §4 (ENVID, ORCPT, AUTH) and the address forms of RFC 6533 §3 for
 * addresses beyond ASCII. Decoders return null for text that is not of the form; encoders are their inverses.
 */

/** Makes xtext of any text; octets of UTF-8 beyond printable ASCII, and `+` and `=`, become `+HH`. */
export function encodeXtext(text: string): string {
  if (/^[!-*,-<>-~]*$/.test(text)) return text
  let encoded = ''
  for (const octet of Buffer.from(text)) {
    encoded += isXchar(octet) ? String.fromCharCode(octet) : `+${hex(octet)}`
  }
  return encoded
}

/** Reads xtext; null when it is none, or when what it encodes is not UTF-8. Hexadecimal in lower case is tolerated. */
export function decodeXtext(xtext: string): string | null {
  if (!/^(?:[!-*,-<>-~]|\+[0-9A-Fa-f]{2})*$/.test(xtext)) return null
  if (!xtext.includes('+')) return xtext
  const octets = Buffer.from(
    xtext.replace(/\+(..)/g, (_, pair: string) => String.fromCharCode(Number.parseInt(pair, 16))),
    'latin1',
  )
  const text = octets.toString('utf8')
  return Buffer.from(text).equals(octets) ? text : null
}

/**
 * RFC 6533 §3 `utf-8-addr-xtext`, all ASCII, or with `raw` `utf-8-addr-unitext`, which leaves characters beyond ASCII as
 * they are (only for a peer in SMTPUTF8). `+`, `=`, `\`, space and controls become `\x{HEX}` in both.
 */
export function encodeUtf8Address(address: string, raw: boolean): string {
  return address.replace(raw ? /[\x00-\x20+=\\\x7f]/g : /[\x00-\x20+=\\\x7f]|[^\x00-\x7f]/gu, (character) => {
    const point = character.codePointAt(0)!.toString(16).toUpperCase()
    return `\\x{${point.padStart(2, '0')}}`
  })
}

/** Reads either form; null when a `\`, `+` or `=` stands alone, or an escape names no character. */
export function decodeUtf8Address(text: string): string | null {
  if (!/^(?:[!-*,-<>-[\]-~]|[^\x00-\x7f]|\\x\{[0-9A-Fa-f]{2,6}\})*$/u.test(text)) return null
  let valid = true
  const decoded = text.replace(/\\x\{([0-9A-Fa-f]+)\}/g, (_, digits: string) => {
    const point = Number.parseInt(digits, 16)
    valid &&= point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff)
    return valid ? String.fromCodePoint(point) : ''
  })
  return valid ? decoded : null
}

function isXchar(octet: number): boolean {
  return octet >= 0x21 && octet <= 0x7e && octet !== 0x2b && octet !== 0x3d
}

function hex(octet: number): string {
  return octet.toString(16).toUpperCase().padStart(2, '0')
}
