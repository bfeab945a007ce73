import type { Extension } from '../extension.ts'

/** \HasChildren and \HasNoChildren are in every LIST response; asking for them changes nothing. */
export const children: Extension = {
  name: 'CHILDREN',
  rfc: 'RFC 3348',
  capabilities: [{ name: 'CHILDREN' }],
  listReturns: [{ name: 'CHILDREN', parse: () => () => {} }],
}
