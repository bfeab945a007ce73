/** Answers by key, kept until something changes. What is not there is kept too: strangers ask for what is not there. */
export class Lookups<Value> {
  readonly #read: (key: string) => Value
  readonly #answers = new Map<string, Value>()

  constructor(read: (key: string) => Value) {
    this.#read = read
  }

  get(key: string): Value {
    let answer = this.#answers.get(key)
    if (answer === undefined && !this.#answers.has(key)) {
      answer = this.#read(key)
      if (this.#answers.size >= mostAnswers) this.#answers.clear()
      this.#answers.set(key, answer)
    }
    return answer as Value
  }

  clear(): void {
    this.#answers.clear()
  }
}

const mostAnswers = 10_000
