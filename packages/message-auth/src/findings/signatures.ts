import type { CheckWorker } from '../checks/check-worker.ts'
import type { SignatureAnswer, VerifiedSignature } from '../checks/messages.ts'
import { allowedOnce, splitHeader } from '../signing/header-fields.ts'
import type { ArcFinding, DkimFinding, DkimResult, DkimSignature } from './finding.ts'

/**
 * DKIM and ARC in one pass over the message. A message with neither is not sent to the worker at all.
 */

export interface ContentFacts {
  /** The header section as received, CRLF line ends; the empty line that ends it may be there or not. */
  header: Buffer
  body(): AsyncIterable<Buffer>
}

export type SignatureFindings = [DkimFinding, ArcFinding]

export async function checkSignatures(
  worker: CheckWorker,
  { header, body }: ContentFacts,
  maxSignatures: number,
  signal: AbortSignal,
): Promise<SignatureFindings> {
  if (!/^(dkim-signature|arc-[a-z-]+)\s*:/im.test(header.toString('latin1'))) return [unsigned, unsealed]
  const answer = await worker.signatures(messageOctets(limitSignatures(header, maxSignatures), body), signal)
  return 'refusal' in answer ? refused(answer.refusal) : [readDkim(answer.dkim, header), readArc(answer.arc)]
}

/** Not `unavailable`, which would settle nothing: whoever forges a domain could have that by the form of the message. */
function refused(detail: string): SignatureFindings {
  return [
    { ...unsigned, result: 'policy', detail },
    { ...unsealed, result: 'fail', detail },
  ]
}

const unsigned: DkimFinding = { check: 'dkim', result: 'none', detail: 'not signed', signatures: [] }
const unsealed: ArcFinding = { check: 'arc', result: 'none', detail: 'no seal', sealer: '', instance: 0 }

/** What is found when nothing could be found out. */
export function signaturesUnavailable(reason: string): SignatureFindings {
  return [
    { ...unsigned, result: 'unavailable', detail: reason },
    { ...unsealed, result: 'unavailable', detail: reason },
  ]
}

async function* messageOctets(header: Buffer, body: ContentFacts['body']): AsyncIterable<Buffer> {
  yield header
  yield Buffer.from(emptyLineAfter(header.toString('latin1', Math.max(0, header.length - 4))))
  yield* body()
}

/** What is missing of the empty line; one too many would be the first line of the body. */
function emptyLineAfter(end: string): string {
  if (end === '\r\n\r\n' || end === '\r\n') return ''
  return end === '' || end.endsWith('\r\n') ? '\r\n' : '\r\n\r\n'
}

/**
 * Signatures beyond the limit lose their name, so that none costs a DNS query and a verification. Those on top, which
 * the last hops made, stay. Before the colon a line may be folded.
 */
function limitSignatures(header: Buffer, limit: number): Buffer {
  let count = 0
  const text = header.toString('latin1')
  const limited = text.replaceAll(/^dkim-signature(?=\s*:)/gim, (name) => (++count > limit ? `x-${name}` : name))
  return count > limit ? Buffer.from(limited, 'latin1') : header
}

/** From the best to the worst: what a message with several signatures is worth (RFC 6376 §6.1: one good one is enough). */
const ranking: readonly DkimResult[] = ['pass', 'temperror', 'policy', 'fail', 'neutral', 'permerror']

function readDkim(answers: readonly VerifiedSignature[], header: Buffer): DkimFinding {
  const present = Map.groupBy(splitHeader(header), ({ name }) => name)
  const signatures = answers.map((answer) => readSignature(answer, (name) => present.get(name)?.length ?? 0))
  const best = ranking.find((result) => signatures.some((signature) => signature.result === result))
  if (!best) return unsigned
  const deciding = signatures.filter(({ result }) => result === best)
  const detail = deciding.map(({ domain, detail }) => (detail ? `${domain}: ${detail}` : domain)).join(', ')
  return { check: 'dkim', result: best, detail, signatures }
}

function readSignature(
  { unsignedOctets, signedFields, ...verified }: VerifiedSignature,
  occurrencesOf: (name: string) => number,
): DkimSignature {
  const signature = { ...verified, domain: verified.domain.toLowerCase() }
  if (signature.result !== 'pass') return signature
  const signedOf = (name: string): number => signedFields.filter((signed) => signed === name).length
  const added = allowedOnce.find((name) => signedOf(name) > 0 && occurrencesOf(name) > signedOf(name))
  // RFC 6376 §8.15: readers take the field on top, which anybody can have put there.
  if (added !== undefined) return { ...signature, result: 'policy', detail: `one more ${added} than was signed` }
  // RFC 6376 §8.2: anything can be put into what l= leaves open.
  if (unsignedOctets === 0) return signature
  return { ...signature, result: 'policy', detail: `l= leaves ${unsignedOctets} octets unsigned` }
}

function readArc({ result, detail, sealer, instance }: SignatureAnswer['arc']): ArcFinding {
  if (result === 'none') return unsealed
  return { check: 'arc', result, detail: detail || `sealed by ${sealer}`, sealer: sealer.toLowerCase(), instance }
}
