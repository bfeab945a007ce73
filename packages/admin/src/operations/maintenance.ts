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
    /** Reads the copy to its end. */
    verify: z.boolean().default(false),
  }),
  async run(context, { target, verify }, { progress }) {
    if (!context.backUp) throw new AdminError('not-allowed', 'This store cannot be copied while it is in use.')
    const onProgress = (done: number, total: number): void => progress({ done, total, unit: 'files' })
    const { octets, faults } = await context.backUp(target, { verify, onProgress })
    return { target, octets, verified: verify, faults: faults.slice(0, faultLimit) }
  },
})
