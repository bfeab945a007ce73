/** The items of a long list, with a turn of the event loop for everybody else now and then. */
export async function* unhurried<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  perTurn = 100,
): AsyncGenerator<Item> {
  let count = 0
  for await (const item of items) {
    if (++count % perTurn === 0) await new Promise(setImmediate)
    yield item
  }
}
