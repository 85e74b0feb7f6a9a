import type { OpenAPIObject } from '@nestjs/swagger';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']> & { 'x-public'?: boolean; 'x-admin'?: boolean };

const methods = ['get', 'put', 'post', 'delete', 'patch'] as const;

/** Adds to every operation who may use it and which problems it answers with, from what the access decorators left. */
export function describeAccess(document: OpenAPIObject): OpenAPIObject {
  for (const path of Object.values(document.paths)) {
    for (const method of methods) {
      const operation: Operation | undefined = path[method];
      if (operation) describeOperation(operation);
      if (operation && method === 'post' && operation.security?.length !== 0) repeatable(operation);
    }
  }
  return document;
}

function describeOperation(operation: Operation): void {
  const { 'x-public': open, 'x-admin': admin } = operation;
  delete operation['x-public'];
  delete operation['x-admin'];
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
  problem(operation, 'default', 'Another problem.');
}

function repeatable(operation: Operation): void {
  const description = 'The same key within 24 hours gets the first answer again, and nothing is done twice.';
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
