/** A client that believes what it is told and nothing else: the sessions of the random test, see `sessions.test.ts`. */
import type { DialogueClient } from './dialogue/client.ts'

/** A message as the client knows it; what it was not told is undefined. */
export interface Known {
  uid?: number | undefined
  flags?: string | undefined
  modSeq?: number | undefined
  gone?: boolean
}

/** A result that the server keeps current (RFC 5267 §4.3). */
export interface Result {
  command: string
  sorted: boolean
  by: 'uid' | 'seq'
  list: (number | Known)[]
  /** CANCELUPDATE is on its way. */
  ending?: boolean
}

export class Mirror {
  readonly name: string
  client: DialogueClient
  messages: Known[] = []
  mailbox = ''
  /** The last HIGHESTMODSEQ. */
  highest = 0
  /** Where the client believes to stand: that, and what it was told of messages since. */
  place = 0
  uidValidity = ''
  readonly results = new Map<string, Result>()
  readonly log: string[]
  /** What runs lets the server tell of expunges (RFC 9051 §7.5.1). */
  mayExpunge = true
  /** NOTIFY was given: changes come between commands, too. */
  notifies = false
  /** Of the IDLE that goes on; '' when there is none. */
  idling = ''
  #tag = 0
  /** Messages that FETCH has told of during the last command. */
  fetched: Known[] = []
  /** Responses of the last command. */
  said: string[] = []

  constructor(name: string, client: DialogueClient, log: string[]) {
    this.name = name
    this.client = client
    this.log = log
  }

  send(command: string): string {
    const tag = `t${++this.#tag}`
    this.log.push(`${this.name} C: ${tag} ${command}`)
    this.client.send(Buffer.from(`${tag} ${command}\r\n`, 'latin1'))
    return tag
  }

  /** All up to the tagged response, which is returned. */
  async until(tag: string): Promise<string> {
    this.fetched = []
    this.said = []
    for (;;) {
      const response = await this.client.response()
      this.log.push(`${this.name} S: ${response}`)
      if (response === undefined) throw new Error(`${this.name}: the connection ended`)
      this.said.push(response)
      this.#take(response)
      if (response.startsWith(`${tag} `)) {
        return response.slice(tag.length + 1)
      }
      if (tag === '+' && response.startsWith('+ ')) return response
    }
  }

  async say(command: string): Promise<string> {
    const answer = await this.until(this.send(command))
    if (answer.startsWith('BAD')) throw new Error(`${this.name}: ${command}: ${answer}`)
    return answer
  }

