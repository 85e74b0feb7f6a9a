import { z } from 'zod';

// The just-in-time compiler of zod needs `new Function`, which a strict Content-Security-Policy forbids.
z.config({ jitless: true });

const problemSchema = z.object({
  title: z.string().optional(),
  status: z.number().optional(),
  detail: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

export interface FieldProblem {
  path: string;
  message: string;
}

/** What went wrong with a call, from the API's problem document (RFC 9457) or made up where there was none. */
export class ApiProblem extends Error {
  /** HTTP status; 0: no answer at all. */
  readonly status: number;
  readonly title: string;
  readonly fields: readonly FieldProblem[];

  constructor(
    init: { status: number; title: string; detail?: string; fields?: readonly FieldProblem[] },
    cause?: unknown,
  ) {
    super(init.detail ?? init.title, { cause });
    this.name = 'ApiProblem';
    this.status = init.status;
    this.title = init.title;
    this.fields = init.fields ?? [];
  }
}

/** One sentence for people, whatever was thrown. */
export function explain(error: unknown): string {
  if (error instanceof ApiProblem) return error.message;
  if (error instanceof z.ZodError)
    return 'The panel answered with something this console does not understand. Reload the page.';
  return error instanceof Error ? error.message : String(error);
}

export type Query = Record<string, string | number | boolean | null | undefined>;

export const apiBase = '/api/v1';

/** An API address with its query; empty, null and undefined values are left out. */
export function apiUrl(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return `${apiBase}${path}${text ? `?${text}` : ''}`;
}

let unauthorized: (() => void) | undefined;

/** Called whenever a call is answered 401, except a failed login. */
export function onUnauthorized(listener: () => void): void {
  unauthorized = listener;
}

const faultListeners = new Set<() => void>();

/** Called whenever a call is answered 5xx, until the returned function is. */
export function onServerFault(listener: () => void): () => void {
  faultListeners.add(listener);
  return () => faultListeners.delete(listener);
}

const titles: Record<number, string> = {
  401: 'Not logged in',
  403: 'Not allowed',
  404: 'Not found',
  413: 'Too large',
  429: 'Too many requests; try again in a moment',
  502: 'The panel is not answering',
  503: 'The panel is not ready',
  504: 'The panel is not answering',
};

/** Reads a failed response's body. Never throws: a proxy's HTML page becomes a plain title. */
export function parseProblem(status: number, body: string): ApiProblem {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    json = undefined;
  }
  const parsed = problemSchema.safeParse(json);
  const title = titles[status] ?? `The panel answered ${status}`;
  if (!parsed.success) return new ApiProblem({ status, title });
  const { detail, errors } = parsed.data;
  return new ApiProblem({ status, title: parsed.data.title ?? title, detail, fields: errors });
}

async function send(
  method: string,
  path: string,
  init: { query?: Query; body?: unknown; signal?: AbortSignal },
): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (init.body !== undefined) headers['Content-Type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(apiUrl(path, init.query), {
      method,
      headers,
      body: init.body === undefined ? undefined : JSON.stringify(init.body),
      signal: init.signal,
      credentials: 'same-origin',
    });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new ApiProblem(
      { status: 0, title: 'The panel cannot be reached', detail: 'The panel cannot be reached.' },
      cause,
    );
  }
  if (response.ok) return response;
  if (response.status === 401 && path !== '/auth/login') unauthorized?.();
  if (response.status >= 500) for (const listener of faultListeners) listener();
  throw parseProblem(response.status, await response.text());
}

/** The REST calls. Answers are parsed by the given schema; failures are thrown as ApiProblem. */
export const api = {
  async get<S extends z.ZodType>(
    path: string,
    schema: S,
    init: { query?: Query; signal?: AbortSignal } = {},
  ): Promise<z.output<S>> {
    const response = await send('GET', path, init);
    return schema.parse(await response.json());
  },
  async post<S extends z.ZodType>(
    path: string,
    body: unknown,
    schema: S,
    init: { signal?: AbortSignal } = {},
  ): Promise<z.output<S>> {
    const response = await send('POST', path, { body, ...init });
    return schema.parse(await response.json());
  },
  async patch<S extends z.ZodType>(path: string, body: unknown, schema: S): Promise<z.output<S>> {
    const response = await send('PATCH', path, { body });
    return schema.parse(await response.json());
  },
  async put<S extends z.ZodType>(path: string, body: unknown, schema: S): Promise<z.output<S>> {
    const response = await send('PUT', path, { body });
    return schema.parse(await response.json());
  },
  /** For calls that answer nothing (204). */
  async call(
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    init: { body?: unknown; query?: Query } = {},
  ): Promise<void> {
    await send(method, path, init);
  },
};

/** A list as the API gives it: newest first, with a cursor for the rest. */
export function pageOf<S extends z.ZodType>(item: S) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}
