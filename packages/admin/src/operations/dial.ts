/** What would happen to mail for an address, without sending any. */
import { z } from 'zod'
import { AdminError } from '../admin-error.ts'
import { address, addressOrNone } from '../input-fields.ts'
import { operation } from '../operation.ts'

export const dial = operation({
  name: 'dial',
  kind: 'read',
  input: z.strictObject({
    /** Also with an address literal. */
    address: z.union([
      address,
      z.string().regex(/^[^\s<>@]+@\[[^\]\s]+\]$/, {
        error: ({ input }) => `"${input}" is no address; write e.g. alice@one.example`,
      }),
    ]),
    from: addressOrNone.default(''),
    requireTls: z.boolean().default(false),
    all: z.boolean().default(false),
  }),
  async run({ probe }, { address: to, from, requireTls, all }) {
    if (!probe) throw new AdminError('needs-server', 'This installation relays no mail.')
    return probe({ address: to, reversePath: from, requireTls, all })
  },
})
