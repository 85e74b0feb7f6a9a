import { expect, it } from 'vitest';
import { publishedFileId } from './published-file-id.js';

it.each([
  '123456789',
  ' 123456789\n',
  'https://steamcommunity.com/sharedfiles/filedetails/?id=123456789',
  'http://www.steamcommunity.com/sharedfiles/filedetails/?id=123456789&searchtext=no+mercy',
  'https://steamcommunity.com/workshop/filedetails/?l=german&id=123456789#comments',
  'steamcommunity.com/sharedfiles/filedetails?id=123456789',
  'HTTPS://STEAMCOMMUNITY.COM/sharedfiles/filedetails/?id=123456789',
  'https://steamcommunity.com/sharedfiles/filedetails/123456789',
  'https://steamcommunity.com/sharedfiles/filedetails/comments/123456789',
  'https://steamcommunity.com/sharedfiles/filedetails/changelog/123456789/',
  'https://steamcommunity.com/workshop/filedetails/discussion/123456789/987654321/',
  'steam://url/CommunityFilePage/123456789',
  'steam://openurl/https://steamcommunity.com/sharedfiles/filedetails/?id=123456789',
])('%j is 123456789', (text) => {
  expect(publishedFileId(text)).toBe('123456789');
});

it.each([
  '',
  'no mercy',
  '0',
  '-1',
  '0123',
  '1.5',
  '99999999999999999999',
  'https://steamcommunity.com/sharedfiles/filedetails/',
  'https://steamcommunity.com/sharedfiles/filedetails/?id=abc',
  'https://steamcommunity.com/id/gabe/?id=123456789',
  'https://steamcommunity.com.example.org/sharedfiles/filedetails/?id=123456789',
  'https://example.org/?to=https://steamcommunity.com/sharedfiles/filedetails/?id=123456789',
  'ftp://steamcommunity.com/sharedfiles/filedetails/?id=123456789',
  `steam://openurl/${'steam://openurl/'.repeat(50)}x`,
])('%j is none', (text) => {
  expect(publishedFileId(text)).toBeNull();
});
