// npm openid-client: clients that hold keys and certificates, and requests and answers that nobody in between can change.
import { CompactEncrypt, importJWK } from 'jose'
import * as client from 'openid-client'
import { webcrypto } from 'node:crypto'
import { Person, assert, check, finish, redirectUri, refused } from './common.mjs'
import { selfSigned, issue } from './authorities.mjs'
import { alice, clientKey, clients, fetcher, issuer, logIsClean, serve, trusting } from './served.mjs'

const bank = 'https://bank.example/'
const es256 = await clientKey('ES256')
const ps256 = await clientKey('PS256')
const rs256 = await clientKey('RS256')
const decryption = await webcrypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits'])
const { kty, crv, x, y } = await webcrypto.subtle.exportKey('jwk', decryption.publicKey)
const encrypted = { kty, crv, x, y, use: 'enc', kid: 'enc', alg: 'ECDH-ES' }
const named = await issue(clients, 'C=DE, O=Interop, CN=machine')
const own = await selfSigned('CN=own', { ca: false })

const web = {
  redirect_uris: [redirectUri],
  application_type: 'native',
  grant_types: ['authorization_code', 'refresh_token'],
  client_name: 'Shop',
}
const machine = { grant_types: ['client_credentials'] }
const signs = (key, more) => ({ token_endpoint_auth_method: 'private_key_jwt', jwks: key.jwks, ...more })
const fapi = { ...web, profile: 'fapi2', id_token_signed_response_alg: 'ES256' }
const byName = {
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: 'CN=machine,O=Interop,C=DE',
}

const registered = {
  es256: signs(es256, machine),
  ps256: signs(ps256, machine),
  rs256: signs(rs256, machine),
  app: { ...web, token_endpoint_auth_method: 'none', dpop_bound_access_tokens: true },
  bound: signs(es256, { ...machine, dpop_bound_access_tokens: true }),
  pushes: signs(es256, { ...web, require_pushed_authorization_requests: true }),
  signs: signs(es256, { ...web, require_signed_request_object: true }),
  jarm: signs(es256, { ...web, authorization_signed_response_alg: 'ES256' }),
  sealed: signs(
    { jwks: { keys: [es256.jwk, encrypted] } },
    {
      ...web,
      id_token_encrypted_response_alg: 'ECDH-ES',
      id_token_encrypted_response_enc: 'A256GCM',
      userinfo_signed_response_alg: 'ES256',
      userinfo_encrypted_response_alg: 'ECDH-ES',
      userinfo_encrypted_response_enc: 'A256GCM',
    },
  ),
  tls: { ...machine, ...byName, tls_client_certificate_bound_access_tokens: true },
  own: {
    ...machine,
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: { keys: [await own.jwk()] },
    tls_client_certificate_bound_access_tokens: true,
  },
  'fapi-dpop': signs(es256, { ...fapi, dpop_bound_access_tokens: true }),
  'fapi-mtls': { ...fapi, ...byName, tls_client_certificate_bound_access_tokens: true },
  'fapi-signed': signs(ps256, {
    ...fapi,
    profile: 'fapi2-message-signing',
    dpop_bound_access_tokens: true,
    authorization_signed_response_alg: 'PS256',
  }),
  payer: signs(es256, { ...web, authorization_details_types: ['payment'] }),
  api: signs(es256, machine),
}
const payment = {
  type: 'payment',
  description: { en: 'Pay {/amount} to {/creditor}', de: '{/amount} an {/creditor} zahlen' },
  schema: {
    type: 'object',
    required: ['type', 'amount', 'creditor'],
    properties: {
      amount: { type: 'string', pattern: '^EUR [0-9]+$' },
      creditor: { type: 'string', maxLength: 50 },
      actions: { type: 'array', items: { enum: ['initiate', 'status', 'cancel'] } },
    },
  },
}
const machines = ['es256', 'ps256', 'rs256', 'bound', 'tls', 'own']
await serve({
  apis: [
    {
      audience: bank,
      name: 'Bank',
      scopes: [{ name: 'accounts', description: 'See your accounts' }],
      authorization_details_types: [payment],
      ceilings: [
        ...machines.map((client_id) => ({ client_id, scope: 'accounts' })),
        { client_id: 'payer', scope: 'accounts', authorization_details_types: ['payment'] },
      ],
      resource_servers: ['api'],
    },
  ],
  clients: Object.entries(registered).map(([client_id, metadata]) => ({ client_id, ...metadata })),
})