  #leave(): void {
    this.messages = []
    this.results.clear()
  }

  /** The connection has gone; what is remembered of the messages comes back, none if a UID is not known. */
  reconnect(client: DialogueClient): Known[] {
    const known = this.messages
    this.client = client
    this.#leave()
    this.notifies = false
    this.mayExpunge = true
    this.idling = ''
    return known.every(({ uid }) => uid !== undefined) ? known : []
  }

  /**
   * Puts together what is remembered and what a SELECT with QRESYNC has told.
   * @param alone nobody else did anything meanwhile
   */
  remember(known: readonly Known[], alone: boolean): void {
    const gone = new Set(this.said.flatMap((line) => numbers(/^\* VANISHED \(EARLIER\) (\S+)$/.exec(line)?.[1] ?? '')))
    const all = new Map<number, Known>()
    for (const message of known) if (!gone.has(message.uid as number)) all.set(message.uid as number, { ...message })
    for (const message of this.messages) {
      if (message.uid !== undefined) all.set(message.uid, { ...all.get(message.uid), ...message })
    }
    if (all.size !== this.messages.length) {
      if (alone) this.#wrong(`${all.size} messages known after QRESYNC, not ${this.messages.length}`)
      return
    }
    const merged = [...all.values()].sort((a, b) => (a.uid as number) - (b.uid as number))
    for (const [index, { uid }] of this.messages.entries()) {
      if (uid !== undefined && uid !== merged[index]?.uid) this.#wrong(`${index + 1} has UID ${uid} after QRESYNC`)
    }
    this.messages = merged
  }

  #wrong(what: string): never {
    throw new Error(`${this.name}: ${what}`)
  }

  #take(response: string): void {
    if (response.startsWith('* OK [CLOSED]')) this.#leave()
    const code = /\[HIGHESTMODSEQ (\d+)\]/.exec(response)?.[1]
    if (code) this.place = this.highest = Number(code)
    this.uidValidity = /^\* OK \[UIDVALIDITY (\d+)\]/.exec(response)?.[1] ?? this.uidValidity
    const [, number = '', event = '', data = ''] =
      /^\* (\d+) (EXISTS|EXPUNGE|FETCH)(?: \((.*)\))?$/s.exec(response) ?? []
    if (event === 'EXISTS') this.#exists(Number(number))
    if (event === 'EXPUNGE') this.#expunged(Number(number))
    if (event === 'FETCH') this.#fetch(Number(number), data)
    const vanished = /^\* VANISHED (\S+)$/.exec(response)?.[1]
    if (vanished) this.#vanished(numbers(vanished))
    if (response.startsWith('* ESEARCH')) this.#esearch(response)
  }

  #exists(count: number): void {
    if (count < this.messages.length) this.#wrong(`EXISTS shrinks from ${this.messages.length} to ${count}`)
    while (this.messages.length < count) this.messages.push({})
  }

  #expunged(seq: number): void {
    if (!this.mayExpunge && !this.notifies) this.#wrong('EXPUNGE where it must not come')
    const [message] = this.messages.splice(seq - 1, 1)
    if (!message) this.#wrong(`EXPUNGE of ${seq}, which is not there`)
    this.#end(message)
  }

  #end(message: Known): void {
    message.gone = true
    for (const [tag, result] of this.results) {
      if (result.by === 'seq' && !result.ending && result.list.includes(message))
        this.#wrong(`EXPUNGE before REMOVEFROM of ${tag}`)
    }
  }

  #vanished(uids: number[]): void {
    if (!this.mayExpunge && !this.notifies) this.#wrong('VANISHED where it must not come')
    for (const uid of uids) {
      let at = this.messages.findIndex((message) => message.uid === uid)
      // A message whose UID was not told lies between its neighbours.
      if (at < 0) at = this.#unknownAt(uid)
      const [message] = this.messages.splice(at, 1)
      if (!message) this.#wrong(`VANISHED ${uid}, which is not there`)
      this.#end(message)
    }
  }

  #unknownAt(uid: number): number {
    const above = this.messages.findIndex((message) => (message.uid ?? 0) > uid)
    const end = above < 0 ? this.messages.length : above
    for (let at = end - 1; at >= 0; at--) {
      const known = this.messages[at]?.uid
      if (known === undefined) {
        // Which of several it is, nobody knows: nothing is remembered of them.
        for (const message of this.messages) if (message.uid === undefined) message.flags = undefined
        return at
      }
      if (known < uid) break
    }
    return this.#wrong(`VANISHED ${uid}, for which there is no place`)
  }

  #fetch(seq: number, data: string): void {
    const message = this.messages[seq - 1]
    if (!message) this.#wrong(`FETCH of ${seq}, which is not there`)
    const uid = /(?:^| )UID (\d+)/.exec(data)?.[1]
    if (uid !== undefined) {
      if (message.uid !== undefined && message.uid !== Number(uid))
        this.#wrong(`${seq} has UID ${uid}, not ${message.uid}`)
      message.uid = Number(uid)
    }
    const flags = /(?:^| )FLAGS \(([^)]*)\)/.exec(data)?.[1]
    if (flags !== undefined) message.flags = sortFlags(flags)
    const modSeq = /(?:^| )MODSEQ \((\d+)\)/.exec(data)?.[1]
    if (modSeq !== undefined) {
      message.modSeq = Number(modSeq)
      this.place = Math.max(this.place, message.modSeq)
    }
    this.fetched.push(message)
  }

  #esearch(response: string): void {
    const tag = /TAG "([^"]+)"/.exec(response)?.[1] ?? ''
    const result = this.results.get(tag)
    if (result && !/ (ADDTO|REMOVEFROM) /.test(response)) {
      result.list = this.found(tag).map((number) => (result.by === 'uid' ? number : this.#at(number)))
    }
    for (const [, what, list = ''] of response.matchAll(/ (ADDTO|REMOVEFROM) \(([^)]*)\)/g)) {
      if (!result) this.#wrong(`${what} of ${tag}, which is not kept`)
      const words = list.split(' ')
      for (let i = 0; i < words.length; i += 2) {
        const found = numbers(words[i + 1] as string).map((number) => (result.by === 'uid' ? number : this.#at(number)))
        const position = Number(words[i])
        if (what === 'ADDTO') this.#add(result, position, found)
        else this.#remove(result, position, found)
      }
    }
  }

  #at(seq: number): Known {
    return this.messages[seq - 1] ?? this.#wrong(`a result has ${seq}, which is not there`)
  }

  #add(result: Result, position: number, found: (number | Known)[]): void {
    for (const one of found) if (result.list.includes(one)) this.#wrong(`ADDTO of what is in the result`)
    if (result.sorted) result.list.splice(position - 1, 0, ...found)
    else result.list.push(...found)
  }

  #remove(result: Result, position: number, found: (number | Known)[]): void {
    for (const one of found) {
      const at = result.list.indexOf(one)
      if (at < 0) this.#wrong('REMOVEFROM of what is not in the result')
      if (result.sorted && at !== position - 1) this.#wrong(`REMOVEFROM at ${position} of what is at ${at + 1}`)
      result.list.splice(at, 1)
    }
  }

  /** The list of an ESEARCH response of the last command. */
  found(tag: string): number[] {
    const all = this.said.find((line) => line.startsWith(`* ESEARCH (TAG "${tag}")`) && !/ADDTO|REMOVEFROM/.test(line))
    return numbers(/ (?:ALL|PARTIAL) (?:\([-\d:]+ )?([\d:,]+)/.exec(all ?? '')?.[1] ?? '')
  }
}

export function sortFlags(flags: string): string {
  return flags
    .split(' ')
    .filter((flag) => flag !== '' && flag !== '\\Recent')
    .sort()
    .join(' ')
}

export function numbers(set: string): number[] {
  const all: number[] = []
  for (const range of set === '' ? [] : set.split(',')) {
    const [first, last = first] = range.split(':').map(Number) as [number, number?]
    for (let number = first; number <= (last as number); number++) all.push(number)
  }
  return all
}
