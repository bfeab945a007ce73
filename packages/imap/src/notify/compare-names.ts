/** What there is to say of mailbox names between two looks of NOTIFY, in which order: pure, called by `OtherMailboxes`. */
import { type MailboxId, superiors, turnTaking } from '@pennypost/model'
import type { VisibleMailbox } from '../access/visible-mailbox.ts'
import type { HierarchyName } from '../list/hierarchy.ts'

export type Names = ReadonlyMap<string, HierarchyName>

/** A LIST response. */
export interface Saying {
  name: string
  /** What it was called until now: the client renames all that lies below along with it (RFC 5465 §5.4). */
  old?: string
  /** What had the name is not there any more; another mailbox may have it now. */
  gone?: true
}

/**
 * Mailboxes are known by their ids. What is said is played through as a client does that takes one response after the other,
 * until it knows the names as they are: so what moved along with its superior is not said, and what did not is said.
 *
 * @param known mailboxes by the names that the client knows; afterwards by those that it knows then, without what is new
 */
export async function compareNames(
  known: Map<string, VisibleMailbox>,
  now: Names,
  isWanted: (name: string) => boolean,
): Promise<Saying[]> {
  const play = new Play(known, now, isWanted)
  // First, lest it be taken along by its superior.
  play.forgetGone()
  await play.rename()
  play.sayAffected()
  return play.said
}

class Play {
  readonly said: Saying[] = []
  readonly #known: Map<string, VisibleMailbox>
  readonly #now: Names
  readonly #isWanted: (name: string) => boolean
  readonly #oldNames: ReadonlyMap<MailboxId, string>
  readonly #newNames = new Map<MailboxId, string>()
  /** Names that the client knows, by each name above them. */
  readonly #below = new Map<string, Set<string>>()
  readonly #hadChildren: ReadonlySet<string>
  readonly #renamed = new Set<MailboxId>()
  readonly #turn = turnTaking()
  /** Names made or deleted, the names right above those, and mailboxes that have names below them now or have none any more. */
  readonly #affected = new Set<string>()

  constructor(known: Map<string, VisibleMailbox>, now: Names, isWanted: (name: string) => boolean) {
    this.#known = known
    this.#now = now
    this.#isWanted = isWanted
    this.#oldNames = new Map(Array.from(known, ([name, { id }]) => [id, name]))
    for (const { name, mailbox } of now.values()) if (mailbox) this.#newNames.set(mailbox.id, name)
    for (const [name, mailbox] of known) this.#put(name, mailbox)
    this.#hadChildren = new Set(this.#below.keys())
  }

  forgetGone(): void {
    for (const [name, { id }] of [...this.#known]) {
      if (this.#newNames.has(id)) continue
      this.#affectAbove(name)
      if (this.#isWanted(name)) this.#forget(name)
    }
  }

  #put(name: string, mailbox: VisibleMailbox): void {
    this.#known.set(name, mailbox)
    for (const above of superiors(name)) {
      const below = this.#below.get(above)
      if (below) below.add(name)
      else this.#below.set(above, new Set([name]))
    }
  }

  #take(name: string): void {
    this.#known.delete(name)
    for (const above of superiors(name)) this.#below.get(above)?.delete(name)
  }

  #forget(name: string): void {
    this.#take(name)
    this.said.push({ name, gone: true })
  }

  /** The mailbox right above, by its new name; or that name, of which there is none. */
  #affectAbove(name: string): void {
    const above = superiors(name).at(-1)
    if (above === undefined) return
    const mailbox = this.#known.get(above)
    this.#affected.add((mailbox && this.#newNames.get(mailbox.id)) ?? above)
  }

  async rename(): Promise<void> {
    for (;;) {
      // What was settled may have been taken along by another.
      const moving = [...this.#known.keys()].filter((name) => this.#isToMove(name))
      if (moving.length === 0) return
      for (const name of moving) if (this.#isToMove(name)) await this.#settle(name)
    }
  }

  /** First what is in the way; where names went round in a circle, one is deleted and made anew. */
  async #settle(name: string): Promise<void> {
    const waiting = new Set<string>()
    const order: { next: string; obstacles: Iterator<string, undefined> }[] = []
    const wait = (next: string): void => {
      waiting.add(next)
      order.push({ next, obstacles: this.#obstacles(next) })
    }
    wait(name)
    for (let last = order.at(-1); last; last = order.at(-1)) {
      const othersTurn = this.#turn()
      if (othersTurn) await othersTurn
      const { next, obstacles } = last
      const obstacle = obstacles.next().value
      if (obstacle !== undefined) {
        if (!waiting.has(obstacle) && this.#isToMove(obstacle)) wait(obstacle)
        continue
      }
      if (this.#isToMove(next)) {
        if (this.#obstacles(next).next().done) this.#move(next)
        else this.#forget(next)
      }
      order.pop()
      waiting.delete(next)
    }
  }

  #isToMove(name: string): boolean {
    const mailbox = this.#known.get(name)
    const newName = mailbox && this.#newNames.get(mailbox.id)
    return newName !== undefined && newName !== name && this.#matters(mailbox as VisibleMailbox)
  }

  /** The client is told of it. */
  #matters({ id }: VisibleMailbox): boolean {
    const names = [this.#oldNames.get(id), this.#newNames.get(id)]
    return names.some((name) => name !== undefined && this.#isWanted(name))
  }

  /**
   * What keeps it, and what lies below it, from being renamed: another that has the name, a superior of that name that has not
   * moved itself yet; or itself, when it has been renamed already.
   */
  *#obstacles(old: string): Generator<string, undefined> {
    const { id } = this.#known.get(old) as VisibleMailbox
    if (this.#renamed.has(id)) yield old
    const name = this.#newNames.get(id) as string
    const isInside = (each: string): boolean => each === old || each.startsWith(`${old}/`)
    for (const each of superiors(name)) if (!isInside(each) && this.#isToMove(each)) yield each
    for (const each of this.#inside(old)) {
      const place = name + each.slice(old.length)
      const there = this.#known.get(place)
      if (there && !isInside(place) && this.#matters(there)) yield place
    }
  }

  #inside(name: string): string[] {
    return [name, ...(this.#below.get(name) ?? [])]
  }

  #move(old: string): void {
    const { id } = this.#known.get(old) as VisibleMailbox
    const name = this.#newNames.get(id) as string
    this.#renamed.add(id)
    this.said.push({ name, old })
    const taken = this.#inside(old).map((each) => [each, this.#known.get(each) as VisibleMailbox] as const)
    for (const [each] of taken) this.#take(each)
    for (const [each, mailbox] of taken) this.#put(name + each.slice(old.length), mailbox)
  }

  sayAffected(): void {
    // Of no interest itself, it was taken along to where it is of interest.
    for (const [name, { id }] of [...this.#known]) {
      if (this.#newNames.get(id) !== name && this.#isWanted(name)) this.#forget(name)
    }
    const unknown = new Set<string>()
    for (const { name, mailbox, hasChildren } of this.#now.values()) {
      if (!mailbox) continue
      const old = this.#oldNames.get(mailbox.id)
      const above = superiors(name).at(-1)
      if (old === undefined && above !== undefined) this.#affected.add(above)
      if (this.#known.get(name)?.id !== mailbox.id) unknown.add(name)
      else if (this.#hadChildren.has(old as string) !== hasChildren) this.#affected.add(name)
    }
    for (const { name } of this.said) this.#affected.delete(name)
    for (const name of new Set([...this.#affected, ...unknown])) if (this.#isWanted(name)) this.said.push({ name })
  }
}
