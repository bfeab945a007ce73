/**
 * A text whose UTF-16 units compare as the code points of `text` do: surrogates are raised above U+E000..U+FFFF, which
 * are lowered. Made once for each text, so that a comparison is a plain `<`.
 */
export function codePointOrder(text: string): string {
  if (!/[\ud800-\uffff]/.test(text)) return text
  return text.replace(/[\ud800-\uffff]/g, (unit) => {
    const code = unit.charCodeAt(0)
    return String.fromCharCode(code >= 0xe000 ? code - 0x800 : code + 0x2000)
  })
}
