import { turnTaking } from '@pennypost/model'

/** The items of a long list, with a turn of the event loop for everybody else now and then. */
export async function* unhurried<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  perTurn = 100,
): AsyncGenerator<Item> {
  const othersTurn = turnTaking(perTurn)
  for await (const item of items) {
    await othersTurn()
    yield item
  }
}
