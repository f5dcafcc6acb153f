// An OAuth2 server of Node for the tests of logins: "node server.mjs oauth2-server" or "node server.mjs
// oidc-provider". It prints its port, answers POST /token and POST /revoke, and says of an access token at
// GET /valid whether it is good. The environment has the id and the secret of the client, the name and the
// password of the account, and for how many seconds access tokens last.
import http from 'node:http';

const { CLIENT_ID: id, CLIENT_SECRET: secret, ACCOUNT: account, PASSWORD: password } = process.env;
const lifetime = Number(process.env.LIFETIME);

async function bodyOf(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return Object.fromEntries(new URLSearchParams(text));
}

function send(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

// A refresh token works once.
async function oauth2Server() {
  const { default: OAuth2Server } = await import('@node-oauth/oauth2-server');
  const access = new Map();
  const refresh = new Map();
  const server = new OAuth2Server({
    accessTokenLifetime: lifetime,
    refreshTokenLifetime: 3600,
    alwaysIssueNewRefreshToken: true,
    model: {
      getClient: async (name, word) => name === id && (word === null || word === secret) && { id, grants: ['password', 'refresh_token'] },
      getUser: async (name, word) => name === account && word === password && { name },
      saveToken: async (token, client, user) => {
        const saved = { ...token, client, user };
        access.set(token.accessToken, saved);
        refresh.set(token.refreshToken, saved);
        return saved;
      },
      getAccessToken: async (token) => access.get(token),
      getRefreshToken: async (token) => refresh.get(token),
      revokeToken: async (token) => refresh.delete(token.refreshToken),
      verifyScope: async () => true,
    },
  });
  return async (request, response) => {
    if (request.url === '/valid') {
      const token = access.get((request.headers.authorization ?? '').replace('Bearer ', ''));
      return send(response, token && token.accessTokenExpiresAt > new Date() ? 200 : 401, {});
    }
    const body = await bodyOf(request);
    const answer = new OAuth2Server.Response({});
    try {
      await server.token(new OAuth2Server.Request({ body, headers: request.headers, method: request.method, query: {} }), answer);
      send(response, answer.status ?? 200, answer.body);
    } catch (error) {
      send(response, error.code ?? 500, { error: error.name, error_description: error.message });
    }
    return undefined;
  };
}

// A refresh token works once, and ends the login if it comes again.
async function oidcProvider() {
  const { default: Provider, errors } = await import('oidc-provider');
  const provider = new Provider('http://127.0.0.1', {
    clients: [{
      client_id: id, client_secret: secret, grant_types: ['password', 'refresh_token'], redirect_uris: [], response_types: [],
      token_endpoint_auth_method: 'client_secret_post',
    }],
    features: { revocation: { enabled: true }, devInteractions: { enabled: false } },
    findAccount: (_, name) => ({ accountId: name, claims: () => ({ sub: name }) }),
    rotateRefreshToken: true,
    routes: { token: '/token', revocation: '/revoke' },
    ttl: { AccessToken: lifetime, RefreshToken: 3600, Grant: 3600, IdToken: 3600 },
  });
  provider.registerGrantType('password', async (ctx) => {
    const { client, params } = ctx.oidc;
    if (params.username !== account || params.password !== password) throw new errors.InvalidGrant('invalid user credentials');
    const scope = 'openid offline_access';
    const grant = new provider.Grant({ clientId: client.clientId, accountId: account });
    grant.addOIDCScope(scope);
    const common = { accountId: account, client, grantId: await grant.save(), gty: 'password', scope };
    const token = new provider.AccessToken(common);
    ctx.oidc.entity('AccessToken', token);
    const refresh = new provider.RefreshToken({ ...common, rotations: 0, authTime: Math.floor(Date.now() / 1000) });
    ctx.oidc.entity('RefreshToken', refresh);
    ctx.body = {
      access_token: await token.save(), expires_in: token.expiration, refresh_token: await refresh.save(), token_type: 'Bearer', scope,
    };
  }, ['username', 'password', 'scope']);
  provider.on('server_error', (_, error) => console.error(error));
  const answer = provider.callback();
  return async (request, response) => {
    if (request.url !== '/valid') return answer(request, response);
    const token = await provider.AccessToken.find((request.headers.authorization ?? '').replace('Bearer ', ''));
    return send(response, token && !token.isExpired ? 200 : 401, {});
  };
}

const kinds = { 'oauth2-server': oauth2Server, 'oidc-provider': oidcProvider };
const handler = await kinds[process.argv[2]]();
const server = http.createServer(handler);
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit(0)); // with the test