const privateKey = ({ key, kid }) => ({ key, kid })
const byKey = (key) => client.PrivateKeyJwt(privateKey(key))
/** A configuration as its documentation makes one. `identity` is shown at the listener for mutual TLS. */
async function discover(id, authentication, { metadata = {}, execute = [], identity } = {}) {
  const options = { execute, [client.customFetch]: identity ? await fetcher(identity) : trusting }
  return client.discovery(new URL(issuer), id, { ...known(registered[id]), ...metadata }, authentication, options)
}
/** What the library wants to know of a client's metadata. */
function known(metadata) {
  const { id_token_signed_response_alg, authorization_signed_response_alg, userinfo_signed_response_alg } = metadata
  return { id_token_signed_response_alg, authorization_signed_response_alg, userinfo_signed_response_alg }
}

const person = new Person(alice, trusting)
const api = await discover('api', byKey(es256))
const introspect = (token) => client.tokenIntrospection(api, token)
const metadata = api.serverMetadata()

/** One authorization request, asked as `build` says: what the library needs of it afterwards. */
async function ask(config, parameters = {}, build = client.buildAuthorizationUrl, choices = {}) {
  const checks = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
    idTokenExpected: true,
  }
  const url = await build(config, {
    redirect_uri: redirectUri,
    scope: 'openid offline_access accounts',
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...parameters,
  })
  return { url, callback: await person.authorize(url, choices), checks }
}
async function grant(config, parameters, build, { DPoP, choices, ...more } = {}) {
  const { callback, checks } = await ask(config, parameters, build, choices)
  return client.authorizationCodeGrant(config, callback, checks, more, { DPoP })
}
const pushed = (options) => (config, parameters) => client.buildAuthorizationUrlWithPAR(config, parameters, options)
const signed = (key) => (config, parameters) => client.buildAuthorizationUrlWithJAR(config, parameters, privateKey(key))

await check('discovery announces what follows', () => {
  for (const [name, values] of Object.entries({
    token_endpoint_auth_methods_supported: ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'],
    token_endpoint_auth_signing_alg_values_supported: ['ES256', 'PS256', 'RS256'],
    dpop_signing_alg_values_supported: ['ES256'],
    request_object_signing_alg_values_supported: ['ES256'],
    authorization_signing_alg_values_supported: ['ES256'],
    authorization_details_types_supported: ['payment'],
    response_modes_supported: ['jwt', 'query.jwt', 'form_post.jwt'],
  }))
    for (const value of values) assert.ok(metadata[name]?.includes(value), `${name} has no ${value}`)
  assert.ok(metadata.mtls_endpoint_aliases.token_endpoint.startsWith('https://'))
  assert.equal(metadata.tls_client_certificate_bound_access_tokens, true)
})

for (const [id, key] of Object.entries({ es256, ps256, rs256 }))
  await check(`private_key_jwt with ${id.toUpperCase()}`, async () => {
    const config = await discover(id, byKey(key))
    const tokens = await client.clientCredentialsGrant(config, { scope: 'accounts' })
    assert.equal((await introspect(tokens.access_token)).client_id, id)
  })
