// The checks of the TypeScript SDKs, old and new: a client that knows the address of an MCP server gets in by itself.
import { rootCertificates } from 'node:tls'
import { Agent, install, setGlobalDispatcher } from 'undici'
import { assert, check, finish, redirectUri } from './common.mjs'
import * as mcp from './mcp.mjs'
import { logIsClean } from './served.mjs'

// The SDKs run as they are, with the fetch() of the platform; it trusts the throw-away authority and remembers what it did.
install()
setGlobalDispatcher(new Agent({ connect: { ca: [...rootCertificates, mcp.servers.cert] } }))
const platform = globalThis.fetch
let requests = []
globalThis.fetch = async (url, options) => {
  const response = await platform(url, options)
  requests.push({ to: mcp.place(url), status: response.status })
  return response
}
const went = (to) => requests.filter((request) => request.to === to).length

/** What an application keeps for the SDK: in memory. */
class Provider {
  pages = []
  redirectUrl = redirectUri
  #kept = {}

  constructor({ document, grant_types = mcp.described.grant_types, tokens, dpop } = {}) {
    this.clientMetadataUrl = document
    if (dpop) this.dpop = () => dpop
    this.clientMetadata = { ...mcp.described, grant_types }
    this.#kept.tokens = tokens
  }

  state() {
    return 'of this request'
  }
  clientInformation() {
    return this.#kept.client
  }
  saveClientInformation(client) {
    this.#kept.client = client
  }
  tokens() {
    return this.#kept.tokens
  }
  saveTokens(tokens) {
    this.#kept.tokens = tokens
  }
  codeVerifier() {
    return this.#kept.verifier
  }
  saveCodeVerifier(verifier) {
    this.#kept.verifier = verifier
  }
  discoveryState() {
    return this.#kept.discovery
  }
  saveDiscoveryState(discovery) {
    this.#kept.discovery = discovery
  }
  invalidateCredentials(what) {
    if (what === 'all' || what === 'client') delete this.#kept.client
    if (what === 'all' || what === 'tokens') delete this.#kept.tokens
  }
  redirectToAuthorization(url) {
    this.pages.push(url)
  }
}

/**
 * Runs the checks with what the SDK exports. `stepsUp`: it asks for more by itself although it could refresh; `callback`: what it
 * wants of the address at which the application is called back.
 */
