// What the suites of MCP clients need: Grantor with a policy for clients that nobody declared, a host of the documents by
// which such clients describe themselves, and the MCP server of examples/ in front of which Grantor's layer stands.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { assert, Person, redirectUri } from './common.mjs'
import { alice, folder, freePort, issuer, serve, serverCertificate, servers, trusting } from './served.mjs'

const port = await freePort()
/** The one thing that a client knows. */
export const server = `http://localhost:${port}/mcp`
export const both = 'notes:read notes:write'
const mail = 'https://mail.example/'
const secrets = { 'notes-mcp': randomBytes(24).toString('hex'), machine: randomBytes(24).toString('hex') }

/** The documents that are served, by their path, and how often each was asked for. */
const documents = new Map()
export const asked = {}
const documentPort = await freePort()
const identity = await serverCertificate()
const host = createServer({ cert: identity.cert, key: await identity.key() }, (request, response) => {
  asked[request.url] = (asked[request.url] ?? 0) + 1
  const document = documents.get(request.url)
  response.writeHead(document ? 200 : 404, { 'content-type': 'application/json' })
  response.end(JSON.stringify(document ?? {}))
})
await new Promise((resolve) => host.listen(documentPort, '127.0.0.1', resolve))
host.unref()

/** What a client says of itself, whichever way it gets in. */
export const described = {
  client_name: 'Interop',
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
  application_type: 'native',
}

/** Puts a document there; gives its URL, which is the client's `client_id`. */
export function publish(name, change = {}) {
  const client_id = `https://localhost:${documentPort}/${name}.json`
  documents.set(`/${name}.json`, { client_id, ...described, ...change })
  return client_id
}

/** Starts Grantor and the MCP server. */
export async function start() {
  const opaque = { format: 'opaque' }
  const machine = { grant_types: ['client_credentials'] }
  await serve({
    tenants: [
      {
        name: 'default',
        registration: {
          metadata_documents: true,
          dynamic: 'open',
          tiers: [{ name: 'on this machine', hosts: ['localhost'], apis: [server], scope: `offline_access ${both}` }],
        },
      },
    ],
    apis: [
      {
        audience: server,
        name: 'Notes',
        scopes: [{ name: 'notes:read' }, { name: 'notes:write' }],
        token: opaque,
        resource_servers: ['notes-mcp'],
      },
      {
        audience: mail,
        name: 'Mail',
        scopes: [{ name: 'mail:read' }],
        token: opaque,
        ceilings: [{ client_id: 'machine', scope: 'mail:read' }],
      },
    ],
    clients: Object.entries(secrets).map(([client_id, client_secret]) => ({ ...machine, client_id, client_secret })),
  })
  const log = openSync(join(folder, 'mcp-server.log'), 'w')
  const example = spawn(process.env.GRANTOR_MCP_SERVER, [], {
    env: {
      LISTEN: `127.0.0.1:${port}`,
      AUDIENCE: server,
      ISSUER: issuer,
      ISSUER_CA: join(folder, 'servers.pem'),
      INTROSPECTION_SECRET: secrets['notes-mcp'],
      RUST_LOG: 'trace',
    },
    stdio: ['ignore', 'ignore', log],
  })
  example.unref()
  process.on('exit', () => example.kill('SIGKILL'))
  for (let tries = 0; tries < 100; tries += 1) {
    if (await fetch(server).catch(() => undefined)) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`the MCP server did not start: ${readFileSync(join(folder, 'mcp-server.log'), 'utf8').slice(-2000)}`)
}

/** Throws when the log of the MCP server, at its most talkative, holds a token; or is silent. */
export function serverLogIsClean() {
  const log = readFileSync(join(folder, 'mcp-server.log'), 'utf8')
  assert.ok(log.includes('a request was refused'), 'the log does not say why a request was refused')
  for (const secret of ['gr_at_', 'gr_rt_', 'gr_ac_', ...Object.values(secrets)]) assert.ok(!log.includes(secret))
}

/** Asks Grantor for something with a form; gives the answer. */
export async function post(path, fields, headers = {}) {
  return trusting(`${issuer}${path}`, { method: 'POST', headers, body: new URLSearchParams(fields) })
}

/** Takes a token of a public client back (RFC 7009). */
export async function revoke(client_id, token) {
  assert.equal((await post('/revoke', { client_id, token })).status, 200)
}

/** A token of the same issuer for another API. */
export async function foreignToken() {
  const authorization = `Basic ${Buffer.from(`machine:${secrets.machine}`).toString('base64')}`
  const answer = await post('/token', { grant_type: 'client_credentials', resource: mail }, { authorization })
  const { access_token } = await answer.json()
  assert.match(access_token, /^gr_at_/)
  return access_token
}

/** What the MCP server answers when a tool is called with a token, or without one: status and challenge. */
export async function called(tool, token) {
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: { text: 'x' } } }
  const response = await fetch(server, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(message),
  })
  const challenge = response.headers.get('www-authenticate')
  await response.arrayBuffer()
  return { status: response.status, challenge }
}

/** Where the address of a request leads, without what is in it. */
export const place = (url) => new URL(url).origin + new URL(url).pathname
/** Where the metadata of the MCP server and of Grantor is (RFC 9728 3.1, RFC 8414 3.1). */
export const wellKnown = {
  resource: `http://localhost:${port}/.well-known/oauth-protected-resource/mcp`,
  server: `${issuer}/.well-known/oauth-authorization-server`,
}

/** The person: signs in, reads, decides. */
export const person = () => new Person(alice, trusting)
export { alice, folder, issuer, servers }