await check('private_key_jwt with a key of another client is refused', async () => {
  const config = await discover('es256', byKey(ps256))
  await refused('invalid_client', client.clientCredentialsGrant(config, { scope: 'accounts' }))
})
await check('an assertion for the token endpoint is refused: its audience is the issuer', async () => {
  const modifyAssertion = { [client.modifyAssertion]: (_, claims) => (claims.aud = metadata.token_endpoint) }
  const config = await discover('es256', client.PrivateKeyJwt(privateKey(es256), modifyAssertion))
  await refused('invalid_client', client.clientCredentialsGrant(config, { scope: 'accounts' }))
})
await check('an assertion is good once', async () => {
  const modifyAssertion = { [client.modifyAssertion]: (_, claims) => (claims.jti = 'the-same-again') }
  const config = await discover('es256', client.PrivateKeyJwt(privateKey(es256), modifyAssertion))
  await client.clientCredentialsGrant(config, { scope: 'accounts' })
  await refused('invalid_client', client.clientCredentialsGrant(config, { scope: 'accounts' }))
})

const app = await discover('app', client.None())
const handle = client.getDPoPHandle(app, await client.randomDPoPKeyPair('ES256'))
const other = client.getDPoPHandle(app, await client.randomDPoPKeyPair('ES256'))
const bound = await check('DPoP: a public client gets a bound token, with the nonce of the server', async () => {
  const tokens = await grant(app, { dpop_jkt: await handle.calculateThumbprint() }, undefined, { DPoP: handle })
  assert.equal(tokens.token_type, 'dpop')
  const said = await introspect(tokens.access_token)
  assert.deepEqual(said.cnf, { jkt: await handle.calculateThumbprint() })
  assert.equal(said.token_type, 'DPoP')
  return tokens
})
await check('DPoP: userinfo for a bound token wants its key', async () => {
  const forUser = (await grant(app, { scope: 'openid email' }, undefined, { DPoP: handle })).access_token
  const user = await client.fetchUserInfo(app, forUser, alice.sub, { DPoP: handle })
  assert.equal(user.email, 'alice@example.com')
  await assert.rejects(client.fetchUserInfo(app, forUser, alice.sub, { DPoP: other }))
  await assert.rejects(client.fetchUserInfo(app, forUser, alice.sub))
})
await check('DPoP: the refresh token of a public client is bound to the key', async () => {
  await refused('invalid_grant', client.refreshTokenGrant(app, bound.refresh_token, {}, { DPoP: other }))
  await refused('invalid_grant', client.refreshTokenGrant(app, bound.refresh_token))
  const next = await client.refreshTokenGrant(app, bound.refresh_token, {}, { DPoP: handle })
  assert.equal(next.token_type, 'dpop')
})
await check('DPoP: a code bound by dpop_jkt is refused with another key', async () => {
  const dpop_jkt = await handle.calculateThumbprint()
  await refused('invalid_grant', grant(app, { dpop_jkt }, undefined, { DPoP: other }))
})
await check('DPoP: client credentials, and none without a proof', async () => {
  const config = await discover('bound', byKey(es256))
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const tokens = await client.clientCredentialsGrant(config, { scope: 'accounts' }, { DPoP })
  assert.deepEqual((await introspect(tokens.access_token)).cnf, { jkt: await DPoP.calculateThumbprint() })
  await refused('invalid_dpop_proof', client.clientCredentialsGrant(config, { scope: 'accounts' }))
})

const pushes = await discover('pushes', byKey(es256))
await check('PAR: a pushed request leads to tokens', async () => {
  assert.equal((await grant(pushes, {}, pushed())).claims().sub, alice.sub)
})
await check('PAR: what must be pushed is refused in a query', async () => {
  const { callback, checks } = await ask(pushes)
  await refused('invalid_request', client.authorizationCodeGrant(pushes, callback, checks))
})
await check('PAR: what the endpoint of authorization would refuse is refused here', async () => {
  await refused('invalid_scope', ask(pushes, { scope: 'no:such' }, pushed()))
})
await check('PAR: a request_uri gives one code', async () => {
  const { url } = await ask(pushes, {}, pushed())
  const again = await person.authorize(url)
  assert.equal(again.searchParams.get('error'), 'invalid_request_uri')
})

