// The commands for programs at a server that nobody here wrote, in its own configuration: npm oidc-provider.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { parse } from 'node-html-parser'
import { Provider } from 'oidc-provider'
import { assert, check, finish } from './common.mjs'

const folder = process.env.GRANTOR_FOLDER
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
// What it says about its development pages is known.
console.warn = console.info = () => {}

const server = createServer().listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const issuer = `http://127.0.0.1:${server.address().port}`
const api = 'https://api.example'
const common = { application_type: 'native', redirect_uris: ['http://127.0.0.1/callback'], response_types: ['code'] }
const grants = ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code']
const provider = new Provider(issuer, {
  clients: [
    { client_id: 'cli', token_endpoint_auth_method: 'none', grant_types: grants, ...common },
    {
      client_id: 'machine',
      client_secret: 'a-secret-of-more-than-thirty-two-characters',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    dPoP: { enabled: true },
    revocation: { enabled: true },
    userinfo: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: 'read', audience: api, accessTokenFormat: 'jwt', accessTokenTTL: 600 }),
    },
  },
  scopes: ['openid', 'offline_access', 'read'],
})
server.on('request', provider.callback())

/** Runs the command; `told` is called with what stands on standard error so far. */
function grantor(args, told = () => {}) {
  const env = { PATH: process.env.PATH, HOME: folder, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere' }
  const child = spawn(process.env.GRANTOR_BINARY, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 })
  let [out, err] = ['', '']
  child.stdout.on('data', (data) => (out += data))
  child.stderr.on('data', (data) => told((err += data)))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })))
}

async function good(args, told) {
  const ran = await grantor(args, told)
  assert.equal(ran.code, 0, ran.err)
  return ran.out
}

/** A browser and a person who signs in and agrees to everything, until it is sent elsewhere or there is nothing to do. */
async function agree(address, code) {
  const cookies = new Map()
  let [at, form] = [new URL(address), undefined]
  for (let step = 0; step < 20; step += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(at, { ...form, redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [name, ...value] = line.split(';')[0].split('=')
      cookies.set(name, value.join('='))
    }
    form = undefined
    const location = response.headers.get('location')
    if (location) {
      at = new URL(location, at)
      continue
    }
    const page = parse(await response.text())
    const found = page.querySelector('form')
    if (!found) return page.text
    const fields = new URLSearchParams()
    for (const input of found.querySelectorAll('input')) {
      const typed = { login: 'alice', password: 'any', user_code: code }
      const name = input.getAttribute('name')
      if (name) fields.set(name, input.getAttribute('value') || typed[name] || '')
    }
    at = new URL(found.getAttribute('action') ?? at, at)
    form = { method: 'POST', body: fields }
  }
  throw new Error('the pages go round in circles')
}

const once = (body) => {
  let done = false
  return (said) => {
    const found = done ? undefined : body(said)
    if (found) done = true
  }
}
const inBrowser = once.bind(undefined, (said) => {
  const url = said.match(/^ {2}(http\S+)$/m)?.[1]
  if (url) agree(url)
  return url
})
const first = (profile, ...more) => [
  'login', '--profile', profile, '--issuer', issuer, '--client-id', 'cli', '--token-store', 'file', ...more,
] // prettier-ignore
const kept = (profile) => join(folder, '.local/state/grantor/tokens', `${profile}.json`)
const expire = (profile) => {
  const grant = JSON.parse(readFileSync(kept(profile), 'utf8'))
  writeFileSync(kept(profile), JSON.stringify({ ...grant, obtained: 400, expires: 1000 }))
  return grant
}

await check('a machine gets a token', async () => {
  writeFileSync(join(folder, 'secret'), 'a-secret-of-more-than-thirty-two-characters')
  const machine = ['--issuer', issuer, '--client-id', 'machine', '--machine', '--client-secret-file', join(folder, 'secret')]
  assert.match(await good(['token', ...machine, '--resource', api, '--scope', 'read']), /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
})

await check('a user signs in through the browser, and the ID token holds', async () => {
  await good(first('web', '--no-browser', '--scope', 'openid offline_access'), inBrowser())
  assert.equal(JSON.parse(await good(['whoami', '--profile', 'web', '--json'])).sub, 'alice')
})

await check('the token is good at userinfo', async () => {
  const said = await good(['curl', `${issuer}/me`, '--profile', 'web', '--fail'])
  assert.equal(JSON.parse(said).sub, 'alice')
})

await check('of six processes one renews', async () => {
  const before = expire('web')
  const tokens = await Promise.all(Array.from({ length: 6 }, () => good(['token', '--profile', 'web'])))
  assert.equal(new Set(tokens).size, 1)
  assert.notEqual(tokens[0].trim(), before.access_token)
})

await check('signing out takes the grant back', async () => {
  const token = (await good(['token', '--profile', 'web'])).trim()
  assert.equal(JSON.parse(await good(['logout', '--profile', 'web', '--json'])).revoked, true)
  assert.equal((await fetch(`${issuer}/me`, { headers: { authorization: `Bearer ${token}` } })).status, 401)
})

await check('a bound token is renewed with its key, and used with it', async () => {
  await good(first('bound', '--no-browser', '--dpop', '--scope', 'openid offline_access'), inBrowser())
  await good(['curl', `${issuer}/me`, '--profile', 'bound', '--fail'])
  expire('bound')
  assert.equal(JSON.parse(await good(['curl', `${issuer}/me`, '--profile', 'bound', '--fail'])).sub, 'alice')
})

await check('a user signs in on another device', async () => {
  const device = once((said) => {
    const found = said.match(/open\s+(http\S+)\s+and enter the code\s+(\S+)/)
    if (found) agree(found[1], found[2])
    return found
  })
  await good(first('device', '--device', '--scope', 'openid offline_access'), device)
  assert.equal(JSON.parse(await good(['whoami', '--profile', 'device', '--json'])).sub, 'alice')
})

await check('an issuer that is written differently is not taken', async () => {
  const ran = await grantor(['token', '--issuer', `${issuer}/`, '--client-id', 'machine', '--machine'])
  assert.equal(ran.code, 1)
  assert.match(ran.err, /letter by letter/)
})

server.closeAllConnections()
server.close()
finish()
