import type { z } from 'zod'
import type { AdminContext } from './context.ts'
import { type Operation, runOperation } from './operation.ts'
import { type OperationName, operations } from './operations.ts'
import type { CallOptions } from './socket/client.ts'
import type { Frame } from './socket/frames.ts'

/**
 * How verbs call operations, with their types: over the admin socket of the running server, or here on a data directory
 * that nobody else has open.
 */
export interface Administration {
  call<Name extends OperationName>(
    name: Name,
    input: OperationInput<Name>,
    options?: CallOptions,
  ): Promise<OperationResult<Name>>
}

type Called<Name extends OperationName> = Extract<(typeof operations)[number], { name: Name }>
export type OperationInput<Name extends OperationName> = z.input<Called<Name>['input']>
export type OperationResult<Name extends OperationName> = Awaited<ReturnType<Called<Name>['run']>>

async function* noFrames(): AsyncGenerator<Frame> {}

/** Operations on a store that this process has opened itself. */
export function createDirectAdministration(context: AdminContext, actor: string): Administration {
  const byName = new Map<string, Operation>(operations.map((each) => [each.name, each]))
  return {
    async call(name, input, { upload, onProgress, onFrame, signal } = {}) {
      const result = await runOperation(context, byName.get(name) as Operation, input, {
        actor,
        signal: signal ?? new AbortController().signal,
        upload: upload?.() ?? noFrames(),
        progress: (progress) => onProgress?.(progress),
        send: async (frame) => onFrame?.(frame),
      })
      return result as never
    },
  }
}