const signer = await discover('signs', byKey(es256))
await check('JAR: a signed request by value', async () => {
  assert.equal((await grant(signer, {}, signed(es256))).claims().sub, alice.sub)
})
await check('JAR: what must be signed is refused unsigned', async () => {
  const { callback, checks } = await ask(signer)
  await refused('invalid_request', client.authorizationCodeGrant(signer, callback, checks))
})
await check('JAR: a signature of a stranger is refused', async () => {
  const stranger = { ...(await clientKey('ES256')), kid: es256.kid }
  const outside = async (config, parameters) => {
    const url = await signed(stranger)(config, parameters)
    // Where to tell is known from outside only.
    url.searchParams.set('redirect_uri', redirectUri)
    return url
  }
  const { callback } = await ask(signer, {}, outside)
  assert.equal(callback.searchParams.get('error'), 'invalid_request_object')
})
await check('JAR: a signed request, encrypted to the server with npm jose', async () => {
  const { keys } = await (await trusting(metadata.jwks_uri)).json()
  const { alg: _, ...key } = keys.find((key) => key.use === 'enc')
  const sealed = async (config, parameters) => {
    const url = await signed(es256)(config, parameters)
    const header = { alg: 'ECDH-ES', enc: 'A256GCM', cty: 'oauth-authz-req+jwt', kid: key.kid }
    const request = new CompactEncrypt(Buffer.from(url.searchParams.get('request'))).setProtectedHeader(header)
    url.searchParams.set('request', await request.encrypt(await importJWK(key, 'ECDH-ES')))
    return url
  }
  assert.equal((await grant(signer, {}, sealed)).claims().sub, alice.sub)
})
await check('PAR and JAR: a signed request, pushed', async () => {
  const both = async (config, parameters) =>
    client.buildAuthorizationUrlWithPAR(config, (await signed(es256)(config, parameters)).searchParams)
  assert.equal((await grant(signer, {}, both)).claims().sub, alice.sub)
})

const jarm = await discover('jarm', byKey(es256), { execute: [client.useJwtResponseMode] })
await check('JARM: the library takes the signed answer', async () => {
  const { callback, checks, url } = await ask(jarm)
  assert.equal(url.searchParams.get('response_mode'), 'jwt')
  assert.deepEqual([...callback.searchParams.keys()], ['response'])
  assert.equal((await client.authorizationCodeGrant(jarm, callback, checks)).claims().sub, alice.sub)
})
await check('JARM: an error is signed too', async () => {
  const { callback, checks } = await ask(jarm, { prompt: 'consent' }, undefined, { decision: 'deny' })
  await refused('access_denied', client.authorizationCodeGrant(jarm, callback, checks))
})

await check('an ID token and userinfo that are encrypted to the client', async () => {
  const config = await discover('sealed', byKey(es256))
  client.enableDecryptingResponses(config, ['A256GCM'], { key: decryption.privateKey, kid: 'enc', alg: 'ECDH-ES' })
  client.enableNonRepudiationChecks(config)
  const tokens = await grant(config, { scope: 'openid email' })
  assert.equal(tokens.id_token.split('.').length, 5)
  assert.equal(tokens.claims().sub, alice.sub)
  assert.equal((await client.fetchUserInfo(config, tokens.access_token, alice.sub)).email, 'alice@example.com')
})

const mtls = { use_mtls_endpoint_aliases: true }
for (const [id, identity] of Object.entries({ tls: named, own }))
  await check(
    `mutual TLS: ${registered[id].token_endpoint_auth_method}, and a token bound to the certificate`,
    async () => {
      const config = await discover(id, client.TlsClientAuth(), { identity, metadata: mtls })
      const tokens = await client.clientCredentialsGrant(config, { scope: 'accounts' })
      assert.equal(tokens.token_type, 'bearer')
      const said = await introspect(tokens.access_token)
      assert.deepEqual(said.cnf, { 'x5t#S256': await identity.thumbprint() })
    },
  )
