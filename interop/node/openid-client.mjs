// npm openid-client: every flow as its own documentation does it.
import * as client from 'openid-client'
import {
  Person,
  alice,
  assert,
  call,
  check,
  client as registered,
  finish,
  issuer,
  mail,
  notes,
  redirectUri,
  refused,
  scope,
} from './common.mjs'

const insecure = { execute: [client.allowInsecureRequests] }
// Its own default is client_secret_post; the clients of the demo are registered for client_secret_basic.
const basic = (id) => client.ClientSecretBasic(registered(id).client_secret)
const discover = (id, authentication = basic(id)) =>
  client.discovery(new URL(issuer), id, undefined, authentication, insecure)

const web = await check('discovery gives the issuer and its endpoints', async () => {
  const config = await discover('demo-web')
  const server = config.serverMetadata()
  assert.equal(server.issuer, issuer)
  for (const name of [
    'authorization_endpoint',
    'token_endpoint',
    'jwks_uri',
    'userinfo_endpoint',
    'introspection_endpoint',
    'revocation_endpoint',
  ])
    assert.ok(server[name].startsWith(issuer), name)
  assert.ok(server.supportsPKCE('S256'))
  assert.equal(server.authorization_response_iss_parameter_supported, true)
  return config
})
await check('discovery by RFC 8414 says the same', async () => {
  const config = await client.discovery(new URL(issuer), 'demo-web', undefined, client.None(), {
    ...insecure,
    algorithm: 'oauth2',
  })
  assert.equal(config.serverMetadata().token_endpoint, web.serverMetadata().token_endpoint)
})

const person = new Person()

/** One authorization request: where the client is called back, and what it checks then. */
async function ask(config, parameters = {}, options = {}, who = person) {
  const checks = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
    idTokenExpected: true,
  }
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...parameters,
  })
  return { callback: await who.authorize(url, options), checks }
}

async function grant(config, parameters, options) {
  const { callback, checks } = await ask(config, parameters, options)
  const resource = parameters?.resource ? { resource: parameters.resource } : {}
  return client.authorizationCodeGrant(config, callback, checks, resource)
}

const tokens = await check('code and PKCE: state, iss, nonce and ID token hold', async () => {
  const tokens = await grant(web)
  const claims = tokens.claims()
  assert.equal(claims.sub, alice.sub)
  assert.equal(claims.aud, 'demo-web')
  assert.equal(tokens.token_type, 'bearer')
  assert.ok(tokens.expires_in > 0)
  return tokens
})
await check('the ID token holds with its signature checked too', async () => {
  const strict = await discover('demo-web')
  client.enableNonRepudiationChecks(strict)
  assert.equal((await grant(strict)).claims().sub, alice.sub)
})
await check('an authorization request with another verifier is refused at the token endpoint', async () => {
  const { callback, checks } = await ask(web)
  await refused(
    'invalid_grant',
    client.authorizationCodeGrant(web, callback, { ...checks, pkceCodeVerifier: client.randomPKCECodeVerifier() }),
  )
})
await check('a code works once, and its second use revokes what the first gave', async () => {
  const { callback, checks } = await ask(web)
  const first = await client.authorizationCodeGrant(web, callback, checks)
  await refused('invalid_grant', client.authorizationCodeGrant(web, callback, checks))
  assert.equal(await call(notes.url, first.access_token), 401)
})
await check('max_age is honoured and auth_time says so', async () => {
  const { callback, checks } = await ask(web, { max_age: '3600' })
  const tokens = await client.authorizationCodeGrant(web, callback, { ...checks, maxAge: 3600 })
  assert.ok(tokens.claims().auth_time <= Date.now() / 1000 + 5)
})
await check('form_post sends the same response', async () => {
  const { callback, checks } = await ask(web, { response_mode: 'form_post' })
  assert.equal(callback.method, 'POST')
  const tokens = await client.authorizationCodeGrant(web, callback, checks)
  assert.equal(tokens.claims().sub, alice.sub)
})
await check('userinfo is about the subject of the ID token', async () => {
  const user = await client.fetchUserInfo(web, tokens.access_token, tokens.claims().sub)
  assert.ok(user.email, 'the email scope gives an email claim')
})
await check('the demo API takes the access token', async () => {
  assert.equal((await client.fetchProtectedResource(web, tokens.access_token, new URL(notes.url), 'GET')).status, 200)
})

const api = await check('a resource server discovers', () => discover('demo-notes-api'))
await check('introspection says who, whom and what for', async () => {
  const said = await client.tokenIntrospection(api, tokens.access_token)
  assert.equal(said.active, true)
  assert.equal(said.client_id, 'demo-web')
  assert.equal(said.sub, alice.sub)
  assert.ok([said.aud].flat().includes(notes.audience))
  assert.ok(said.scope.split(' ').includes('notes:read'))
})
await check('an opaque token is introspected too, with the audience of its own API alone', async () => {
  const opaque = await grant(web, { scope: 'openid mail:read', resource: mail.audience })
  assert.notEqual(opaque.access_token.split('.').length, 3)
  const said = await client.tokenIntrospection(api, opaque.access_token)
  assert.equal(said.active, true)
  assert.deepEqual([said.aud].flat(), [mail.audience])
})
await check('introspection says nothing to a client that is not the resource server', async () => {
  const machine = await discover('demo-machine')
  assert.deepEqual(await client.tokenIntrospection(machine, tokens.access_token), { active: false })
})

