/**
 * Octets of a file as the store keeps content: a bare LF becomes CRLF, NUL becomes 0x80 (IMAP cannot send
 * it, RFC 9051 §4.3; Dovecot does the same), everything else stays. Works on chunks cut anywhere.
 */
export class StoredOctets {
  #afterCr = false

  convert(chunk: Buffer): Buffer {
    let text = chunk.toString('latin1')
    const startsBare = text.startsWith('\n') && this.#afterCr
    this.#afterCr = text.endsWith('\r')
    text = text.replace(/(?<!\r)\n/g, '\r\n').replace(/\0/g, '\x80')
    // The CR of this LF was in the chunk before.
    return Buffer.from(startsBare ? text.slice(1) : text, 'latin1')
  }
}
