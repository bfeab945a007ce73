import type { Extension } from '../extension.ts'
import { type FetchItem, rowOf } from '../fetch/fetch-item.ts'
import { printString } from '../wire/strings.ts'

/** Made when the message came; LAZY therefore changes nothing. */
const previewItem: FetchItem = {
  key: 'PREVIEW',
  need: { index: ['preview'] },
  write(target) {
    const text = rowOf(target).index?.preview ?? ''
    target.out.text(`PREVIEW ${printString(text, target.session.utf8Names)}`)
  },
}

export const preview: Extension = {
  name: 'PREVIEW',
  rfc: 'RFC 8970',
  capabilities: [{ name: 'PREVIEW' }],
  fetchItems: [
    {
      name: 'PREVIEW',
      parse(cursor) {
        cursor.match(/ \(LAZY\)/iy)
        return previewItem
      },
    },
  ],
}
