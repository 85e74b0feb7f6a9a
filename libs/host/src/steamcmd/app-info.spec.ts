import { describe, expect, it } from 'vitest';
import { parseAppInfo, parseAppManifest } from './app-info.js';

const PRINTED = `
Loading Steam API...OK
AppID : 222860, change number : 26584392/26584392, last change : Sun Dec 15 13:25:00 2024
"222860"
{
	"common"
	{
		"name"		"Left 4 Dead 2 \\"Dedicated\\" Server"
	}
	"depots"
	{
		"222861"
		{
			"manifests"
			{
				"public"
				{
					"gid"		"1692357934132329117"
					"size"		"9000000000"
					"download"		"4000000000"
				}
				"beta"
				{
					"size"		"5"
				}
			}
		}
		"222863"
		{
			"manifests"
			{
				"public"		"1559674099137950788"
			}
			"maxsize"		"23831088"
		}
		"228983"
		{
			"manifests" { "public" { "size" "200000000" } }
		}
		"branches"
		{
			"beta"
			{
				"buildid"		"9"
			}
			"public"
			{
				"buildid"		"17582347"
				"timeupdated"		"1612401231"
			}
		}
		"baselanguages"		"english"
	}
}
Unloading Steam API...OK`.split('\n');

describe('what app_info_print prints', () => {
  it('tells the public build and the size of its files', () => {
    expect(parseAppInfo(PRINTED)).toEqual({ build: '17582347', bytes: 9_200_000_000 });
  });

  it.each([
    [[]],
    [['No app info for AppID 222860 found, requesting...']],
    [['"222860"', '{', '}']],
    [['"222860"', '{', '"depots" { "branches" { "public" { "buildid" "0" } } }']],
    [['"222860"', '{', '"depots" { "branches" { "public" { "buildid" "../1" } } }']],
  ])('may tell nothing: %j', (lines) => {
    expect(parseAppInfo(lines)).toBeNull();
  });

  it('is read as far as it goes', () => {
    expect(parseAppInfo(['"222860"', '{', '"depots" { "branches" { "public" { "buildid" "12"'])).toEqual({
      build: '12',
      bytes: null,
    });
  });
});

describe('an appmanifest', () => {
  const manifest = (fields: string): string => `"AppState"\n{\n\t"appid"\t\t"222860"\n${fields}\n}\n`;

  it.each([
    ['"StateFlags" "4" "buildid" "12"', { build: '12', complete: true }],
    ['"buildid" "12"', { build: '12', complete: true }],
    ['"StateFlags" "1026" "buildid" "12"', { build: '12', complete: false }],
    ['"StateFlags" "6" "buildid" "12"', { build: '12', complete: false }],
    ['"StateFlags" "4"', null],
    ['"buildid" "0"', null],
  ])('with %s', (fields, expected) => {
    expect(parseAppManifest(manifest(fields))).toEqual(expected);
  });

  it('that is empty tells nothing', () => {
    expect(parseAppManifest('')).toBeNull();
  });
});