const third = await check('refresh rotates, and a retry gets the same successor', async () => {
  const second = await client.refreshTokenGrant(web, tokens.refresh_token)
  assert.notEqual(second.refresh_token, tokens.refresh_token)
  const again = await client.refreshTokenGrant(web, tokens.refresh_token)
  assert.equal(again.refresh_token, second.refresh_token)
  return client.refreshTokenGrant(web, second.refresh_token)
})
await check('refresh can narrow the scope, and not widen it', async () => {
  const narrow = await client.refreshTokenGrant(web, third.refresh_token, { scope: 'notes:read' })
  assert.ok(!(narrow.scope ?? 'notes:read').split(' ').includes('email'))
  await refused(
    'invalid_scope',
    client.refreshTokenGrant(web, narrow.refresh_token, { scope: 'notes:read notes:write mail:send' }),
  )
  third.refresh_token = narrow.refresh_token
})
await check('an older refresh token is refused and takes the grant with it', async () => {
  await refused('invalid_grant', client.refreshTokenGrant(web, tokens.refresh_token))
  await refused('invalid_grant', client.refreshTokenGrant(web, third.refresh_token))
  assert.deepEqual(await client.tokenIntrospection(api, third.access_token), { active: false })
})

await check('client credentials: a token without a user', async () => {
  const machine = await discover('demo-machine')
  const tokens = await client.clientCredentialsGrant(machine, { scope: 'notes:read' })
  assert.equal(tokens.refresh_token, undefined)
  assert.equal(tokens.id_token, undefined)
  const said = await client.tokenIntrospection(api, tokens.access_token)
  assert.equal(said.active, true)
  assert.equal(said.client_id, 'demo-machine')
  assert.notEqual(said.sub, alice.sub)
  assert.equal(await call(notes.url, tokens.access_token), 200)
})
await check('client credentials by client_secret_post is refused to a client of client_secret_basic', async () => {
  const machine = await discover('demo-machine', client.ClientSecretPost(registered('demo-machine').client_secret))
  await refused('invalid_client', client.clientCredentialsGrant(machine, { scope: 'notes:read' }))
})
await check('a revoked access token is dead everywhere at once', async () => {
  const tokens = await grant(web)
  assert.equal(await call(notes.url, tokens.access_token), 200)
  await client.tokenRevocation(web, tokens.access_token, { token_type_hint: 'access_token' })
  assert.deepEqual(await client.tokenIntrospection(api, tokens.access_token), { active: false })
  assert.equal(await call(notes.url, tokens.access_token), 401)
  assert.equal(await call(web.serverMetadata().userinfo_endpoint, tokens.access_token), 401)
})
await check('a revoked refresh token takes its access tokens with it', async () => {
  const tokens = await grant(web)
  await client.tokenRevocation(web, tokens.refresh_token, { token_type_hint: 'refresh_token' })
  await refused('invalid_grant', client.refreshTokenGrant(web, tokens.refresh_token))
  assert.deepEqual(await client.tokenIntrospection(api, tokens.access_token), { active: false })
})
await check('revoking what is no token succeeds (RFC 7009 2.2)', () => client.tokenRevocation(web, 'no-token'))
await check('a public client needs no secret', async () => {
  const config = await discover('demo-public', client.None())
  assert.equal((await grant(config)).claims().aud, 'demo-public')
})
await check('a denied request comes back as access_denied with state and iss', async () => {
  const config = await discover('demo-web')
  const { callback, checks } = await ask(config, { prompt: 'consent' }, { decision: 'deny' }, new Person())
  assert.equal(callback.searchParams.get('iss'), issuer)
  assert.equal(callback.searchParams.get('state'), checks.expectedState)
  await refused('access_denied', client.authorizationCodeGrant(config, callback, checks))
})
await check('prompt=none without a session comes back as login_required', async () => {
  const { callback, checks } = await ask(web, { prompt: 'none' }, {}, new Person())
  await refused('login_required', client.authorizationCodeGrant(web, callback, checks))
})
await check('a partial consent gives what was left ticked', async () => {
  const wide = { scope: 'openid notes:read notes:write', prompt: 'consent' }
  const tokens = await grant(web, wide, { without: ['notes:write'] })
  assert.ok(tokens.scope.split(' ').includes('notes:read'), `scope is ${tokens.scope}`)
  assert.ok(!tokens.scope.split(' ').includes('notes:write'), `scope is ${tokens.scope}`)
})
finish()
