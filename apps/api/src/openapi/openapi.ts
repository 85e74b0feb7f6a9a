import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { SESSION_COOKIE } from '../auth/sessions.js';
import { describeAccess } from './describe-access.js';
import { ProblemView } from './problem.dto.js';

const description = `Everything the console does. Scripts log in with a token: \`Authorization: Bearer l4m_…\` (made in the console or
with POST /tokens). Each route names the scope that a token needs; routes without one are closed to tokens. Lists are
\`{items, nextCursor}\`, newest first. Failures are RFC 9457 problem documents.`;

/** The description of the API at /api/openapi.json, and a page to read and try it at /api/docs. */
export function serveOpenApi(app: NestExpressApplication): void {
  let document: OpenAPIObject | undefined;
  SwaggerModule.setup('api/docs', app, () => (document ??= describe(app)), {
    jsonDocumentUrl: 'api/openapi.json',
    raw: ['json'],
    customSiteTitle: 'left4me API',
    swaggerOptions: { validatorUrl: null, persistAuthorization: false },
  });
}

/** The OpenAPI document of all routes. */
export function describe(app: NestExpressApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('left4me')
    .setDescription(description)
    .setVersion('1')
    .addSecurity('session', {
      type: 'apiKey',
      in: 'cookie',
      name: SESSION_COOKIE,
      description: 'POST /auth/login sets it.',
    })
    .addSecurity('token', {
      type: 'http',
      scheme: 'bearer',
      description: 'A token, l4m_…; scopes: read, operate, manage.',
    })
    .build();
  return describeAccess(SwaggerModule.createDocument(app, config, { extraModels: [ProblemView] }));
}
