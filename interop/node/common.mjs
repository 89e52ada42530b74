// What every suite of JavaScript libraries needs: the facts about the running demo, a report, and a person who fills in pages.
import { strict as assert } from 'node:assert'
import { parse } from 'node-html-parser'

export { assert }

/** Nothing for a suite that has a server of its own. */
export const demo = JSON.parse(process.env.GRANTOR_DEMO ?? '{"users":[],"clients":[],"apis":[]}')
export const issuer = demo.issuer
export const alice = demo.users[0]
export const client = (id) => demo.clients.find((client) => client.client_id === id)
export const notes = demo.apis.find((api) => api.audience.endsWith('/notes'))
export const mail = demo.apis.find((api) => api.audience.endsWith('/mail'))
export const redirectUri = 'http://127.0.0.1:5999/callback'
export const scope = 'openid profile email offline_access notes:read'

let failed = 0

/** Makes one check; what later checks need is returned by it. A failure is reported and does not end the suite. */
export async function check(name, body) {
  try {
    const value = await body()
    console.log(`ok ${name}`)
    return value
  } catch (error) {
    failed += 1
    const why = [
      error.name,
      error.error,
      error.error_description,
      error.message,
      error.cause?.message ?? error.cause?.body?.error,
    ]
    console.log(`not ok ${name}: ${why.filter(Boolean).join(': ').replace(/\s+/g, ' ')}`)
  }
}

/** An OAuth error with this code, as the library reports it. */
export async function refused(code, promise) {
  const error = await promise.then(
    () => assert.fail(`accepted, but ${code} was expected`),
    (error) => error,
  )
  assert.equal(error.error ?? error.cause?.error ?? error.message, code)
}

/** Calls an API with a bearer token; gives the status. */
export async function call(url, token) {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
  await response.arrayBuffer()
  return response.status
}

export function finish() {
  process.exitCode = failed ? 1 : 0
}

/** A browser without JavaScript and the person in front of it. */
export class Person {
  #cookies = new Map()
  #fetch
  /** What the last page said. */
  read = ''

  constructor(user = alice, send = fetch) {
    this.user = user
    this.#fetch = send
  }

  /**
   * Follows an authorization request to its end: signs in, decides, and gives the address at which the client is called back
   * (or, for form_post, the request that its page would send).
   */
  async authorize(url, { decision = 'allow', without = [], callback = redirectUri } = {}) {
    let at = new URL(url)
    let form
    for (let step = 0; step < 12; step += 1) {
      if (at.href.startsWith(callback)) return form ? new Request(at, form) : at
      const response = await this.#send(at, form)
      const location = response.headers.get('location')
      if (location) {
        at = new URL(location, at)
        form = undefined
        continue
      }
      const page = parse(await response.text())
      this.read = page.querySelector('main')?.structuredText.replace(/\s+/g, ' ') ?? ''
      const found = page.querySelector('form')
      if (!found) throw new Error(`${response.status} ${at.pathname}: ${this.read}`)
      const from = at
      at = new URL(found.getAttribute('action') ?? from, from)
      form = { method: 'POST', body: this.#fill(found, decision, without), headers: { origin: from.origin } }
    }
    throw new Error('the pages go round in circles')
  }

  async #send(url, form = {}) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...form.headers, ...(cookie && { cookie }) }
    const response = await this.#fetch(url.href, { ...form, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(';')
      const [name, ...value] = pair.split('=')
      const gone = attributes.some((attribute) => /^\s*max-age=0\s*$/i.test(attribute))
      if (gone) this.#cookies.delete(name.trim())
      else this.#cookies.set(name.trim(), value.join('='))
    }
    return response
  }

  #fill(form, decision, without) {
    const fields = new URLSearchParams()
    const labels = form.querySelectorAll('label')
    // What a box stands for is its value or what its label says.
    const left = (input) => {
      const label = labels.find((label) => label.getAttribute('for') === input.getAttribute('id'))
      return without.includes(input.getAttribute('value')) || without.includes(label?.text.trim())
    }
    for (const input of form.querySelectorAll('input')) {
      const name = input.getAttribute('name')
      if (!name || input.hasAttribute('disabled')) continue
      const value = input.getAttribute('value') ?? ''
      if (input.getAttribute('type') === 'checkbox') {
        if (input.hasAttribute('checked') && !left(input)) fields.append(name, value)
      } else if (name === 'username') fields.append(name, this.user.username)
      else if (name === 'password') fields.append(name, this.user.password)
      else fields.append(name, value)
    }
    const buttons = form.querySelectorAll('button').filter((button) => button.getAttribute('name'))
    const button = buttons.find((button) => button.getAttribute('value') === decision) ?? buttons[0]
    if (button) fields.append(button.getAttribute('name'), button.getAttribute('value'))
    return fields
  }
}