export async function run(sdk) {
  const { Client, StreamableHTTPClientTransport, UnauthorizedError, DpopSession, stepsUp, callback } = sdk
  /** An application: connects, and sends its user to the pages whenever the SDK says so. */
  class Application {
    person = mcp.person()

    constructor(options) {
      this.provider = new Provider(options)
    }

    get page() {
      return this.provider.pages.at(-1)
    }

    async connect() {
      this.transport = new StreamableHTTPClientTransport(new URL(mcp.server), { authProvider: this.provider })
      this.client = new Client({ name: 'interop', version: '1.0.0' })
      await this.client.connect(this.transport)
    }

    /** Tries, and gives the page that the user must go to. */
    async sentAway(body) {
      const before = this.provider.pages.length
      const error = await body().then(
        () => assert.fail('the user was not asked'),
        (error) => error,
      )
      assert.ok(error instanceof UnauthorizedError || error.cause instanceof UnauthorizedError, error)
      assert.equal(this.provider.pages.length, before + 1)
      return this.page.searchParams
    }

    /** The user signs in and decides; gives what the application is called back with. */
    async goes(options) {
      const back = await this.person.authorize(this.page, options)
      assert.equal(back.searchParams.get('state'), 'of this request')
      assert.equal(back.searchParams.get('iss'), mcp.issuer)
      return back.searchParams
    }

    async allowed() {
      await this.transport.finishAuth(callback(await this.goes()))
    }

    async in() {
      await this.sentAway(() => this.connect())
      await this.allowed()
      await this.connect()
      return this
    }

    async call(name, given = {}) {
      const { content, isError } = await this.client.callTool({ name, arguments: given })
      assert.ok(!isError, content[0].text)
      return content[0].text
    }
  }

  /** The same way in, whether the client has a document or registers itself. */
  async function getsIn(how, options) {
    requests = []
    const application = new Application(options)
    await check(`${how}: the address of the MCP server is enough to find where the user allows it`, async () => {
      const sent = await application.sentAway(() => application.connect())
      assert.equal(mcp.place(application.page), `${mcp.issuer}/authorize`)
      assert.deepEqual([went(mcp.wellKnown.resource), went(mcp.wellKnown.server)], [1, 1])
      assert.equal(sent.get('resource'), mcp.server)
      assert.equal(sent.get('code_challenge_method'), 'S256')
      assert.ok(sent.get('scope').split(' ').includes('notes:read') && !sent.get('scope').includes('write'))
      const id = sent.get('client_id')
      assert.equal(id, options.document ?? application.provider.clientInformation().client_id)
      assert.equal(went(`${mcp.issuer}/register`), options.document ? 0 : 1)
    })
    await check(`${how}: the user allows it, and the tools are there`, async () => {
      await application.allowed()
      await application.connect()
      const { tools } = await application.client.listTools()
      assert.deepEqual(tools.map((tool) => tool.name).sort(), ['add_note', 'list_notes'])
      assert.match(application.person.read, /127\.0\.0\.1/)
      assert.match(application.person.read, /Interop/)
    })
    await check(`${how}: a tool acts for the user`, async () => {
      await application.call('list_notes')
    })
    await check(`${how}: an access token that does not hold any more is refreshed, and the refresh token rotated`, async () => {
      const before = application.provider.tokens()
      await mcp.revoke(application.provider.clientInformation().client_id, before.access_token)
      assert.equal((await mcp.called('list_notes', before.access_token)).status, 401)
      await application.call('list_notes')
      const after = application.provider.tokens()
      assert.notEqual(after.refresh_token, before.refresh_token)
      assert.notEqual(after.access_token, before.access_token)
    })
    await check(`${how}: what the user takes back is asked for again`, async () => {
      await mcp.revoke(application.provider.clientInformation().client_id, application.provider.tokens().refresh_token)
      await application.sentAway(() => application.call('list_notes'))
      await application.allowed()
      await application.call('list_notes')
    })
    await check(`${how}: a tool that needs more: the user is asked for that, and keeps what he allowed`, async () => {
      // Where there is a refresh token, the old SDK tries that first and then gives up.
      const one = stepsUp ? application : await new Application({ ...options, ...withoutRefresh(options) }).in()
      const sent = await one.sentAway(() => one.call('add_note', { text: 'milk' }))
      for (const scope of mcp.both.split(' ')) assert.ok(sent.get('scope').split(' ').includes(scope), sent.get('scope'))
      await one.allowed()
      assert.match(await one.call('add_note', { text: 'milk' }), /notes/)
      assert.match(await one.call('list_notes'), /milk/)
      for (const scope of mcp.both.split(' ')) assert.ok(one.provider.tokens().scope.split(' ').includes(scope))
    })
    await check(`${how}: the user says no, and the application hears it from the right server`, async () => {
      const other = new Application(options)
      await other.sentAway(() => other.connect())
      assert.equal((await other.goes({ decision: 'deny' })).get('error'), 'access_denied')
    })
    return application
  }

  function withoutRefresh({ document }) {
    const grant_types = ['authorization_code']
    return document ? { document: mcp.publish('once', { grant_types }) } : { grant_types }
  }

  await mcp.start()
  const document = mcp.publish('client')
  const described = await getsIn('by its document', { document })
  await check('the document was fetched once', () => assert.equal(mcp.asked['/client.json'], 1))
  await getsIn('by registration', {})
  await check('a token for another API of the same issuer opens nothing, and the user is asked', async () => {
    const tokens = { access_token: await mcp.foreignToken(), token_type: 'Bearer' }
    const { status, challenge } = await mcp.called('list_notes', tokens.access_token)
    assert.equal(status, 401)
    assert.match(challenge, /^Bearer error="invalid_token"/)
    const application = new Application({ document, tokens })
    await application.sentAway(() => application.connect())
  })
  await check('a scope that does not suffice: 403, and the challenge says what would do and where to get it', async () => {
    const { status, challenge } = await mcp.called('add_note', (await fresh(document)).access_token)
    assert.equal(status, 403)
    const [bearer] = challenge.split(', DPoP ')
    assert.match(bearer, /^Bearer error="insufficient_scope"/)
    assert.ok(bearer.includes(`scope="${mcp.both}"`) && bearer.includes(`resource_metadata="${mcp.wellKnown.resource}"`))
  })
  await check('without a token: 401, the scope to ask for, and no error', async () => {
    const { status, challenge } = await mcp.called('list_notes')
    assert.equal(status, 401)
    assert.match(challenge, /^Bearer scope="notes:read", resource_metadata="/)
  })
  if (DpopSession) {
    await check('with a key of its own the token is bound to it, and nothing to whoever has not got the key', async () => {
      const application = await new Application({ document, dpop: DpopSession.create() }).in()
      await application.call('list_notes')
      const { access_token, token_type } = application.provider.tokens()
      assert.equal(token_type, 'DPoP')
      assert.equal((await mcp.called('list_notes', access_token)).status, 401)
    })
  }
  await check('a document that is not there is no client', async () => {
    const gone = new Application({ document: document.replace('client.json', 'other.json') })
    await gone.sentAway(() => gone.connect())
    await assert.rejects(gone.goes(), /400/)
  })
  await check('no secret and no token in the logs', () => {
    logIsClean()
    mcp.serverLogIsClean()
  })
  await described.client?.close()
  finish()
  process.exit()

  /** The tokens of a client that asked for nothing but to read. */
  async function fresh(document) {
    return (await new Application({ document }).in()).provider.tokens()
  }
}
