// npm jose as the oracle for what Grantor signs: access tokens and ID tokens against the published keys.
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { createHash, randomBytes } from 'node:crypto'
import { Person, alice, assert, check, client, finish, issuer, notes, redirectUri, scope } from './common.mjs'

const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri))

async function token(parameters, { client_id, client_secret } = client('demo-web')) {
  const authorization = `Basic ${Buffer.from(`${encodeURIComponent(client_id)}:${encodeURIComponent(client_secret)}`).toString('base64')}`
  const response = await fetch(metadata.token_endpoint, {
    method: 'POST',
    headers: { authorization },
    body: new URLSearchParams(parameters),
  })
  return { response, body: await response.json() }
}

const published = await check('the published keys are public, and each has kid and use, and alg when it signs', async () => {
  const { keys } = await (await fetch(metadata.jwks_uri)).json()
  assert.ok(keys.length > 0)
  for (const key of keys) {
    // One key to encrypt to is good for several algorithms.
    const names = ['kid', 'use', 'kty', ...(key.use === 'sig' ? ['alg'] : [])]
    for (const name of names) assert.equal(typeof key[name], 'string', name)
    for (const secret of ['d', 'p', 'q', 'k']) assert.equal(key[secret], undefined)
  }
  return keys
})
const nonce = randomBytes(16).toString('base64url')
const verifier = randomBytes(32).toString('base64url')
const tokens = await check('a token response is not cached', async () => {
  const url = new URL(metadata.authorization_endpoint)
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  url.search = new URLSearchParams({
    client_id: 'demo-web',
    response_type: 'code',
    redirect_uri: redirectUri,
    scope,
    nonce,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    state: 's',
  })
  const code = (await new Person().authorize(url)).searchParams.get('code')
  const { response, body } = await token({
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  })
  assert.equal(response.status, 200, body.error)
  assert.match(response.headers.get('cache-control'), /no-store/)
  return body
})
await check('the ID token verifies', async () => {
  const { payload, protectedHeader } = await jwtVerify(tokens.id_token, keys, {
    issuer,
    audience: 'demo-web',
    subject: alice.sub,
    maxTokenAge: '5m',
  })
  assert.equal(payload.nonce, nonce)
  assert.ok(metadata.id_token_signing_alg_values_supported.includes(protectedHeader.alg))
  assert.ok(published.some((key) => key.kid === protectedHeader.kid && key.alg === protectedHeader.alg))
})
await check('at_hash is that of the access token (OpenID Connect Core 3.1.3.6)', async () => {
  const { payload, protectedHeader } = await jwtVerify(tokens.id_token, keys)
  const hash = { 256: 'sha256', 384: 'sha384', 512: 'sha512' }[protectedHeader.alg.slice(2)] ?? 'sha512'
  const digest = createHash(hash).update(tokens.access_token).digest()
  assert.equal(payload.at_hash, digest.subarray(0, digest.length / 2).toString('base64url'))
})
await check('the access token verifies, with typ at+jwt and the audience of the API', async () => {
  const { payload } = await jwtVerify(tokens.access_token, keys, {
    issuer,
    audience: notes.audience,
    typ: 'at+jwt',
    requiredClaims: ['exp', 'iat', 'jti', 'client_id', 'sub'],
  })
  assert.equal(payload.client_id, 'demo-web')
})
await check('the access token names another type than the ID token', () => {
  assert.notEqual(decodeProtectedHeader(tokens.id_token).typ, decodeProtectedHeader(tokens.access_token).typ)
})
await check('a changed signature does not verify', async () => {
  const [head, body, signature] = tokens.access_token.split('.')
  const flipped = signature[9] === 'A' ? 'B' : 'A'
  const changed = [head, body, signature.slice(0, 9) + flipped + signature.slice(10)].join('.')
  await assert.rejects(jwtVerify(changed, keys), { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' })
})
await check("a machine's token verifies and is about the machine", async () => {
  const { body } = await token({ grant_type: 'client_credentials', scope: 'notes:read' }, client('demo-machine'))
  const { payload } = await jwtVerify(body.access_token, keys, { issuer, audience: notes.audience, typ: 'at+jwt' })
  assert.equal(payload.sub, 'demo-machine')
})
finish()
