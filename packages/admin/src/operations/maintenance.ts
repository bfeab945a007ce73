/** Care for the store: copies of it, and whether all of it fits together. */
import { isAbsolute } from 'node:path'
import type { StoreFault } from '@pennypost/model'
import { z } from 'zod'
import { AdminError } from '../admin-error.ts'
import { nothing } from '../input-fields.ts'
import { operation } from '../operation.ts'

const faultLimit = 1000

export const storeCheck = operation({
  name: 'check',
  kind: 'read',
  input: nothing,
  async run({ store }, _input, { signal }) {
    const faults: StoreFault[] = []
    for await (const fault of store.check()) {
      signal.throwIfAborted()
      if (faults.length === faultLimit) return { faults, more: true }
      faults.push(fault)
    }
    return { faults, more: false }
  },
})

export const storeBackup = operation({
  name: 'backup',
  kind: 'change',
  input: z.strictObject({
    target: z.string().refine(isAbsolute, 'must be an absolute path'),
  }),
  async run(context, { target }, { progress }) {
    if (!context.backUp) throw new AdminError('not-allowed', 'This store cannot be copied while it is in use.')
    const octets = await context.backUp(target, (done, total) => progress({ done, total, unit: 'octets' }))
    return { target, octets }
  },
})
