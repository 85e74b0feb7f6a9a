import type { OpenAPIObject } from '@nestjs/swagger';

/** With what the decorators left, which nobody else is told. */
type Operation = NonNullable<OpenAPIObject['paths'][string]['get']> & {
  'x-public'?: boolean;
  'x-admin'?: boolean;
  'x-shown-once'?: boolean;
  'x-fails'?: Record<string, string>;
};

const methods = ['get', 'put', 'post', 'delete', 'patch'] as const;

/** Adds to every operation who may use it and which problems it answers with, from what the access decorators left. */
export function describeAccess(document: OpenAPIObject): OpenAPIObject {
  for (const path of Object.values(document.paths)) {
    for (const method of methods) {
      const operation: Operation | undefined = path[method];
      if (operation) describeOperation(operation, method);
    }
  }
  return document;
}

function describeOperation(operation: Operation, method: (typeof methods)[number]): void {
  const { 'x-public': open, 'x-admin': admin, 'x-shown-once': shownOnce, 'x-fails': fails } = operation;
  delete operation['x-public'];
  delete operation['x-admin'];
  delete operation['x-shown-once'];
  delete operation['x-fails'];
  if (method === 'post' && !open && !shownOnce) repeatable(operation);
  for (const [status, when] of Object.entries(fails ?? {})) problem(operation, status, when);
  if (open) operation.security = [];
  else operation.security ??= [{ session: [] }];
  const scope = operation.security.flatMap((way) => way['token'] ?? [])[0];
  const told = [
    operation.description,
    admin && 'For admins.',
    scope ? `Token scope: ${scope}.` : !open && 'Not for tokens.',
  ];
  operation.description = told.filter(Boolean).join(' ');
  const inPath = operation.parameters?.some((parameter) => 'in' in parameter && parameter.in === 'path');
  const input = operation.requestBody !== undefined || (operation.parameters?.length ?? 0) > 0;
  if (input) problem(operation, '400', 'A field is wrong; `errors` names it.');
  if (!open) problem(operation, '401', 'Not logged in.');
  if (!open) problem(operation, '403', 'Not allowed.');
  if (inPath) problem(operation, '404', 'Not there, or not visible.');
  if (method !== 'get' && !open) problem(operation, '409', 'Contradicts what is there; `detail` says with what.');
  problem(operation, 'default', 'Another problem.');
}

function repeatable(operation: Operation): void {
  const description =
    'Any text of yours, 1 to 255 printable ASCII characters without spaces. It counts per user and per path: sent again by the same ' +
    'user to the same path within 24 hours, the request is not carried out again and gets the first answer, with ' +
    '`Idempotency-Replayed: true`. With another body it is refused (409). A request that was refused may be sent again.';
  (operation.parameters ??= []).push({
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  });
}

function problem(operation: Operation, status: string, description: string): void {
  operation.responses[status] ??= {
    description,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}
