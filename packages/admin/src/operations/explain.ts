/** Why a message was taken, put into Junk or refused, and what would have become of it had one fact been another. */
import { aboutContent, type Fact, type Finding, judge, parseFact, withFact } from '@pennypost/message-auth'
import type { FlowEvent } from '@pennypost/model'
import { z } from 'zod'
import { AdminError } from '../admin-error.ts'
import { operation } from '../operation.ts'
import { findJourneys } from './trace.ts'

export const explain = operation({
  name: 'explain',
  kind: 'read',
  input: z.strictObject({
    /** Queue id, or Message-ID with or without angle brackets. */
    id: z.string().trim().min(1).max(998),
    /** Such as `dkim=pass`; each is supposed on top of those before it. */
    facts: z.array(z.string().max(100)).max(20).default([]),
  }),
  async run(context, { id, facts: texts }) {
    const facts = texts.map(readFact)
    const journeys = await findJourneys(context, id)
    const explained = journeys.flatMap(({ id: journey, events }) => {
      const judged = lastJudgement(events)
      if (!judged) return []
      let supposed: readonly Finding[] = judged.findings
      for (const fact of facts) supposed = withFact(supposed, fact)
      const counting = judged.isForRoles ? aboutContent(supposed) : supposed
      const verdict = judge(counting, context.installation.policy)
      return [{ journey, recorded: judged.recorded, isForRoles: judged.isForRoles, findings: supposed, verdict }]
    })
    if (explained.length === 0) {
      const advice = 'Mail of accounts, of trusted devices, over LMTP and from `[policy] exempt` is not checked.'
      throw new AdminError('not-found', `Nothing was checked of ${id}.`, advice)
    }
    return { facts, explained }
  },
})

function readFact(text: string): Fact {
  const fact = parseFact(text)
  if (typeof fact === 'string') throw new AdminError('bad-input', `${fact}.`)
  return fact
}

type Verdict = Extract<FlowEvent, { kind: 'verdict' }>

/** The last verdict of the journey with the findings that led to it: those after the verdict before it. */
function lastJudgement(
  events: readonly FlowEvent[],
): { recorded: Pick<Verdict, 'verdict' | 'reason'>; findings: Finding[]; isForRoles: boolean } | undefined {
  const end = events.findLastIndex(({ kind }) => kind === 'verdict')
  if (end < 0) return undefined
  const start = events.slice(0, end).findLastIndex(({ kind }) => kind === 'verdict') + 1
  const { verdict, reason } = events[end] as Verdict
  const found = events.slice(start, end).filter((event) => event.kind === 'finding')
  const findings = found.flatMap(({ check, result, detail = '', facts }) =>
    facts ? [{ check, result, detail, ...facts } as unknown as Finding] : [],
  )
  const isForRoles = found.some(({ check, result }) => check === 'recipients' && result === 'roles')
  return { recorded: { verdict, reason }, findings, isForRoles }
}
