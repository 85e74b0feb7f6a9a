import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { ApiProblem, api, apiUrl, explain, onServerFault, onUnauthorized, parseProblem } from './client';

function answer(status: number, body: string): void {
  vi.stubGlobal(
    'fetch',
    vi.fn(() => Promise.resolve(new Response(status === 204 ? null : body, { status }))),
  );
}

afterEach(() => vi.unstubAllGlobals());

describe('problem documents', () => {
  it('become an error with the detail and the fields', () => {
    const body = JSON.stringify({
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      detail: 'Two fields are wrong.',
      errors: [{ path: 'port', message: 'A port is between 1024 and 65535.' }],
    });
    const problem = parseProblem(400, body);
    expect(problem).toMatchObject({ status: 400, title: 'Bad Request', message: 'Two fields are wrong.' });
    expect(problem.fields).toEqual([{ path: 'port', message: 'A port is between 1024 and 65535.' }]);
  });

  it.each([
    ['<html>Bad Gateway</html>', 502, 'The panel is not answering'],
    ['', 500, 'The panel answered 500'],
    ['"text"', 404, 'Not found'],
    ['{"errors": "nonsense"}', 403, 'Not allowed'],
  ])('are made up for %j', (body, status, message) => expect(explain(parseProblem(status, body))).toBe(message));
});

describe('calls', () => {
  const schema = z.object({ id: z.number() });

  it('parse what they are answered', async () => {
    answer(200, '{"id": 3, "later": true}');
    await expect(api.get('/servers/3', schema)).resolves.toEqual({ id: 3 });
    answer(200, '{"id": "three"}');
    await expect(api.get('/servers/3', schema).catch(explain)).resolves.toContain('does not understand');
  });

  it('say when nobody answers', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
    const error: unknown = await api.get('/servers', schema).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiProblem);
    expect(error).toMatchObject({ status: 0, message: 'The panel cannot be reached.' });
  });

  it('report a lost session, but not a failed login', async () => {
    const lost = vi.fn<() => void>();
    onUnauthorized(lost);
    answer(401, '{"title": "Unauthorized", "status": 401}');
    await expect(api.post('/auth/login', {}, schema)).rejects.toMatchObject({ status: 401 });
    expect(lost).not.toHaveBeenCalled();
    await expect(api.get('/servers', schema)).rejects.toMatchObject({ status: 401 });
    expect(lost).toHaveBeenCalledOnce();
  });

  it('report the panel’s own faults to who listens', async () => {
    const fault = vi.fn<() => void>();
    const end = onServerFault(fault);
    answer(409, '{}');
    await expect(api.get('/servers', schema)).rejects.toMatchObject({ status: 409 });
    expect(fault).not.toHaveBeenCalled();
    answer(500, '{}');
    await expect(api.get('/servers', schema)).rejects.toMatchObject({ status: 500 });
    end();
    await expect(api.get('/servers', schema)).rejects.toMatchObject({ status: 500 });
    expect(fault).toHaveBeenCalledOnce();
  });

  it('leave empty parameters out of the address', () => {
    expect(apiUrl('/jobs', { state: 'failed', serverId: null, cursor: undefined, path: 'a b/ü' })).toBe(
      '/api/v1/jobs?state=failed&path=a+b%2F%C3%BC',
    );
  });
});
