import type { z } from 'zod'
import { AdminError } from './admin-error.ts'
import { auditable } from './audit.ts'
import type { AdminContext } from './context.ts'
import type { Frame } from './socket/frames.ts'
import { asAdminError } from './store-refusals.ts'

/**
 * An operation of administration is a value: its name, what it takes, whether it changes anything, what it does. The
 * command line, the admin socket and any HTTP interface are made from the same table (`operations.ts`).
 *
 * Never broken: every change leaves an audit record, also one that was refused; inputs are checked before they run;
 * results are plain JSON values without secrets.
 */
export interface Operation<Name extends string = string, Schema extends z.ZodType = z.ZodType, Result = unknown> {
  /** `account.add` */
  readonly name: Name
  readonly kind: 'read' | 'change'
  readonly input: Schema
  run(context: AdminContext, input: z.output<Schema>, call: Call): Promise<Result>
}

/** What a running operation has of its caller. */
export interface Call {
  actor: string
  /** Aborts when the caller has gone. */
  signal: AbortSignal
  /** Long operations say how far they are; calls are cheap and may be many. */
  progress(progress: Progress): void
  /** What the caller sends beside the input, e.g. messages to import. */
  upload: AsyncIterable<Frame>
  /** Gives the caller something before the result, e.g. messages to export. Resolves when more may come. */
  send(frame: Frame): Promise<void>
}

export interface Progress {
  done: number
  /** Absent when it is not known beforehand. */
  total?: number
  /** What is counted: `messages`, `accounts`, `octets`. */
  unit: string
}

/** Makes an operation with its types. */
export function operation<const Name extends string, Schema extends z.ZodType, Result>(
  definition: Operation<Name, Schema, Result>,
): Operation<Name, Schema, Result> {
  return definition
}

/** Checks the input, runs, leaves the audit record. Rejects with `AdminError` only. */
export async function runOperation(
  context: AdminContext,
  { name, kind, input: schema, run }: Operation,
  given: unknown,
  call: Call,
): Promise<unknown> {
  const parsed = schema.safeParse(given)
  if (!parsed.success) throw new AdminError('bad-input', describeIssues(parsed.error))
  const keep = async (outcome: 'done' | 'refused', detail?: string): Promise<void> => {
    if (kind === 'read') return
    const at = new Date(context.clock.now()).toISOString()
    const record = { at, actor: call.actor, operation: name, input: auditable(parsed.data), outcome }
    await context.audit(detail === undefined ? record : { ...record, detail })
  }
  let result: unknown
  try {
    result = await run(context, parsed.data, call)
  } catch (error) {
    const refusal = asAdminError(error)
    await keep('refused', refusal.message)
    throw refusal
  }
  await keep('done')
  return result
}

/** What is wrong with an input, for people. */
export function describeIssues(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('; ')
}
