/**
 * How loops that wait for nothing let everybody else have a turn, so that nothing holds up the process however much it goes
 * over. What commands of a client take together is counted by `Turns` of transport, between them.
 */

/** Lets the event loop turn once: timers run, sockets are read. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** For a loop over what may be very many: what each round waits for, mostly nothing. */
export function turnTaking(perTurn = 100): () => Promise<void> | undefined {
  let count = 0
  return () => (++count % perTurn === 0 ? nextTurn() : undefined)
}
