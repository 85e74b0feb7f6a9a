import { describe, expect, it } from 'vitest';
import { safeRedirect } from './redirect';

describe('where the login leads to', () => {
  it.each([
    '/jobs',
    '/servers/3?tab=jobs',
    '/overlays/7?path=left4dead2/cfg',
    '/jobs/9#end',
    '/overlays/7?path=my%20maps',
  ])('keeps the panel’s own %s', (target) => expect(safeRedirect(target)).toBe(target));

  it.each([
    undefined,
    null,
    42,
    ['/jobs'],
    '',
    'jobs',
    'https://evil.example/',
    'javascript:alert(1)',
    '//evil.example/',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/%2fevil.example',
    '/%5cevil.example',
    '/%2Fevil.example/%2e%2e',
    '%2f%2fevil.example',
    '/%252fevil.example',
    '/%25252fevil.example',
    '/%2525252525252fevil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '/%09/evil.example',
    '/%0a/evil.example',
    ' //evil.example',
    '/jobs//evil.example',
    '/.//evil.example',
    '/%',
    '/%zz',
  ])('ignores %j', (target) => expect(safeRedirect(target)).toBe('/servers'));

  it('does not lead back to the login', () => {
    expect(safeRedirect('/login?to=/jobs')).toBe('/servers');
    expect(safeRedirect('/')).toBe('/servers');
  });
});
