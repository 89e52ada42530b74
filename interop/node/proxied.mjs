// A proxy of Debian's with the configuration of its example, in front of the Python API of examples/nginx: what the API gets
// to see, and what a client is answered. Requests are written by hand where a library would tidy them up.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { createHash, randomUUID } from 'node:crypto'
import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import { assert, check, finish } from './common.mjs'
import { behind, folder, freePort, grantor, logIsClean, serve } from './served.mjs'

const examples = new URL('../../examples/', import.meta.url)

/**
 * Runs the checks against a proxy: `program` with `given`, which may be made of its port, reads `configuration` of its `example`. `asksAt` is where it asks
 * Grantor, if that is an address of its own; `passesNonces` says whether a client gets a nonce with a good answer;
 * `normalizes`, whether the API gets a path without dots; `refusesNoUri`, whether what is no URI is refused;
 * `withoutGrantor` is the status when Grantor is gone.
 */
export async function suite(proxy) {
  const [edge, inner] = [await freePort(), await freePort()]
  const audience = `http://localhost:${edge}`
  const secret = 'a secret of this suite, 32 letters'
  const machine = { grant_types: ['client_credentials'], client_secret: secret }
  const site = behind('127.0.0.1/32')

  /** A file of the example, with the ports of this run. */
  const placed = (name) =>
    readFileSync(new URL(name, examples), 'utf8')
      .replaceAll('127.0.0.1:8080', site.listen)
      .replaceAll('127.0.0.1:9000', `127.0.0.1:${inner}`)
      .replaceAll(/(127\.0\.0\.1|localhost):8000/g, `$1:${edge}`)
      .replaceAll('port_value: 8080', `port_value: ${site.listen.split(':')[1]}`)
      .replaceAll('port_value: 9000', `port_value: ${inner}`)
      .replaceAll('port_value: 8000', `port_value: ${edge}`)

  const ceiling = (client_id, scope, roles = []) => ({ client_id, scope, roles })
  const server = await serve(
    {
      apis: [
        {
          audience,
          name: 'Notes',
          scopes: [{ name: 'notes:read' }, { name: 'notes:write' }],
          roles: [{ name: 'auditor' }],
          ceilings: [
            ceiling('reader', 'notes:read'),
            ceiling('writer', 'notes:read notes:write', ['auditor']),
            ceiling('bound', 'notes:read notes:write'),
          ],
        },
        {
          audience: 'https://other.example',
          name: 'Other',
          scopes: [{ name: 'other:read' }],
          ceilings: [ceiling('reader', 'other:read')],
        },
      ],
      clients: [
        { client_id: 'reader', ...machine },
        { client_id: 'writer', ...machine },
        { client_id: 'bound', ...machine, dpop_bound_access_tokens: true },
      ],
    },
    site,
  )

  /** Starts a program, ends it with this one, and waits until its port answers. */
  async function start(program, given, port, cwd) {
    // Caddy keeps things in its home.
    const env = { ...process.env, XDG_CONFIG_HOME: cwd, XDG_DATA_HOME: cwd }
    const child = spawn(program, given, { stdio: 'ignore', cwd, env })
    process.on('exit', () => child.kill('SIGTERM'))
    for (let tries = 0; tries < 100; tries += 1) {
      if (child.exitCode !== null) break
      const answers = await new Promise((resolve) => {
        const socket = createConnection(port, '127.0.0.1', () => socket.end(resolve(true))).once('error', () =>
          resolve(false),
        )
      })
      if (answers) return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    throw new Error(`${program} does not answer`)
  }
  const place = join(folder, 'proxy')
  rmSync(place, { recursive: true, force: true })
  mkdirSync(join(place, 'tmp'), { recursive: true })
  writeFileSync(join(place, proxy.configuration), placed(`${proxy.example}/${proxy.configuration}`))
  await start('python3', ['-B', new URL('nginx/api.py', examples).pathname, String(inner)], inner, place)
  await start(proxy.program, typeof proxy.given === 'function' ? proxy.given(edge) : proxy.given, edge, place)

  /** One request, every header as it is given; the answer with its headers as a list of pairs. */
  function raw(method, path, headers = [], { body = '', port = edge, from = '127.0.0.1' } = {}) {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ port, host: '127.0.0.1', localAddress: from })
      const lines = [`Host: localhost:${port}`, 'Connection: close', ...headers]
      if (body) lines.push(`Content-Length: ${Buffer.byteLength(body)}`)
      let text = ''
      socket.setEncoding('utf8').setTimeout(20_000, () => socket.destroy(new Error('no answer')))
      socket.on('data', (data) => (text += data)).on('error', reject)
      socket.on('end', () => {
        const [head, ...rest] = text.split('\r\n\r\n')
        const [status, ...fields] = head.split('\r\n')
        const values = (name) =>
          fields.filter((field) => field.toLowerCase().startsWith(`${name}:`)).map((field) => field.split(/:\s*/).slice(1).join(':'))
        resolve({ head, status: Number(status.split(' ')[1]), values, body: rest.join('\r\n\r\n') })
      })
      socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
    })
  }
  /** What the API saw. */
  const seen = ({ status, body }) => {
    assert.equal(status, 200, body)
    return JSON.parse(body)
  }
  /** The code in the one header with the challenges. */
  const challenged = (answer) => {
    const values = answer.values('www-authenticate')
    assert.equal(values.length, 1)
    return [answer.status, values[0].match(/error="(.*?)"/)?.[1]]
  }
  const bearer = (token) => `Authorization: Bearer ${token}`

  let nonce
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  /** A proof for a request; `given` replaces what it says. */
  function proof(htm, htu, token, given = {}) {
    const ath = token && createHash('sha256').update(token).digest('base64url')
    return new SignJWT({ htm, htu, jti: randomUUID(), ath, nonce, ...given })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .setIssuedAt()
      .sign(privateKey)
  }
  async function token(client, scope) {
    const basic = `Basic ${Buffer.from(`${client}:${encodeURIComponent(secret)}`).toString('base64')}`
    for (let tries = 0; tries < 2; tries += 1) {
      const headers = { authorization: basic }
      if (client === 'bound') headers.dpop = await proof('POST', `${site.issuer}/token`)
      const body = new URLSearchParams({ grant_type: 'client_credentials', scope })
      const response = await fetch(`${site.issuer}/token`, { method: 'POST', headers, body })
      nonce = response.headers.get('dpop-nonce') ?? nonce
      const answer = await response.json()
      if (answer.access_token) return answer.access_token
      if (answer.error !== 'use_dpop_nonce') throw new Error(answer.error)
    }
  }
  const reader = await token('reader', 'notes:read')
  const writer = await token('writer', 'notes:read notes:write')
  const bound = await token('bound', 'notes:read notes:write')

  await check('the manifest of the example is one', () => {
    const file = join(folder, 'notes.toml')
    writeFileSync(file, placed('nginx/notes.toml'))
    grantor('apply', '--dry-run', file)
  })
  await check('a token that is enough: the API learns whose it is, and not the token', async () => {
    const { caller, headers } = seen(await raw('GET', '/notes', [bearer(reader)]))
    assert.deepEqual(caller, { subject: 'reader', subject_type: 'app', client_id: 'reader', scope: ['notes:read'], roles: [] })
    assert.ok(!('HTTP_AUTHORIZATION' in headers) && !JSON.stringify(headers).includes(reader))
    const { caller: other } = seen(await raw('GET', '/notes', [bearer(writer)]))
    assert.deepEqual([other.scope, other.roles], [['notes:read', 'notes:write'], ['auditor']])
  })
  await check('no token: 401, and where to get one', async () => {
    const answer = await raw('GET', '/notes')
    assert.deepEqual(challenged(answer), [401, undefined])
    const [challenge] = answer.values('www-authenticate')
    assert.ok(challenge.startsWith('Bearer scope="notes:read"') && challenge.includes(', DPoP '), challenge)
    const metadata = await (await fetch(challenge.match(/resource_metadata="(.*?)"/)[1])).json()
    assert.deepEqual([metadata.resource, metadata.authorization_servers], [audience, [site.issuer]])
  })
  await check('too little: 403, and the challenge arrives', async () => {
    const answer = await raw('POST', '/notes', [bearer(reader)], { body: 'a note' })
    assert.deepEqual(challenged(answer), [403, 'insufficient_scope'])
    assert.ok(answer.values('www-authenticate')[0].includes('scope="notes:write"'))
  })
  await check('what a route wants beside a scope', async () => {
    assert.deepEqual(challenged(await raw('GET', '/reports', [bearer(reader)])), [403, 'insufficient_scope'])
    const answer = await raw('GET', '/reports', [bearer(writer)])
    assert.deepEqual(challenged(answer), [401, 'insufficient_user_authentication'])
    assert.ok(answer.values('www-authenticate')[0].includes('max_age="300"'))
  })
  await check('a token for another audience', async () => {
    const other = await token('reader', 'other:read')
    assert.deepEqual(challenged(await raw('GET', '/notes', [bearer(other)])), [401, 'invalid_token'])
  })
  await check('no token at all, in the header, the query or the form', async () => {
    assert.deepEqual(challenged(await raw('GET', '/notes', [bearer('x.y.z')])), [401, 'invalid_token'])
    assert.deepEqual(challenged(await raw('GET', '/notes', ['Authorization: Bearer a b'])), [401, 'invalid_request'])
    assert.deepEqual(challenged(await raw('GET', '/notes', ['Authorization: Basic YTpi'])), [401, undefined])
    assert.deepEqual(challenged(await raw('GET', `/notes?access_token=${reader}`)), [401, undefined])
    const form = ['Content-Type: application/x-www-form-urlencoded']
    assert.deepEqual(challenged(await raw('POST', '/notes', form, { body: `access_token=${writer}` })), [401, undefined])
  })
  await check('two tokens', async () => {
    const answer = await raw('GET', '/notes', [bearer(reader), bearer(writer)])
    assert.ok([400, 401].includes(answer.status), `${answer.status}`)
  })

  const question = `/forward-auth?resource=${encodeURIComponent(audience)}`
  const port = Number(site.listen.split(':')[1])
  // As the server has them: what the configuration forgets would be forgotten here too.
  const names = (await raw('GET', question, [bearer(reader)], { port })).head.match(/^x-grantor-[a-z-]+/gim)
  const forged = names
    .flatMap((name) => [name, name.toUpperCase(), name.replaceAll('-', '_'), name.replace('-', '_')])
    .map((name) => `${name}: forged`)
  await check('forged headers: none of any spelling arrives with a token', async () => {
    const { caller, headers } = seen(await raw('GET', '/notes', [...forged, bearer(reader), ...forged]))
    assert.deepEqual([caller.subject, caller.roles, names.length], ['reader', [], 10])
    assert.ok(!JSON.stringify(headers).includes('forged'), JSON.stringify(headers))
  })
  await check('nor where no token is wanted', async () => {
    for (const more of [[], [bearer(reader)]]) {
      const { caller, headers } = seen(await raw('GET', '/', [...forged, ...more]))
      assert.equal(caller, null)
      assert.ok(!JSON.stringify(headers).includes('forged') && !('HTTP_AUTHORIZATION' in headers))
    }
  })
  await check('nor when the request is refused', async () => {
    assert.deepEqual(challenged(await raw('GET', '/notes', forged)), [401, undefined])
  })
  await check('a body arrives', async () => {
    for (const length of [1, 300_000]) {
      const answer = seen(await raw('POST', '/notes', [bearer(writer)], { body: 'x'.repeat(length) }))
      assert.deepEqual([answer.method, answer.received], ['POST', length])
    }
  })
  await check('odd queries change nothing of what is asked', async () => {
    for (const query of ['resource=https://other.example&scope=', '&&=?', 'a=%00%2F..%2F&b=%zz', '*'])
      assert.equal(seen(await raw('GET', `/notes?${query}`, [bearer(reader)])).caller.subject, 'reader', query)
    // No URI has these (RFC 3986 3.4).
    for (const query of ["a='\"<>{}|^`\\", '%23#x', 'ä']) {
      const answer = await raw('GET', `/notes?${query}`, [bearer(reader)])
      if (proxy.refusesNoUri) assert.equal(answer.status, 400, query)
      else assert.equal(seen(answer).caller.subject, 'reader', query)
    }
    assert.deepEqual(challenged(await raw('GET', '/notes?resource=https://other.example&scope=', [])), [401, undefined])
  })
  await check('odd paths are guarded as what they mean', async () => {
    for (const path of ['/notes%2F1', '/n%6Ftes', '//notes', '/x/../notes', '/notes/%2e%2e/notes', `${audience}/notes`]) {
      assert.deepEqual(challenged(await raw('GET', path)), [401, undefined], path)
      assert.equal((await raw('GET', path, [bearer(reader)])).status, 200, path)
    }
    // For everybody to the proxy, and not to the API, unless the proxy passes on what it has understood.
    for (const path of ['/notes/../', '/notes/..%2F', '/notes/%2e%2e/x', '/reports//../x']) {
      const answer = await raw('GET', path, forged)
      if (answer.status >= 400) continue
      const { path: understood, caller } = seen(answer)
      assert.ok(proxy.normalizes && caller === null && !/^.(notes|reports)/.test(understood), path)
    }
  })

  /** How a request with a proof fares. */
  async function proved(method, path, { htm = method, htu = `${audience}${path.split('?')[0]}`, more = [], given, scheme = 'DPoP' } = {}) {
    const shown = await proof(htm, htu, bound, given)
    const headers = [`Authorization: ${scheme} ${bound}`, `DPoP: ${shown}`, ...more]
    const send = () => raw(method, path, headers)
    return { answer: await send(), send }
  }
  await check('a bound token with a proof for what was called', async () => {
    for (const [method, path] of [['GET', '/notes'], ['DELETE', '/notes/1?x=y'], ['PUT', '/notes/a%2Fb%20c;d'], ['OPTIONS', '/notes']]) {
      const { answer } = await proved(method, path)
      assert.equal(seen(answer).caller.subject, 'bound')
      assert.equal(answer.values('dpop-nonce').length, proxy.passesNonces ? 1 : 0)
      assert.ok(!('HTTP_DPOP' in JSON.parse(answer.body).headers))
    }
  })
  await check('a proof is good once', async () => {
    const { answer, send } = await proved('GET', '/notes')
    assert.equal(answer.status, 200)
    assert.deepEqual(challenged(await send()), [401, 'invalid_dpop_proof'])
  })
  await check('a proof for something else: of Grantor, another path, another method', async () => {
    for (const other of [
      { htu: `${site.issuer}/forward-auth` },
      { htu: `${audience}/forward-auth` },
      { htu: `${audience}/notes/1` },
      { htm: 'POST' },
      { htu: 'http://other.example/notes', more: ['X-Forwarded-Host: other.example'] },
    ])
      assert.deepEqual(challenged((await proved('GET', '/notes', other)).answer), [401, 'invalid_dpop_proof'])
  })
  await check('what a client says of the original request is not listened to', async () => {
    const more = ['X-Original-Method: POST', 'X-Original-URI: /x', 'X-Original-URL: http://x/x', 'X-Forwarded-Method: POST', 'X-Forwarded-Uri: /x']
    assert.deepEqual(challenged((await proved('GET', '/notes', { htm: 'POST', htu: `${audience}/x`, more })).answer), [401, 'invalid_dpop_proof'])
    assert.equal((await proved('GET', '/notes', { more })).answer.status, 200)
  })
  await check('the nonce that is wanted arrives', async () => {
    const { answer } = await proved('GET', '/notes', { given: { nonce: undefined } })
    assert.deepEqual(challenged(answer), [401, 'use_dpop_nonce'])
    assert.equal(answer.values('dpop-nonce').length, 1)
  })
  await check('a bound token as a bearer token', async () => {
    assert.deepEqual(challenged(await raw('GET', '/notes', [bearer(bound)])), [401, 'invalid_token'])
    assert.deepEqual(challenged((await proved('GET', '/notes', { scheme: 'Bearer' })).answer), [401, 'invalid_token'])
  })
  await check('the question cannot be asked from outside, nor by anybody but the proxy', async () => {
    if (proxy.asksAt) assert.equal((await raw('GET', proxy.asksAt, [bearer(reader)])).status, 404)
    assert.equal((await raw('GET', question, [bearer(reader)], { port })).status, 200, 'where the proxy is')
    const stranger = await raw('GET', question, [bearer(reader), 'X-Forwarded-For: 127.0.0.1'], { port, from: '127.0.0.3' })
    assert.deepEqual([stranger.status, stranger.values('www-authenticate'), stranger.body], [403, [], ''])
  })
  await check('a token that was taken back', async () => {
    const basic = `Basic ${Buffer.from(`reader:${encodeURIComponent(secret)}`).toString('base64')}`
    const body = new URLSearchParams({ token: reader })
    assert.ok((await fetch(`${site.issuer}/revoke`, { method: 'POST', headers: { authorization: basic }, body })).ok)
    assert.deepEqual(challenged(await raw('GET', '/notes', [bearer(reader)])), [401, 'invalid_token'])
  })
  await check('without Grantor nobody passes, and it is nobody\'s fault', async () => {
    server.kill('SIGKILL')
    await new Promise((resolve) => server.once('exit', resolve))
    const answer = await raw('GET', '/notes', [bearer(writer)])
    assert.deepEqual([answer.status, answer.values('www-authenticate')], [proxy.withoutGrantor, []])
    assert.equal((await raw('GET', '/')).status, 200)
  })
  await check('no secret in the log', async () => logIsClean())
  finish()
  process.exit()
}
