import type { Extension } from '../extension.ts'

/**
 * Texts are compared by i;unicode-casemap in SEARCH, SORT and THREAD, in any charset that SEARCH takes: what folding
 * at arrival and in search keys does (RFC 5255 §4.4). A word that promises it is all there is to add.
 */
export const i18nLevel: Extension = {
  name: 'I18NLEVEL=1',
  rfc: 'RFC 5255',
  capabilities: [{ name: 'I18NLEVEL=1' }],
}