await check('mutual TLS: no certificate, or that of another, is invalid_client', async () => {
  for (const identity of [undefined, own]) {
    const config = await discover('tls', client.TlsClientAuth(), { identity, metadata: mtls })
    await refused('invalid_client', client.clientCredentialsGrant(config, { scope: 'accounts' }))
  }
})

await check('FAPI 2.0: private_key_jwt, PAR and DPoP', async () => {
  const config = await discover('fapi-dpop', byKey(es256))
  client.enableNonRepudiationChecks(config)
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const tokens = await grant(config, {}, pushed({ DPoP }), { DPoP })
  assert.equal(tokens.token_type, 'dpop')
  assert.equal(tokens.claims().sub, alice.sub)
  const next = await client.refreshTokenGrant(config, tokens.refresh_token, {}, { DPoP })
  assert.equal((await introspect(next.access_token)).active, true)
})
await check('FAPI 2.0: nothing is given unbound, and nothing asked for unpushed', async () => {
  const config = await discover('fapi-dpop', byKey(es256))
  await refused('invalid_dpop_proof', grant(config, {}, pushed()))
  const { callback, checks } = await ask(config)
  await refused('invalid_request', client.authorizationCodeGrant(config, callback, checks))
})
await check('FAPI 2.0: mutual TLS for the client and for its tokens', async () => {
  const config = await discover('fapi-mtls', client.TlsClientAuth(), { identity: named, metadata: mtls })
  client.enableNonRepudiationChecks(config)
  const tokens = await grant(config, { scope: 'openid email' }, pushed())
  assert.deepEqual((await client.fetchUserInfo(config, tokens.access_token, alice.sub)).email, 'alice@example.com')
  const stranger = await discover('fapi-mtls', client.TlsClientAuth(), { identity: own, metadata: mtls })
  await assert.rejects(client.fetchUserInfo(stranger, tokens.access_token, alice.sub))
})
await check('FAPI 2.0 Message Signing: a signed request, pushed, and a signed answer', async () => {
  const config = await discover('fapi-signed', byKey(ps256), { execute: [client.useJwtResponseMode] })
  client.enableNonRepudiationChecks(config)
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const both = async (config, parameters) =>
    client.buildAuthorizationUrlWithPAR(config, (await signed(ps256)(config, parameters)).searchParams, { DPoP })
  assert.equal((await grant(config, {}, both, { DPoP })).claims().sub, alice.sub)
})

const payer = await discover('payer', byKey(es256))
const details = [
  { type: 'payment', amount: 'EUR 5', creditor: 'Ada', actions: ['initiate', 'status'] },
  { type: 'payment', amount: 'EUR 700', creditor: 'Eve' },
]
const written = (details) => ({ authorization_details: JSON.stringify(details) })
const paid = await check('authorization details: shown in words, and what is ticked stands in the answer', async () => {
  const asked = { ...written(details), resource: bank }
  const tokens = await grant(payer, asked, undefined, { resource: bank, choices: { without: ['Pay EUR 700 to Eve'] } })
  assert.ok(person.read.includes('Pay EUR 5 to Ada') && person.read.includes('Pay EUR 700 to Eve'), person.read)
  assert.deepEqual(tokens.authorization_details, [details[0]])
  assert.deepEqual((await introspect(tokens.access_token)).authorization_details, [details[0]])
  return tokens
})
await check('authorization details: narrowed at refresh, and never widened', async () => {
  const refresh = (...details) =>
    client.refreshTokenGrant(payer, paid.refresh_token, { ...written(details), resource: bank })
  await refused('invalid_authorization_details', refresh({ ...details[0], amount: 'EUR 6' }))
  await refused('invalid_authorization_details', refresh(details[1]))
  const less = { ...details[0], actions: ['status'] }
  assert.deepEqual((await refresh(less)).authorization_details, [less])
})
await check('authorization details: what the API does not know is refused', async () => {
  const { callback } = await ask(payer, written([{ ...details[0], urgent: true }]))
  assert.equal(callback.searchParams.get('error'), 'invalid_authorization_details')
})
await check('the log holds no secret and no token', logIsClean)
finish()
